"""Commands that write and verify whole datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from nsa_augment._shared.images import list_images
from nsa_augment._shared.wording import counted
from nsa_augment.cli import options
from nsa_augment.cli.app import app
from nsa_augment.cli.files import tell_of_sizes
from nsa_augment.datasets import LAYOUTS, Options, Report
from nsa_augment.datasets import Progress as State
from nsa_augment.datasets import generate as generate_dataset
from nsa_augment.datasets import verify as verify_dataset
from nsa_augment.tasks import TASKS

INTERRUPTED = 130
SHOWN_PROBLEMS = 20

Workers = Annotated[
    int | None, typer.Option("--workers", "-w", min=0, help="Worker processes. Default: one per processor.")
]


@app.command()
def generate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of normal images.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the dataset: new, or one to finish or extend.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Number of images with anomalies.")],
    preset: options.Preset = "tile",
    task: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(TASKS)}; may be repeated: each task is a class. Default: nsa.")
    ] = None,
    label: options.Label = None,
    ablation: options.Ablation = None,
    overrides: options.Overrides = None,
    bank: options.Bank = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same dataset.")] = 0,
    layout: Annotated[str, typer.Option(help=f"{', '.join(LAYOUTS)}.")] = "masks",
    split: Annotated[float, typer.Option(metavar="SHARE", help="Share of items and normal images for validation.")] = 0,
    backgrounds: Annotated[int, typer.Option(min=0, help="Normal images among the items.")] = 0,
    tile: Annotated[
        tuple[int, int] | None, typer.Option(metavar="H W", help="Cut the images into tiles of this size.")
    ] = None,
    overlap: Annotated[int, typer.Option(min=0, help="Overlap of neighbouring tiles in pixels.")] = 0,
    crop: Annotated[tuple[int, int] | None, typer.Option(metavar="H W", help="Use random crops of this size.")] = None,
    category: Annotated[str, typer.Option(help="Name of the product's folder, for --layout mvtec.")] = "product",
    workers: Workers = None,
    backend: Annotated[str, typer.Option(help="processes (on this machine) or dask.")] = "processes",
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, for --backend dask.")] = None,
    max_value: options.MaxValue = None,
    recursive: options.Recursive = False,
    skip_damaged: options.SkipDamaged = False,
    object_masks: options.ObjectMasks = None,
    allowed_masks: options.AllowedMasks = None,
) -> None:
    """Write a labelled dataset; repeat the command to finish it, or raise --count to extend it."""
    makers = [options.make_task(each, preset, label, ablation, overrides, max_value, bank) for each in task or ["nsa"]]
    parts = Options(split=split, backgrounds=backgrounds, tile=tile, overlap=overlap, crop=crop, category=category)
    if parts.window is None:
        tell_of_sizes(list_images(folder, recursive=recursive), makers)
    origin = {"preset": preset, "ablation": ablation}
    try:
        with _progress("making images", "{task.fields[placed]} placed, {task.fields[skipped]} skipped") as update:

            def show(state: State) -> None:
                update(state.done, state.total, placed=state.anomalies, skipped=state.unchanged)

            made = generate_dataset(
                folder,
                out,
                makers,
                count=count,
                seed=seed,
                layout=layout,
                options=parts,
                workers=workers,
                backend=backend,
                scheduler=scheduler,
                origin=origin,
                on_progress=show,
                recursive=recursive,
                skip_damaged=skip_damaged,
                object_masks=object_masks,
                allowed_masks=allowed_masks,
            )
    except KeyboardInterrupt:
        typer.echo("nsa-augment: stopped; run the same command again to continue", err=True)
        raise typer.Exit(INTERRUPTED) from None
    text = f"wrote {counted(made.anomalies, 'anomaly', 'anomalies')} to {out}"
    if made.kept:
        text += f" ({made.kept} of {counted(made.total, 'image')} already existed)"
    typer.echo(text)
    if made.unchanged:
        reason = "no patch found a place or made a change of more than a grey level"
        typer.echo(f"{made.unchanged} of {counted(count, 'image')} stayed unchanged: {reason}", err=True)


@app.command()
def verify(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A finished dataset.")],
    sample: Annotated[int | None, typer.Option(min=1, help="Number of items to check. Default: all.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed for the choice of --sample.")] = 0,
    exact: Annotated[
        bool, typer.Option("--exact", help="Count images that differ by a grey level as problems, too.")
    ] = False,
    images: Annotated[Path | None, typer.Option(help="Folder of the normal images, if moved.")] = None,
    object_masks: Annotated[Path | None, typer.Option(help="Folder of the object masks, if moved.")] = None,
    allowed_masks: Annotated[Path | None, typer.Option(help="Folder of the allowed masks, if moved.")] = None,
    workers: Workers = None,
) -> None:
    """Regenerate the items of a dataset and compare; exit code 1 if any file is missing or differs.

    Images that differ by at most a grey level, from other versions or machines, are counted, but are problems only with
    --exact.
    """
    with _progress("regenerating items", "") as update:
        report = verify_dataset(
            out,
            sample=sample,
            seed=seed,
            exact=exact,
            folder=images,
            object_masks=object_masks,
            allowed_masks=allowed_masks,
            workers=workers,
            on_progress=update,
        )
    _show(report)
    if report.problems:
        raise typer.Exit(1)


def _show(report: Report) -> None:
    for version in report.versions:
        typer.echo(f"versions differ: {version}", err=True)
    for problem in report.problems[:SHOWN_PROBLEMS]:
        typer.echo(f"{problem.name}: {problem.what}", err=True)
    if len(report.problems) > SHOWN_PROBLEMS:
        typer.echo(f"and {len(report.problems) - SHOWN_PROBLEMS} more", err=True)
    found = counted(len(report.problems), "problem") if report.problems else "no problems"
    if report.near:
        found += f", {len(report.near)} within a grey level, as from another version or machine"
    typer.echo(f"checked {report.checked} of {counted(report.total, 'image')}: {found}")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.0f}/s")


@contextmanager
def _progress(description: str, remark: str) -> Iterator[Callable[..., Any]]:
    """Yield a function to report progress to: it shows a bar in a terminal, elsewhere prints a line per tenth."""
    console = Console(stderr=True)
    if not console.is_terminal:
        tenths = set()

        def tell(done: int, total: int, **fields: int) -> None:
            if (tenth := 10 * done // total) not in tenths:
                tenths.add(tenth)
                typer.echo(f"{description}: {done} of {total}", err=True)

        yield tell
        return
    columns = (TextColumn(description), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, TextColumn(remark), console=console, transient=True) as progress:
        bar = progress.add_task(description, total=None, placed=0, skipped=0)
        yield lambda done, total, **fields: progress.update(bar, completed=done, total=total, **fields)
