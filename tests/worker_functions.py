"""What workers are given to do in tests, and a loop that kills them; imports little, as every worker imports it."""

import errno
import multiprocessing
import os
import random
import signal
import threading
import time

from nsa_augment.datasets._chunks import Chunk
from nsa_augment.datasets._processes import Processes


def die(chunk):
    os.kill(os.getpid(), signal.SIGKILL)


def refuse(chunk):
    raise OSError(errno.ENOSPC, "nothing free", "images/000.png")


class OddError(Exception):
    """Can be pickled but not be made again."""

    def __init__(self, first, second):
        super().__init__(first)


def refuse_oddly(chunk):
    raise OddError("odd", 1)


def large(chunk):
    """Takes long to send both ways, as its chunk and its result are larger than a pipe."""
    time.sleep(0.002)
    return chunk.items


def chunks(count, size):
    return (Chunk("", "", "", ((index, "x" * size),)) for index in range(count))


def kill_while_sending(seed, kills, count=60):
    """Every chunk is done once although workers are killed while chunks and results are on their way."""
    rng = random.Random(seed)
    moments = set(rng.sample(range(count // 2), kills))
    done = []
    for items in Processes(2).run(large, chunks(count, 200_000)):
        done.append(items[0][0])
        if len(done) in moments:
            victim = rng.choice(multiprocessing.active_children())
            threading.Timer(rng.uniform(0, 0.01), victim.kill).start()
    assert sorted(done) == list(range(count))
