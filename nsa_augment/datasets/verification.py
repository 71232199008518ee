"""Regenerate the items of a finished dataset and compare."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nsa_augment._shared.checks import check_integer
from nsa_augment.datasets._backends import chunk_size, open_backend
from nsa_augment.datasets._chunks import check_chunk, split
from nsa_augment.datasets._folder import digest
from nsa_augment.datasets._index import index_texts
from nsa_augment.datasets._journal import MANIFEST, Lines
from nsa_augment.datasets._nearness import NEAR
from nsa_augment.datasets.recipe import Recipe, current_versions, load_recipe


@dataclass(frozen=True, order=True)
class Problem:
    """A file (or an item) of a dataset, and what is wrong with it."""

    name: str
    what: str


@dataclass(frozen=True)
class Report:
    """The result of a verification.

    Parameters
    ----------
    checked, total : int
        Items that were regenerated, and all items of the dataset.
    problems : tuple of Problem
        What is wrong; empty if all files are as generated, or near it.
    versions : tuple of str
        In words, packages with other versions than those that made the dataset: a reason for small differences.
    near : tuple of Problem
        Images that differ from what their plans make by rounding: by at most a grey level per patch, only inside
        patches, and with the labels that belong to them. Made by another version, or by another machine before the
        bytes were the same on all of them. Part of `problems` instead with `exact`.
    """

    checked: int
    total: int
    problems: tuple[Problem, ...]
    versions: tuple[str, ...]
    near: tuple[Problem, ...] = ()


def verify(
    out: str | os.PathLike[str],
    *,
    sample: int | None = None,
    seed: int = 0,
    exact: bool = False,
    folder: str | os.PathLike[str] | None = None,
    object_masks: str | os.PathLike[str] | None = None,
    allowed_masks: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> Report:
    """Regenerate items from their plans and the normal images, and compare them with the files byte by byte.

    Parameters
    ----------
    out : path-like
        A finished dataset.
    sample : int, optional
        Number of items to check; None: all.
    seed : int
        Seed for the choice of the sample.
    exact : bool
        Whether images that differ by rounding are problems, too.
    folder, object_masks, allowed_masks : path-like, optional
        Where the normal images and their masks are now; None: where they were.
    workers : int, optional
        As for `generate`.
    on_progress : callable, optional
        Called with the numbers of items checked and to check.

    Raises
    ------
    TypeError, ValueError, OSError
        If `out` is no finished dataset, or an argument is wrong.

    Examples
    --------
    >>> import tempfile
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> from nsa_augment.datasets import generate
    >>> from nsa_augment._shared.images import encode_png
    >>> from nsa_augment.samples import draw_sample
    >>> folder = Path(tempfile.mkdtemp())
    >>> for index in range(3):
    ...     _ = (folder / f"{index}.png").write_bytes(encode_png(draw_sample("hide", index, size=64).image))
    >>> _ = generate(folder, folder / "dataset", NaturalSyntheticAnomaly(), count=4, workers=0)
    >>> verify(folder / "dataset", workers=0).problems
    ()
    >>> (folder / "dataset" / "masks" / "002.png").unlink()
    >>> verify(folder / "dataset", workers=0).problems
    (Problem(name='masks/002.png', what='missing'),)
    """
    out = Path(out)
    recipe = load_recipe(out)
    if not (out / MANIFEST).exists():
        raise ValueError(f"{out} must be finished before it is verified: run nsa-augment generate again")
    indices = np.arange(recipe.total)
    if sample is not None:
        size = min(check_integer("sample", sample, 1), recipe.total)
        rng = np.random.default_rng(check_integer("seed", seed, 0))
        indices = np.sort(rng.choice(recipe.total, size, replace=False))
    backend = open_backend(workers)
    given = {"folder": folder, "object_masks": object_masks, "allowed_masks": allowed_masks}
    places = {name: os.path.abspath(place) for name, place in given.items() if place is not None}
    recipe.moved(**places)
    problems: list[Problem] = []
    done = 0
    with Lines(out / MANIFEST, recipe.total) as lines:
        work = split(out, map(int, indices), lines.get, chunk_size(len(indices), backend), places)
        with closing(backend.run(check_chunk, work)) as results:
            for chunk in results:
                problems += [Problem(*problem) for item in chunk for problem in item]
                done += len(chunk)
                if on_progress is not None:
                    on_progress(done, len(indices))
        near = () if exact else tuple(sorted(problem for problem in problems if problem.what == NEAR))
        problems = [problem for problem in problems if problem not in near]
        if not any(lines.get(index) is None for index in range(recipe.total)):
            problems += _check_index(out, recipe, lines)
    changed = [
        f"{name} {recipe.versions.get(name)} made the dataset, {version} is here"
        for name, version in current_versions().items()
        if recipe.versions.get(name) != version
    ]
    return Report(len(indices), recipe.total, tuple(sorted(problems)), tuple(changed), near)


def _check_index(out: Path, recipe: Recipe, lines: Lines) -> Iterable[Problem]:
    for name, texts in index_texts(recipe, lines):
        path, wanted = out / name, hashlib.sha256()
        if not path.exists():
            yield Problem(name, "missing")
            continue
        try:
            for text in texts:
                wanted.update(text.encode())
        except ValueError as error:
            yield Problem(name, str(error))
            continue
        if wanted.hexdigest() != digest(path.read_bytes()):
            yield Problem(name, "differs from the manifest")
