"""The choices made on the page, and the task, pictures, figures and preset file that follow from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nsa_augment._shared.images import list_images, read_image
from nsa_augment._shared.overlays import label_bar, mask_at, outlined
from nsa_augment._shared.page import Pixels
from nsa_augment._shared.scale import Scale
from nsa_augment._shared.types import Image
from nsa_augment._shared.wording import counted
from nsa_augment.calibration import calibrate
from nsa_augment.calibration.preset_files import preset_text
from nsa_augment.calibration.trials import draw_trials, placed_share, visible_share
from nsa_augment.cli.options import in_eight_bits
from nsa_augment.cli.playground.controls import controls_of, start_values
from nsa_augment.cli.tiles import EXAMPLE_COLUMNS, OUTLINE, example_row, make_example
from nsa_augment.labelling import LABELS
from nsa_augment.planning.silence import likeliest_reason
from nsa_augment.samples import PRODUCTS, draw_sample
from nsa_augment.tasks import PRESETS, AnomalyTask, bind_task

CALLS = 32
"""Number of calls behind the figures."""
SAMPLES = 16
"""Images of an embedded product."""
TILES = (*EXAMPLE_COLUMNS, "object mask")
CALIBRATED = "calibrated"
"""Stands for the preset estimated from the images."""


@dataclass(frozen=True)
class Supply:
    """Images of normal products: their names, how to read one as 8 bits, and the preset to start with."""

    names: Sequence[str]
    read: Callable[[int, Scale], Image]
    preset: str


def sample_supply(product: str) -> Supply:
    """Images of an embedded product."""
    names = [f"{product} {index}" for index in range(SAMPLES)]
    return Supply(names, lambda index, scale: draw_sample(product, index).image, PRODUCTS[product].preset)


def folder_supply(folder: Path) -> Supply:
    """The images of a folder, with the preset named in its path, as in `screw/train/good`, or else an estimate."""
    files = list_images(folder)
    preset = next((part for part in reversed(folder.resolve().parts) if part in PRESETS), CALIBRATED)
    return Supply([file.name for file in files], lambda index, scale: read_image(files[index], scale=scale), preset)


@dataclass(frozen=True)
class Choice:
    """A task, a preset (a name or a file), and the states of the controls by argument.

    Examples
    --------
    >>> Choice("nsa", "screw", {"max_patches": 1}).task().height_range
    (0.06, 0.24)
    """

    name: str
    preset: str
    shown: Mapping[str, Any]

    @property
    def changed(self) -> dict[str, Any]:
        """The arguments that differ from those of the preset."""
        start = start_values(self.name, self.preset)
        controls = controls_of(self.name)
        values = {name: controls[name].chosen(shown, start[name]) for name, shown in self.shown.items()}
        return {name: value for name, value in values.items() if value != start[name]}

    def task(self) -> AnomalyTask:
        """The task; raises the task's own ValueError or TypeError if it refuses an argument."""
        return bind_task(self.name, self.preset, arguments=self.changed)


@dataclass(frozen=True)
class Shown:
    """An anomaly: a caption, a picture for each of `TILES` (None: there is none), and the plan as JSON."""

    caption: str
    tiles: tuple[Pixels | None, ...]
    plan: str


def show(choice: Choice, supply: Supply, seed: int, turn: int) -> Shown:
    """Make the anomaly of a turn; the turns of a seed differ in image, source and plan."""
    task, scale = in_eight_bits(choice.task())
    rng = np.random.default_rng([seed, turn])
    chosen = rng.permutation(len(supply.names))
    first, other = int(chosen[0]), int(chosen[-1])
    image, source = supply.read(first, scale), supply.read(other, scale)
    caption = supply.names[first] + (f" with patches from {supply.names[other]}" if task.needs_source else "")
    example = make_example(task, caption, image, source, [seed, turn])
    tiles = example_row(example, label_bar(LABELS[task.label], [example.result.label])).tiles
    plan = example.result.plan
    caption += f": {counted(len(plan.patches), 'patch', 'patches')}"
    if not plan.patches:
        caption += f" ({likeliest_reason(task, [plan])})"
    mask = None
    if example.foreground is not None and tiles[0] is not None:
        inside = mask_at(example.foreground, tiles[0])
        mask = outlined(np.where(inside[:, :, np.newaxis] > 0, tiles[0], tiles[0] // 4), inside, OUTLINE)
    return Shown(caption, (*tiles, mask), json.dumps(plan.to_dict(), indent=1))


def figures(choice: Choice, supply: Supply, seed: int) -> str:
    """The shares of calls that place a patch and of patches with a label of 1/2 or more, in words."""
    task, scale = in_eight_bits(choice.task())
    images = [supply.read(index, scale) for index in range(min(len(supply.names), SAMPLES))]
    trials = draw_trials(task, images, seed, calls=CALLS)
    placed = f"{placed_share(trials):.0%} of {CALLS} calls placed a patch"
    patches = sum(len(trial.plan.patches) for trial in trials)
    if not patches:
        return placed
    visible = f"{visible_share(task, trials):.0%} of {counted(patches, 'patch', 'patches')}"
    return f"{placed}; {visible} with a label of 1/2 or more"


def calibrated(supply: Supply, seed: int) -> str:
    """Text of a preset file estimated from the images."""
    count = min(len(supply.names), 64)
    picked = np.linspace(0, len(supply.names) - 1, count).astype(int)
    return calibrate([supply.read(int(index), Scale(None)) for index in picked], seed=seed).to_yaml()


def preset_file(choice: Choice) -> str:
    """Text of a preset file with all arguments that presets set for the task, each with its origin.

    Examples
    --------
    >>> lines = preset_file(Choice("nsa", "screw", {"max_patches": 1})).splitlines()
    >>> print([line for line in lines if line.startswith("max_patches")][0])
    max_patches: 1  # chosen by eye
    """
    task = choice.task()
    kind, changed = type(task), choice.changed
    name = Path(choice.preset).stem
    held = [key for key in controls_of(choice.name) if key not in kind.no_preset_columns]
    values = task.given_arguments(held)
    reasons = dict.fromkeys(values, f"preset {name}") | dict.fromkeys(changed.keys() & values.keys(), "chosen by eye")
    notes = [f"For task {choice.name}."]
    if missing := [f"--set '{key}={value}'" for key, value in changed.items() if key in kind.no_preset_columns]:
        notes.append(f"Presets do not set these for task {choice.name}: {' '.join(missing)}")
    return preset_text(values, reasons, notes, "play")
