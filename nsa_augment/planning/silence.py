"""The warning of a task that places no patch in many calls in a row, with the likeliest reason."""

from __future__ import annotations

import itertools
import os
import threading
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from nsa_augment._shared.notices import postponable, warn_caller
from nsa_augment._shared.wording import counted
from nsa_augment.planning.arguments import PlanArguments
from nsa_augment.planning.given_up import Reason
from nsa_augment.planning.plan import SynthesisPlan

PATIENCE = 20
"""Calls in a row without a patch after which a task warns."""

_REMEDIES = {
    Reason.EMPTY: ("raise", "full", "larger"),
    Reason.NO_SOURCE_OBJECT: ("check",),
    Reason.NO_SOURCE_PLACE: ("object", "lower", "check"),
    Reason.TOO_SMALL: ("raise", "full", "larger"),
    Reason.TOO_LARGE: ("lower", "larger"),
    Reason.NO_OBJECT_LEFT: ("object", "lower", "check"),
    Reason.NO_IMAGE_OBJECT: ("check",),
    Reason.NOT_ALLOWED: ("lower", "allowed"),
    Reason.TOO_FAINT: ("change",),
    Reason.NO_DESTINATION: ("overlap", "lower", "check"),
    Reason.NO_OUTLINE: ("threshold", "larger"),
    Reason.LEFT_NORMAL: ("normal",),
}


class _Streak(threading.local):
    """Plans without a patch that a task drew in a row, in the current thread and process."""

    def __init__(self) -> None:
        self.end()

    def end(self) -> None:
        self.process = os.getpid()
        self.plans: list[SynthesisPlan] = []

    def add(self, plan: SynthesisPlan) -> None:
        if self.process != os.getpid():
            self.end()
        self.plans.append(plan)


class _Watch:
    """The streaks of a task, and the number of them that were too long."""

    def __init__(self, task: PlanArguments) -> None:
        self.streak = _Streak()
        self.too_long = itertools.count()
        self._task = weakref.ref(task, partial(_forget, id(task)))


class _Hush(threading.local):
    depth = 0


_WATCHES: dict[int, _Watch] = {}
"""By the id of a task: tasks with equal arguments compare equal, but may get different images."""
_HUSH = _Hush()


def _forget(key: int, _: object) -> None:
    _WATCHES.pop(key, None)


@contextmanager
def silence_expected() -> Iterator[None]:
    """Suppress these warnings in this thread inside the block, whose caller reports how much was placed.

    Examples
    --------
    >>> with silence_expected():
    ...     pass
    """
    _HUSH.depth += 1
    try:
        yield
    finally:
        _HUSH.depth -= 1


@postponable
def listen(task: PlanArguments, plan: SynthesisPlan) -> None:
    """Record a plan that a task has drawn; warn if it ends a long series of empty ones.

    Every thread and process counts its own calls; a task warns once.
    """
    watch = _WATCHES.get(id(task))
    if plan.patches:
        if watch is not None:
            watch.streak.end()
        return
    if plan.left_normal:
        return
    if _HUSH.depth:
        return
    if watch is None:
        watch = _WATCHES.setdefault(id(task), _Watch(task))
    watch.streak.add(plan)
    plans = watch.streak.plans
    if len(plans) < PATIENCE:
        return
    watch.streak.end()
    if next(watch.too_long) == 0:
        warn_caller(
            f"{type(task).__name__} has placed no patch in {PATIENCE} calls in a row, so the images came back "
            f"unchanged. {likeliest_reason(task, plans)}"
        )


def likeliest_reason(task: PlanArguments, plans: Sequence[SynthesisPlan]) -> str:
    """The reason why most patches were given up, and remedies.

    Parameters
    ----------
    task : PlanArguments
        The task that drew the plans.
    plans : sequence of SynthesisPlan

    Examples
    --------
    >>> from nsa_augment.planning.given_up import GivenUp
    >>> plan = SynthesisPlan((64, 64), (64, 64), given_up=(GivenUp(Reason.NO_IMAGE_OBJECT, (20, 12)),))
    >>> print(likeliest_reason(PlanArguments(background=(200, 60)), [plan]))
    Likeliest reason, for 1 of 1 patch: no object is found in the image. What helps: check the object masks that are
    given or made by background=((200.0, 60.0),) (nsa-augment preview outlines the object).
    """
    given_up = [(patch, plan.image_shape) for plan in plans for patch in plan.given_up]
    if not given_up:
        return "Its plans hold no reason."
    reason, count = Counter(patch.reason for patch, _ in given_up).most_common(1)[0]
    alike = [(patch, shape) for patch, shape in given_up if patch.reason is reason]
    sentences = [f"Likeliest reason, for {count} of {counted(len(given_up), 'patch', 'patches')}: {reason.value}."]
    remedies = _REMEDIES[reason]
    if remedies != ("check",):
        extreme, pick = ("largest", max) if "raise" in remedies else ("smallest", min)
        patch, (height, width) = pick(alike, key=lambda entry: entry[0].area)
        of_size = f"{patch.size[0]} x {patch.size[1]} pixels, in an image of {height} x {width}"
        sentences += [patch.needs, f"The {extreme} patch had {of_size}."]
    return " ".join([*filter(None, sentences), f"What helps: {_remedies(task, remedies)}."])


def _remedies(task: PlanArguments, names: Sequence[str]) -> str:
    sizes = " and ".join(f"{name}={getattr(task, name)}" for name in task.ranges_in_use)
    words = {
        "raise": sizes and f"raise {sizes}",
        "lower": sizes and f"lower {sizes}",
        "full": "set resize_limits='full' (now half of the ranges limit resized patches)" * task.limits_are_halved,
        "larger": "use larger images",
        "object": f"lower min_object={task.min_object}",
        "overlap": f"lower min_overlap={task.min_overlap}",
        "change": f"lower min_change={task.min_change}",
        "allowed": "check the allowed region",
        "threshold": f"lower noise_threshold={task.noise_threshold}",
        "normal": f"lower normal_share={getattr(task, 'normal_share', 0)}",
        "check": f"check the object masks that are given or made by background={task.background!r:.80} (nsa-augment "
        "preview outlines the object)",
    }
    *most, last = (words[name] for name in names if words[name])
    return f"{', '.join(most)}, or {last}" if most else last
