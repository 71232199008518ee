"""Make or finish a dataset: hand out chunks, record their items, and write the other files from the records."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nsa_augment._shared.images import SUBFOLDERS
from nsa_augment._shared.notices import command_line
from nsa_augment._shared.soundness import file_sliver_note, notice_sliver
from nsa_augment._shared.wording import counted
from nsa_augment.datasets._backends import Backend, chunk_size, open_backend
from nsa_augment.datasets._chunks import make_chunk, split
from nsa_augment.datasets._contact import CONTACT, contact_sheet
from nsa_augment.datasets._index import index_texts
from nsa_augment.datasets._items import ATTEMPTS, ItemMaker
from nsa_augment.datasets._journal import MANIFEST, Journal
from nsa_augment.datasets._masks import mask_digests, mask_folders
from nsa_augment.datasets._workspace import check_ours, clear, opened, write
from nsa_augment.datasets.options import Options
from nsa_augment.datasets.recipe import RECIPE, Recipe, load_recipe
from nsa_augment.planning.silence import likeliest_reason
from nsa_augment.tasks import AnomalyTask

HOPELESS = 20
"""First items that, if none of them gets a patch, show that the task does not fit the images."""


@dataclass(frozen=True)
class Progress:
    """Progress of a dataset.

    Parameters
    ----------
    done, total : int
        Lines of the manifest: anomalies, and the normal images that the layout adds.
    anomalies : int
        Of these, images with an anomaly.
    unchanged : int
        Of these, images for which no patch could be placed.
    kept : int
        Of these, items that were finished when the run began.
    """

    done: int
    total: int
    anomalies: int = 0
    unchanged: int = 0
    kept: int = 0


def generate(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    task: AnomalyTask | Sequence[AnomalyTask],
    *,
    count: int,
    seed: int = 0,
    layout: str = "masks",
    options: Options | None = None,
    workers: int | None = None,
    backend: str = "processes",
    scheduler: str | None = None,
    origin: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    recursive: bool = False,
    skip_damaged: bool = False,
    object_masks: str | os.PathLike[str] | None = None,
    allowed_masks: str | os.PathLike[str] | None = None,
) -> Progress:
    """Write a labelled dataset of anomalies, or finish one that was interrupted.

    The bytes depend only on the images, their masks, the task, `count`, `seed`, `layout`, `options` and the versions
    of the packages.

    Parameters
    ----------
    folder : path-like
        Folder of normal images.
    out : path-like
        Folder of the dataset: new, empty, or from an earlier call with the same arguments.
    task : AnomalyTask or sequence of them
        Makes the anomalies. Its class must be registered under its own `name`, and its arguments must be plain JSON.
        Several take turns, and each is a class of the dataset.
    count : int
        Number of images with anomalies; a larger number than before extends the dataset.
    seed : int
        The same seed makes the same dataset.
    layout : str
        One of `LAYOUTS`.
    options : Options, optional
        Parts for training and validation, normal images as background, tiles or crops of large images.
    workers : int, optional
        Number of processes; 0: none but this one; None: one per processor. A script that uses workers needs
        ``if __name__ == "__main__":`` around its code.
    backend : "processes" or "dask"
    scheduler : str, optional
        Address of a running Dask scheduler, whose workers share the file system, for backend "dask".
    origin : mapping, optional
        Where the task's arguments come from, for human readers; plain JSON.
    on_progress : callable, optional
        Called as items are finished.
    recursive : bool
        Whether to read the subfolders of `folder`, too.
    skip_damaged : bool
        Whether to skip image files that cannot be decoded; `Recipe.damaged` names them. Otherwise they are an error
        before anything is written.
    object_masks, allowed_masks : folder or "alpha", optional
        Masks of the object in each image and source, instead of the background model, and of where patches may land:
        a folder with masks of the same names as the images, or the alpha channel of the images.

    Returns
    -------
    Progress
        Counts of the finished dataset.

    Raises
    ------
    TypeError, ValueError, OSError
        The message names the argument or the file. Once the cause is gone, the same call continues.

    Examples
    --------
    >>> import tempfile
    >>> from nsa_augment import NaturalSyntheticAnomaly
    >>> from nsa_augment._shared.images import encode_png
    >>> from nsa_augment.samples import draw_sample
    >>> folder = Path(tempfile.mkdtemp())
    >>> for index in range(3):
    ...     _ = (folder / f"{index}.png").write_bytes(encode_png(draw_sample("hide", index, size=64).image))
    >>> task = NaturalSyntheticAnomaly.from_preset("leather", label="binary")
    >>> generate(folder, folder / "dataset", task, count=2, workers=0).anomalies
    2
    >>> sorted(path.name for path in (folder / "dataset").iterdir())
    ['contact.png', 'images', 'labels', 'manifest.jsonl', 'masks', 'recipe.json']
    """
    folder, out = Path(folder), Path(out)
    if folder.name == SUBFOLDERS:
        folder, recursive = folder.parent, True
    if recursive and folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise ValueError(f"out must lie outside folder, whose subfolders are read, got {out} in {folder}")
    known = _known(out)
    masks = {"object_masks": object_masks, "allowed_masks": allowed_masks}
    recipe = Recipe.create(
        folder,
        task,
        count,
        seed,
        layout,
        origin,
        options,
        recursive=recursive,
        skip_damaged=skip_damaged,
        known=known,
        masks={name: where for name, where in masks.items() if where is not None},
    )
    notice_sliver([folder / name for name in recipe.images], recipe.make_task().scale)
    place = open_backend(workers, backend, scheduler)
    check_ours(out)
    _continued(out, recipe)
    with opened(out):
        recipe, same = _continued(out, recipe)
        for name in recipe.folders():
            (out / name).mkdir(parents=True, exist_ok=True)
        with closing(Journal(out, recipe.total)) as journal:
            if not same:
                write(out, RECIPE, (recipe.to_json().encode(),))
                (out / MANIFEST).unlink(missing_ok=True)  # it lists fewer items; the journal has its lines
            progress, placed = _make(out, recipe, journal, place, on_progress or (lambda progress: None))
            write(out, MANIFEST, _encoded(journal.in_order()))
            for name, texts in index_texts(recipe, journal):
                (out / name).parent.mkdir(exist_ok=True)
                write(out, name, _encoded(texts))
            write(out, CONTACT, (contact_sheet(out, recipe, journal, placed),))
        clear(out)
    return progress


def _known(out: Path) -> Collection[str]:
    """SHA-256 of the images and masks with which a dataset was begun: those were decoded then."""
    try:
        before = load_recipe(out)
    except ValueError:
        return ()
    return {*before.images.values(), *mask_digests(before.masks)}


def _continued(out: Path, recipe: Recipe) -> tuple[Recipe, bool]:
    """The recipe in the edition of the existing dataset, and whether it equals the one there.

    It may have a larger `count`; any other difference is an error.
    """
    if not (out / RECIPE).exists():
        return recipe, False
    before = load_recipe(out)
    recipe = replace(recipe, edition=before.edition)
    grows = recipe.count > before.count
    if differences := before.differences(replace(recipe, count=before.count) if grows else recipe):
        more = f"; and {len(differences) - 3} more" if len(differences) > 3 else ""
        message = f"{out} was begun with other arguments: {'; '.join(differences[:3])}{more}"
        raise ValueError(f"{message}. Use the same ones, or another folder")
    return recipe, not grows


def _make(
    out: Path, recipe: Recipe, journal: Journal, backend: Backend, on_progress: Callable[[Progress], object]
) -> tuple[Progress, list[int]]:
    """Make the missing items; also returns the indices of the anomalies."""
    kinds: Counter[str] = Counter()
    placed = np.zeros(recipe.count, np.bool_)
    kept = 0
    progress = Progress(0, recipe.total)
    on_progress(progress)
    work = split(out, range(recipe.total), journal.get, chunk_size(recipe.total, backend), recipe.places)
    with closing(backend.run(make_chunk, work)) as results:
        for made in results:
            journal.append((item.index, item.line) for item in made if item.line is not None)
            for item in made:
                kinds[item.kind] += 1
                kept += item.line is None
                if item.kind == "anomaly":
                    placed[item.index] = True
            progress = Progress(sum(kinds.values()), recipe.total, kinds["anomaly"], kinds["unchanged"], kept)
            on_progress(progress)
            if not kinds["anomaly"] and kinds["unchanged"] >= min(HOPELESS, recipe.count):
                raise ValueError(_why_hopeless(recipe, kinds["unchanged"]))
    return progress, np.flatnonzero(placed).tolist()


def _why_hopeless(recipe: Recipe, unchanged: int) -> str:
    draws = f"any of {counted(unchanged, 'image')}, {ATTEMPTS} draws each"
    plans, task = ItemMaker(recipe).plans(0), recipe.make_tasks()[recipe.class_of(0)]
    if any(plan.patches for plan in plans):
        files = [Path(recipe.folder) / name for name in recipe.images]
        note = file_sliver_note(files, task.scale) or "their contrast is low, or that of their sources"
        return f"patches found a place, but changed nothing by more than a grey level in {draws}: {note}"
    masks = [
        part for name, where in mask_folders(recipe.masks).items() for part in (f"--{name.replace('_', '-')}", where)
    ]
    hint = command_line("nsa-augment", "preview", recipe.folder, *masks)
    return f"no patch found a place in {draws}; look at them with {hint}. {likeliest_reason(task, plans)}"


def _encoded(texts: Iterable[str]) -> Iterator[bytes]:
    return (text.encode() for text in texts)
