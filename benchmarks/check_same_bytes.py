"""Make the same small datasets as if on other processors, and compare them file by file.

    python benchmarks/check_same_bytes.py [--json FILE] [--quick] [--keep DIR] [--python FILE ...]
        [--only NAME ...]

Every environment is a separate process, set to use the instructions of another processor in OpenBLAS, NumPy, OpenCV and
Numba, or to run without SciPy, or without Intel's IPP in OpenCV. --python adds interpreters with other versions of the
packages. Images, masks, labels and plans are compared with those of the first environment, the unmodified machine. The
exit code is 1 if any differ. --quick makes fewer datasets: with all old instructions at once, and by the given
interpreters.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
KINDS = {
    "64_8_rgb": (64, "uint8", 3),
    "64_16_grey": (64, "uint16", 1),
    "64_float_rgb": (64, "float32", 3),
    "256_8_rgb": (256, "uint8", 3),
    "256_8_grey": (256, "uint8", 1),
    "256_16_rgb": (256, "uint16", 3),
    "256_float_grey": (256, "float32", 1),
    "700_8_rgb": (700, "uint8", 3),
    "700_16_grey": (700, "uint16", 1),
}
IMAGES = 6
QUICK = ("64_8_rgb", "256_16_rgb")


def hashed(count, seed):
    bits = np.arange(count, dtype=np.uint64) + np.uint64(seed << 32)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return (bits ^ (bits >> np.uint64(31))) >> np.uint64(40)


def smoothed(values, reach):
    """Sums over boxes, in whole numbers."""
    for axis in (0, 1):
        padded = np.concatenate([np.take(values, range(-2 * reach - 1, 0), axis), values], axis)
        sums = np.cumsum(padded, axis)
        ahead = np.take(sums, range(2 * reach + 1, sums.shape[axis]), axis)
        values = ahead - np.take(sums, range(sums.shape[axis] - 2 * reach - 1), axis)
    return values


def draw(size, dtype, channels, seed):
    """A dark disc with a texture on bright ground, in whole numbers."""
    coarse = smoothed(hashed(size * size * channels, seed).astype(np.int64).reshape(size, size, channels), size // 16)
    fine = smoothed(hashed(size * size * channels, seed + 99).astype(np.int64).reshape(size, size, channels), 1)
    coarse, fine = (1000 * (part - part.min()) // (part.max() - part.min()) for part in (coarse, fine))
    y, x = np.mgrid[:size, :size] * 100 // size - 50
    disc = (y * y + x * x < 42 * 42)[:, :, None]
    thousandths = np.where(disc, 100 + (4 * coarse + fine) * 550 // 5000, 850 + (coarse + fine) // 20)
    if dtype == "float32":
        return (thousandths / 1000).astype(np.float32)
    return (thousandths * (255 if dtype == "uint8" else 65535) // 1000).astype(dtype)


def write_inputs(place, kinds):
    for name in kinds:
        size, dtype, channels = KINDS[name]
        folder = place / name
        folder.mkdir(parents=True)
        for index in range(IMAGES):
            shape = size + 7 if index == 5 else size  # a source that must be resized
            suffix = "tiff" if dtype == "float32" else "png"
            cv2.imwrite(str(folder / f"{index}.{suffix}"), draw(shape, dtype, channels, index + 1))
    bank = place / "bank"
    for part in ("images", "masks"):
        (bank / part).mkdir(parents=True)
    image = draw(128, "uint8", 3, 50)
    mask = np.zeros((128, 128), np.uint8)
    mask[50:75, 40:70] = mask[20:24, 60:90] = 255
    image[mask > 0] //= 3
    cv2.imwrite(str(bank / "images" / "0.png"), image)
    cv2.imwrite(str(bank / "masks" / "0.png"), mask)


def tasks(place):
    from nsa_augment.tasks import TASKS

    nsa, texture = TASKS["nsa"], TASKS["texture"]
    objects = {"background": (230, 30), "min_object": 0.3, "min_overlap": 0.3, "max_patches": 3}
    found = {
        "nsa_tile": nsa.from_preset("tile", label="logistic"),
        "nsa_leather": nsa.from_preset("leather", label="continuous"),
        "nsa_objects": nsa(gradient="source", label="logistic", **objects),
        "nsa_candidates": nsa(blending="silhouette", candidates=4, label="logistic", **objects),
        "nsa_native": nsa(source_fit="native", min_change=1.0, label="logistic"),
        "cutpaste": TASKS["cutpaste"].from_preset("tile", jitter=0.3),
        "scar": TASKS["cutpaste"](selection="cutpaste_scar", jitter=0.1),
        "fpi": TASKS["fpi"].from_preset("tile"),
        "pii": TASKS["pii"].from_preset("tile"),
        "cutout_mean": TASKS["cutout"](label="logistic"),
        "cutout_noise": TASKS["cutout"](fill="noise", label="continuous"),
        "draem": texture.from_preset("draem") if "draem" in getattr(texture, "presets", ()) else texture(),
        "glass": texture(opacity_normal=(0.5, 0.1), noise_combinations=("single", "union", "intersection")),
        "bank": TASKS["bank"](bank=str(place / "bank"), label="logistic"),
        "bank_poisson": TASKS["bank"](bank=str(place / "bank"), blending="poisson"),
    }
    for shape in ("ellipses", "noise", "polygon", "stroke"):
        found[f"nsa_{shape}"] = nsa(shape=shape, label="logistic")
    return found


def make(place, out, kinds):
    """The work of a child process: every task's dataset of every kind of images."""
    if os.environ.get("WITHOUT_SCIPY"):
        sys.modules["scipy"] = None
    import warnings

    from nsa_augment.datasets import generate

    warnings.simplefilter("ignore")
    cv2.setNumThreads(1)
    for kind in kinds:
        for name, task in tasks(place).items():
            if name.startswith("bank") and "grey" in kind:
                continue
            count = 4 if kind.startswith("700") else 8
            try:
                generate(place / kind, out / kind / name, task, count=count, seed=3, workers=0)
            except ValueError as error:
                (out / kind).mkdir(parents=True, exist_ok=True)
                (out / kind / f"{name}.txt").write_text(str(error).replace(str(out), "OUT"))


