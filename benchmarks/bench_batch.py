"""Speed-up of `task.batch` by threads, and its cost compared with a loop of single calls.

    python benchmarks/bench_batch.py [--json FILE] [--sizes 256 512] [--images N] [--rounds N] [--threads N]

The loop, the batch in one thread and the batch in several threads take turns; every figure is a ratio of their fastest
rounds, which other work on the machine has disturbed least. "ceiling" is the speed-up of the bare `seamlessClone` calls
of the same plans: the machine's limit for threads that never wait for one another. "processes" is the speed-up of as
many processes, each with a loop of its own. Columns "cpu" compare the processor time of all rounds: the overhead of
calls and threads, even on a busy machine. The load of the last minute is printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
from bench_synthesis import bare_inputs, bare_seconds, draw_product
from timing import report, seconds

from nsa_augment import NaturalSyntheticAnomaly

CASES = [("bottle", "bottle"), ("screw", "bolt"), ("tile", "hide")]


def loop(task, images, sources, seed):
    generators = np.random.default_rng(seed).spawn(len(images))
    return [task(*each) for each in zip(images, sources, generators, strict=True)]


def loops_per_second(task, images, sources, rounds):
    loop(task, images, sources, 0)
    BARRIER.wait()
    return rounds / seconds(lambda: [loop(task, images, sources, seed) for seed in range(rounds)])


def prepare_process(barrier):
    global BARRIER
    BARRIER = barrier
    cv2.setNumThreads(1)


def processes_per_second(count, *arguments):
    """Loops per second of some processes that start together."""
    context = get_context("spawn")
    shared = {"mp_context": context, "initializer": prepare_process, "initargs": (context.Barrier(count),)}
    with ProcessPoolExecutor(count, **shared) as pool:
        jobs = [pool.submit(loops_per_second, *arguments) for _ in range(count)]
        return sum(job.result() for job in jobs)


def bench(preset, product, size, count, rounds, threads):
    images = [draw_product(product, index, size) for index in range(count)]
    sources = [*images[1:], images[0]]
    task = NaturalSyntheticAnomaly.from_preset(preset, label="logistic")
    plans = [result.plan for result in loop(task, images, sources, 0)]
    bare = [bare_inputs(*each) for each in zip(images, sources, plans, strict=True)]

    def clone(workers):
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(bare_seconds, bare))

    contestants = {
        "loop": lambda seed: loop(task, images, sources, seed),
        "one": lambda seed: task.batch(images, sources, seed, threads=1),
        "several": lambda seed: task.batch(images, sources, seed, threads=threads),
        "clone_one": lambda seed: clone(1),
        "clone_several": lambda seed: clone(threads),
    }
    times, work = {name: [] for name in contestants}, dict.fromkeys(contestants, 0.0)
    for run in contestants.values():
        run(0)
    for seed in range(rounds):
        for turn in range(len(contestants)):
            name = [*contestants][(seed + turn) % len(contestants)]
            before = time.process_time()
            times[name].append(seconds(contestants[name], seed))
            work[name] += time.process_time() - before

    loops = task, images, sources, 4 * rounds
    processes = [processes_per_second(threads, *loops) / processes_per_second(1, *loops) for _ in range(3)]

    def ratio(above, below):
        return min(times[above]) / min(times[below])

    return {
        "preset": preset,
        "product": product,
        "side": size,
        "threads": threads,
        "cpu_of_batch_/_loop": work["one"] / work["loop"],
        "cpu_of_threads_/_one": work["several"] / work["one"],
        "speed_up": ratio("one", "several"),
        "ceiling": ratio("clone_one", "clone_several"),
        "processes": statistics.median(processes),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    rows = [
        bench(*case, size, arguments.images, arguments.rounds, arguments.threads)
        for size in arguments.sizes
        for case in CASES
    ]
    report("task.batch", rows, arguments.json)
    if hasattr(os, "getloadavg"):
        print(f"load of the last minute: {os.getloadavg()[0]:.1f}, on {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
