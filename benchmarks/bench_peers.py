"""Images per second compared with other packages for synthetic anomalies, each with its default settings; one thread.

    python benchmarks/bench_peers.py [--json FILE]

Peers are measured if installed: defect-synthesis (each of its generators), which draws procedural defects. All get the
same images, the embedded samples at 256 x 256 x 3.
"""

from __future__ import annotations

import argparse

import cv2
from timing import report, seconds

from nsa_augment.samples import draw_sample
from nsa_augment.tasks import TASKS

IMAGES = 200


def makers(images):
    """Functions index -> anomaly, by name."""
    found = {}
    for name, task_class in TASKS.items():
        if "bank" in task_class.argument_names():  # needs images of real defects
            continue
        task = task_class.from_preset("leather")
        found[f"nsa-augment, {name}"] = lambda index, task=task: (
            task(images[index % 4], images[(index + 1) % 4] if task.needs_source else None, index).label
        )
    try:
        import defect_synthesis
    except ImportError:
        return found
    names = [name for name in dir(defect_synthesis) if name.endswith("Generator")]
    generators = [getattr(defect_synthesis, name)() for name in names]
    for name, generator in zip(names, generators, strict=True):
        pipeline = defect_synthesis.DefectPipeline().add(generator, 1.0)
        found[f"defect-synthesis, {name}"] = lambda index, pipeline=pipeline: pipeline.apply(images[index % 4])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    images = [draw_sample("hide", index).image for index in range(4)]
    rates = {}
    for name, make in makers(images).items():
        make(0)
        rates[name] = IMAGES / sum(seconds(make, index) for index in range(IMAGES))
    ours = rates["nsa-augment, nsa"]
    rows = [{"what": name, "images_per_s": rate, "nsa_times_faster": ours / rate} for name, rate in rates.items()]
    report("Synthetic anomalies per second", rows, arguments.json)


if __name__ == "__main__":
    main()