def numpy_features(python):
    code = "import numpy,json;print(json.dumps(numpy.show_config(mode='dicts')['SIMD Extensions'].get('found',[])))"
    return json.loads(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout)


def environments(pythons):
    features = numpy_features(sys.executable)
    wide = [name for name in features if "512" in name or name == "X86_V4"]
    found = {"this machine": {}}
    for core in ("Haswell", "SkylakeX", "Zen", "Sandybridge", "Prescott"):
        found[f"OpenBLAS {core}"] = {"OPENBLAS_CORETYPE": core}
    if wide:
        found["NumPy without AVX512"] = {"NPY_DISABLE_CPU_FEATURES": " ".join(wide)}
    found["NumPy baseline"] = {"NPY_DISABLE_CPU_FEATURES": " ".join(features)}
    found["OpenCV without AVX512"] = {"OPENCV_CPU_DISABLE": "AVX512_SKX,AVX512_ICL"}
    found["OpenCV without AVX2"] = {
        "OPENCV_CPU_DISABLE": "AVX2,FMA3,FP16,AVX,AVX512_SKX,AVX512_ICL",
        "OPENCV_IPP": "disabled",
    }
    found["OpenCV baseline"] = {
        "OPENCV_CPU_DISABLE": "SSE4_1,SSE4_2,SSSE3,POPCNT,AVX2,FMA3,FP16,AVX,AVX512_SKX,AVX512_ICL",
        "OPENCV_IPP": "sse42",
    }
    found["Numba haswell"] = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
    found["Numba generic"] = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
    found["without SciPy"] = {"WITHOUT_SCIPY": "1"}
    found["all of them oldest"] = {
        **found["OpenBLAS Prescott"],
        **found["NumPy baseline"],
        **found["OpenCV baseline"],
        **found["Numba generic"],
        "WITHOUT_SCIPY": "1",
    }
    return [(name, sys.executable, variables) for name, variables in found.items()] + [
        (f"Python {python}", python, {}) for python in pythons
    ]


