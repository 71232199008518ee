"""Images per second of `AnomalyModule` and of the task in a loop over the batch.

    python benchmarks/bench_module.py [--device cuda] [--batch N] [--side N] [--rounds N] [--step] [--json FILE]

Both get the same batches, alternately in one process; "ratio" is images per second of the module over those of the loop
on the CPU. Where patches are blended on the device, "plans" is the share of the module's time until plans are drawn,
and "label" that of labels. With --step, "of_step" is the module's share of a training step on its batch: the module,
forward and backward pass and update of the network of examples/train_detector (bfloat16 where the device has
instructions for it).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from timing import StageClock, report

from nsa_augment.integrations.torch import AnomalyModule
from nsa_augment.integrations.torch.device import synthesis, together
from nsa_augment.integrations.torch.tensors import to_array, to_tensor
from nsa_augment.samples import draw_sample

sys.path.append(str(Path(__file__).parents[1]))
from examples.train_detector.network import AnomalyDetector
from examples.train_detector.options import precision_of
from examples.train_detector.training import autocast

CASES = [("nsa", "screw", "bolt"), ("nsa", "tile", "hide"), ("cutpaste", "screw", "bolt"), ("pii", "tile", "hide")]

PLACES = [("processor", "processor"), ("processor", "device"), ("device", "device")]
"""Where plans are drawn, and where patches are blended."""
SHARES = ("plans", "blending", "label")


def waited(function, device):
    """Seconds of a call, including all work it starts on the device."""
    begin = time.perf_counter()
    function()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - begin


def loop(task, arrays, seed):
    for number, image in enumerate(arrays):
        result = task(image, arrays[number - 1] if task.needs_source else None, np.random.default_rng(seed + number))
        assert result.label.shape == image.shape[:2]


def train_seconds(images, labels, rounds):
    """Median time of a training step of the example's network; the first, which allocates, does not count."""
    device, precision = images.device, precision_of(None, images.device)
    network = AnomalyDetector(images.shape[1]).to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    images = images.contiguous(memory_format=torch.channels_last)

    def step():
        with autocast(device, precision):
            scores = network(images)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(scores.float(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return statistics.median([waited(step, device) for _ in range(rounds + 1)][1:])


def bench(case, plans_on, blended_on, arguments, step):
    name, preset, product = case
    device = torch.device(arguments.device)
    images = [to_tensor(draw_sample(product, index, size=arguments.side).image) for index in range(8)]
    batch = torch.stack([images[index % 8] for index in range(arguments.batch)])
    arrays, batch = [to_array(image) for image in batch], batch.to(device)
    module = AnomalyModule(preset, task=name, p=1.0, label="logistic", plans_on=plans_on, blended_on=blended_on)
    clock, spent = StageClock(), []
    for seed in range(arguments.rounds + 1):
        one = waited(partial(loop, module.task, arrays, seed), torch.device("cpu"))
        if seed == 1:
            clock.wrap(together, "apply_plans", "blending")
            clock.wrap(synthesis, "label_changes", "label")
        other = waited(partial(module, batch, generator=torch.Generator().manual_seed(seed)), device)
        spent.append((one, other))
    own, theirs = (statistics.median(pair[place] for pair in spent[1:]) for place in (0, 1))
    total = sum(pair[1] for pair in spent[1:])
    parts = {part: clock.seconds[part] / total for part in ("blending", "label")}
    shares = {"plans": 1 - sum(parts.values()), **parts} if blended_on == "device" else dict.fromkeys(SHARES, "-")
    return {
        "task": name, "preset": preset, "plans_on": plans_on, "blended_on": blended_on,
        "images_s": arguments.batch / theirs, "ratio": own / theirs,
        **shares,
        **({"of_step": theirs / (theirs + step)} if step else {}),
    }  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--step", action="store_true")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    shape = arguments.batch, 3, arguments.side, arguments.side
    batch = torch.rand(shape, device=arguments.device)
    step = train_seconds(batch, batch[:, 0].round(), arguments.rounds) if arguments.step else None
    rows = [bench(case, *places, arguments, step) for case in CASES for places in PLACES]
    report(f"AnomalyModule on {arguments.device}, {arguments.batch} images", rows, arguments.json)


if __name__ == "__main__":
    main()
