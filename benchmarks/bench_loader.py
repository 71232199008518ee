"""Images per second through a PyTorch DataLoader, memory, and the first call; one OpenCV thread.

    python benchmarks/bench_loader.py [--json FILE] [--images N] [--calls N]

Needs Linux and the extras albumentations and torch. The sources are the embedded bolt, written to a temporary folder.
"peak" is the peak resident memory of one call on 1024 x 1024 x 3 above that of the bare `seamlessClone` calls of the
same plan, in multiples of the image; "first call" is in a fresh process with compiled code on disk, including imports.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import psutil
import torch
from bench_synthesis import draw_product
from timing import report

from nsa_augment import NSA
from nsa_augment.samples import draw_sample

FIRST_CALL = """
import numpy as np
from nsa_augment import NaturalSyntheticAnomaly
images = np.random.default_rng(0).integers(0, 256, (2, 256, 256, 3), dtype=np.uint8)
NaturalSyntheticAnomaly.from_preset("screw")(*images, 0)
"""

PEAK = """
import re, sys, cv2, numpy as np
sys.path.insert(0, sys.argv[3])
from bench_synthesis import bare_inputs, bare_seconds
from nsa_augment import NaturalSyntheticAnomaly
cv2.setNumThreads(1)
task = NaturalSyntheticAnomaly.from_preset("bottle")
image, source = np.load(sys.argv[2])
small = [cv2.resize(pixels, (128, 128)) for pixels in (image, source)]
plan = task.plan(image, source, 1)
bare_seconds(bare_inputs(*small, task(*small, 1).plan))
calls = bare_inputs(image, source, plan)
def status(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
before = status("VmHWM")
if sys.argv[1] == "bare":
    bare_seconds(calls)
else:
    result = task(image, source, 1)
print(status("VmHWM") - before)
"""


class Repeated(torch.utils.data.Dataset):
    def __init__(self, image, transform, count):
        self.image, self.transform, self.count = image, transform, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        out = self.transform(image=self.image)
        return out["image"], out["mask"]


def rate(image, transform, count, workers):
    loader = torch.utils.data.DataLoader(Repeated(image, transform, count), batch_size=16, num_workers=workers)
    begin = time.perf_counter()
    for _ in loader:
        pass
    return count / (time.perf_counter() - begin)


def run(program, *arguments):
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True)
    return time.perf_counter() - begin, done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--calls", type=int, default=10000)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        for index in range(16):
            image = draw_sample("bolt", index).image
            cv2.imwrite(str(Path(folder) / f"{index:03}.png"), image[:, :, ::-1])
        transform = A.Compose([NSA("screw", folder, p=1.0), A.ToTensorV2()], seed=1)
        rows = measure(image, transform, arguments)
    report("NSA, preset screw, 256 x 256 x 3", rows, arguments.json)


def measure(image, transform, arguments):
    rows = []
    for _ in range(200):
        transform(image=image)
    begin = time.perf_counter()
    for _ in range(arguments.images):
        transform(image=image)
    alone = arguments.images / (time.perf_counter() - begin)
    rows.append({"what": "transform alone, images/s", "value": alone})
    for workers in (0, 2):
        value = rate(image, transform, arguments.images, workers)
        rows.append({"what": f"DataLoader, {workers} workers, images/s", "value": value})
        rows.append({"what": f"DataLoader, {workers} workers / transform alone", "value": value / alone})
    process = psutil.Process()
    before = process.memory_info().rss
    for _ in range(arguments.calls):
        transform(image=image)
    growth = (process.memory_info().rss - before) / 2**20
    rows.append({"what": f"growth of resident memory over {arguments.calls} calls, MiB", "value": growth})
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.npy"
        np.save(pair, [draw_product("bottle", index, 1024) for index in range(2)])
        here = str(Path(__file__).parent)
        peaks = {kind: int(run(PEAK, kind, str(pair), here)[1]) for kind in ("bare", "call")}
    assert min(peaks.values()) > 0, "an earlier peak hides those of the calls"
    excess = (peaks["call"] - peaks["bare"]) / (1024 * 1024 * 3)
    rows.append({"what": "peak above the bare calls, 1024 x 1024 x 3, images", "value": excess})
    run(FIRST_CALL)
    rows.append({"what": "first call in a fresh process, s", "value": min(run(FIRST_CALL)[0] for _ in range(5))})
    return rows


if __name__ == "__main__":
    main()
