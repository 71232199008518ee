"""Shared by the commands: data, devices and choices from options."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import torch

from examples.train_detector.data import find_classes
from nsa_augment.samples import PRODUCTS, write_samples

PRECISIONS = ("float32", "bfloat16", "float16")


def folders_of(data: Path | None, names: str | None, samples: Path) -> dict[str, Path]:
    """Folders of the named classes (None: all) of `data`, or of the embedded samples, written once to `samples`."""
    if data is not None:
        return _chosen(find_classes(data), names)
    chosen = _chosen({name: samples / name for name in PRODUCTS}, names)
    for name, product in chosen.items():
        if not product.is_dir():
            write_samples(samples, name)
    return chosen


def shown_name(name: str, data: Path | None) -> str:
    """Name of a class in results; MVTec AD has a zipper, too."""
    return name if data else f"{name} sample"


def _chosen(folders: dict[str, Path], names: str | None) -> dict[str, Path]:
    if names in (None, "all"):
        return folders
    for name in names.split(","):
        check_choice("--class", name, folders)
    return {name: folders[name] for name in names.split(",")}


def check_choice(option: str, value: str, choices: Iterable[str]) -> None:
    """ValueError that lists the choices unless `value` is one of them."""
    if value not in choices:
        raise ValueError(f"{option} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def device_of(name: str | None) -> torch.device:
    """The named device; by default a GPU if there is one."""
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"--device must be usable by PyTorch here, got {name!r}: {error}") from error
    return device


def precision_of(name: str | None, device: torch.device) -> str:
    """The named precision; by default the fastest that the device supports."""
    if name is not None:
        check_choice("--precision", name, PRECISIONS)
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return "bfloat16" if capabilities.get("avx512_bf16") or capabilities.get("bf16") else "float32"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
