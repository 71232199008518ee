"""Commands that draw anomalies, and the list of presets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from nsa_augment._shared.images import list_images, read_image
from nsa_augment._shared.mask_files import MaskFiles
from nsa_augment._shared.overlays import label_bar
from nsa_augment._shared.page import draw_page
from nsa_augment._shared.soundness import notice_sliver
from nsa_augment._shared.wording import counted
from nsa_augment.cli.app import app
from nsa_augment.cli.files import check_file, tell_of_sizes, usable, write_picture
from nsa_augment.cli.options import (
    Ablation,
    AllowedMasks,
    Bank,
    Label,
    MaxValue,
    ObjectMasks,
    Output,
    Overrides,
    Preset,
    Recursive,
    Seed,
    SkipDamaged,
    Task,
    in_eight_bits,
    make_all_tasks,
    make_task,
    progress,
    table_console,
)
from nsa_augment.cli.tiles import (
    ENLARGED_COLUMNS,
    EXAMPLE_COLUMNS,
    Example,
    comparison_columns,
    comparison_row,
    enlarged,
    example_row,
    label_bars,
    make_example,
    make_labels,
)
from nsa_augment.labelling import LABELS
from nsa_augment.planning.silence import likeliest_reason
from nsa_augment.samples import PRODUCTS, draw_sample
from nsa_augment.tasks import PRESETS, TASKS


@app.command()
def demo(
    output: Output = Path("nsa-demo.png"),
    seed: Seed = 0,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Anomalies per product.")] = 1,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side length of the images in pixels.")] = 256,
    task: Task = "nsa",
    label: Label = None,
) -> None:
    """Show anomalies on the embedded sample products; needs no data."""
    check_file("--output", output)
    examples = []
    for number, (name, product) in enumerate(progress(PRODUCTS.items(), "drawing products")):
        maker = make_task(task, product.preset, label)
        for row in range(count):
            image, source = (draw_sample(name, 2 * row + part, size=size, seed=seed).image for part in (0, 1))
            caption = f"{name}: {product.description} (preset {product.preset})"
            examples.append(make_example(maker, caption, image, source, [seed, number, row]))
    _write_examples(output, examples, f"{maker.title} on the embedded samples", maker.label)


@app.command()
def preview(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images, or folders of images.")],
    preset: Preset = "tile",
    output: Output = Path("nsa-preview.png"),
    seed: Seed = 0,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Number of anomalies, one per row.")] = 4,
    task: Task = "nsa",
    label: Label = None,
    ablation: Ablation = None,
    overrides: Overrides = None,
    bank: Bank = None,
    max_value: MaxValue = None,
    recursive: Recursive = False,
    skip_damaged: SkipDamaged = False,
    object_masks: ObjectMasks = None,
    allowed_masks: AllowedMasks = None,
) -> None:
    """Show anomalies on your own images: sources, patch boxes, labels, and the largest patch enlarged."""
    check_file("--output", output)
    maker, scale = in_eight_bits(make_task(task, preset, label, ablation, overrides, max_value, bank))
    files = usable([file for path in paths for file in _files(path, recursive)], skip_damaged)
    notice_sliver(files, scale)
    objects = None if object_masks is None else MaskFiles("--object-masks", object_masks, files)
    regions = None if allowed_masks is None else MaskFiles("--allowed-masks", allowed_masks, files)
    tell_of_sizes(files, [maker])
    rng = np.random.default_rng(seed)
    examples = []
    for row in progress(range(count), "making anomalies"):
        chosen = rng.permutation(len(files))[:2]
        image, source = (read_image(files[index], scale=scale) for index in (chosen[0], chosen[-1]))
        caption = files[chosen[0]].name
        if maker.needs_source:
            caption += f" with patches from {files[chosen[-1]].name}"
        masks = {
            "mask": None if objects is None else objects.read(files[chosen[0]], image.shape[:2]),
            "source_mask": None if objects is None else objects.read(files[chosen[-1]], source.shape[:2]),
            "allowed": None if regions is None else regions.read(files[chosen[0]], image.shape[:2]),
        }
        examples.append(make_example(maker, caption, image, source, [seed, row], **masks))
    title = f"{maker.title}, preset {preset}" + (f", ablation {ablation}" if ablation else "")
    _write_examples(output, examples, title, maker.label, zoom=True)
    if len(files) == 1 and maker.needs_source:
        typer.echo(f"{files[0].name} is the only image, so its patches come from itself", err=True)
    plans, images = [example.result.plan for example in examples], counted(len(examples), "image")
    if normal := sum(plan.left_normal for plan in plans):
        typer.echo(f"{normal} of {images} stayed normal on purpose", err=True)
    empty = [plan for plan in plans if not (plan.patches or plan.left_normal)]
    if empty:
        reason = likeliest_reason(maker, empty)
        typer.echo(f"{len(empty)} of {images} had no place for a patch. {reason}", err=True)
    faint = len(examples) - normal - len(empty) - sum(bool(example.result.mask.any()) for example in examples)
    if faint:
        typer.echo(f"{faint} of {images} changed by no more than a grey level", err=True)


@app.command()
def compare(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="An image (sources come from its folder), or a folder of images.")
    ],
    preset: Preset = "tile",
    output: Output = Path("nsa-compare.png"),
    seed: Seed = 0,
    ablation: Ablation = None,
    overrides: Overrides = None,
    max_value: MaxValue = None,
    recursive: Recursive = False,
    skip_damaged: SkipDamaged = False,
) -> None:
    """Show one image with every task and all its labels, for one seed."""
    check_file("--output", output)
    bound = {name: in_eight_bits(task) for name, task in make_all_tasks(preset, ablation, overrides, max_value).items()}
    tasks, scale = {name: task for name, (task, _) in bound.items()}, next(scale for _, scale in bound.values())
    files = usable(list_images(path if path.is_dir() else path.parent, recursive=recursive), skip_damaged)
    notice_sliver(files, scale)
    rng = np.random.default_rng(seed)
    image_file = files[int(rng.integers(len(files)))] if path.is_dir() else path
    others = [file for file in files if file.resolve() != image_file.resolve()] or [image_file]
    source_file = others[int(rng.integers(len(others)))]
    image, source = read_image(image_file, scale=scale), read_image(source_file, scale=scale)
    examples = {name: make_example(task, task.title, image, source, [seed]) for name, task in tasks.items()}
    labels = {name: make_labels(task, examples[name]) for name, task in tasks.items()}
    bars = label_bars(list(labels.values()))
    rows = [comparison_row(example, labels[name], bars) for name, example in examples.items()]
    title = f"{image_file.name} with patches from {source_file.name}, preset {preset}"
    write_picture(output, draw_page(title, comparison_columns(), rows, list(dict.fromkeys(bars.values()))))


@app.command()
def presets() -> None:
    """List the presets: the parameters of Table 4 of the paper, and presets of single tasks."""
    table = Table(title="Presets: arguments of NaturalSyntheticAnomaly by product")
    columns = list(dict.fromkeys(name for preset in PRESETS.values() for name in preset))
    table.add_column("preset", no_wrap=True)
    for column in columns:
        table.add_column(column.replace("_", "\n"), justify="right")
    for name, preset in PRESETS.items():
        table.add_row(name, *(_cell(preset.get(column)) for column in columns))
    table_console().print(table)
    for name, kind in TASKS.items():
        if kind.own_presets:
            typer.echo(f"with --task {name} also: {', '.join(kind.own_presets)}")


def _files(path: Path, recursive: bool) -> list[Path]:
    return list_images(path, recursive=recursive) if path.is_dir() else [path]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return " ".join(_cell(part) for part in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _write_examples(output: Path, examples: Sequence[Example], title: str, label: str, *, zoom: bool = False) -> None:
    bar = label_bar(LABELS[label], [example.result.label for example in examples])
    rows = [example_row(example, bar) for example in examples]
    columns: tuple[str, ...] = EXAMPLE_COLUMNS
    if zoom:
        columns += ENLARGED_COLUMNS
        rows = [
            replace(row, tiles=(*row.tiles, *enlarged(example))) for row, example in zip(rows, examples, strict=True)
        ]
    write_picture(output, draw_page(title, columns, rows, [bar]))