def records(dataset):
    if not (dataset / "manifest.jsonl").exists():
        return None
    return [json.loads(line) for line in (dataset / "manifest.jsonl").read_text().splitlines()]


def levels_apart(first, other, path):
    pixels = [cv2.imread(str(folder / path), cv2.IMREAD_UNCHANGED) for folder in (first, other)]
    if pixels[1] is None or pixels[0].shape != pixels[1].shape:
        return float("inf")
    apart = np.abs(pixels[0].astype(float) - pixels[1])
    return float(apart.max() * (255 / 65535 if pixels[0].dtype == np.uint16 else 1))


def compare(first, other):
    """Numbers of items, and of those with another image, mask, label or plan; the largest difference; and where."""
    row = {"items": 0, "images": 0, "levels": 0.0, "masks": 0, "labels": 0, "label_levels": 0.0, "plans": 0}
    where = set()
    for dataset in sorted(first.glob("*/*")):
        twin = other / dataset.relative_to(first)
        one, two = records(dataset), records(twin)
        if one is None or two is None or len(one) != len(two):
            same = one == two and dataset.is_file() and twin.exists() and dataset.read_text() == twin.read_text()
            if not same:
                where.add(f"{dataset.relative_to(first)} (one failed)")
            continue
        for record, twin_record in zip(one, two, strict=True):
            row["items"] += 1
            names = set()
            if {**record, "files": 0, "versions": 0} != {**twin_record, "files": 0, "versions": 0}:
                row["plans"] += 1
                names.add("plan")
            for role, described in record["files"].items():
                if described["sha256"] == twin_record["files"].get(role, {}).get("sha256"):
                    continue
                row[f"{role}s"] += 1
                names.add(role)
                apart = levels_apart(dataset, twin, described["path"])
                if role == "image":
                    row["levels"] = max(row["levels"], apart)
                elif role == "label":
                    row["label_levels"] = max(row["label_levels"], apart)
            where |= {f"{dataset.relative_to(first)}: {name}" for name in names}
    return row, sorted(where)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--python", nargs="+", default=[])
    parser.add_argument("--only", nargs="+", help="environments, beside the first")
    parser.add_argument("--make", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make:
        place, out, *kinds = arguments.make
        make(Path(place), Path(out), kinds)
        return
    kinds = QUICK if arguments.quick else list(KINDS)
    chosen = environments(arguments.python)
    if arguments.quick or arguments.only:
        kept = arguments.only or ["all of them oldest", *(f"Python {python}" for python in arguments.python)]
        chosen = [chosen[0], *(each for each in chosen if each[0] in kept)]
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary)
        write_inputs(work / "inputs", kinds)
        for name, python, variables in chosen:
            begin = time.perf_counter()
            out = work / name.replace("/", "_")
            command = [python, __file__, "--make", str(work / "inputs"), str(out), *kinds]
            cache = {"NUMBA_CACHE_DIR": str(work / "numba")} if "NUMBA_CACHE_DIR" not in os.environ else {}
            paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
            done = subprocess.run(
                command, env={**os.environ, "PYTHONPATH": paths, **cache, **variables}, capture_output=True, text=True
            )
            if done.returncode:
                print(f"{name}: {done.stderr[-2000:]}")
                rows.append({"environment": name, "failed": True})
                continue
            row, where = compare(work / chosen[0][0], out)
            rows.append({"environment": name, **row, "where": where})
            print(name, {key: value for key, value in row.items()}, f"{time.perf_counter() - begin:.0f} s", flush=True)
            for place in where[: 400 if arguments.json else 12]:
                print("   ", place)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(rows, indent=1))
    differing = any(row.get("failed") or row["where"] for row in rows)
    raise SystemExit(1 if differing else 0)


if __name__ == "__main__":
    main()
