"""Commands that make a picture of anomalies, and the list of presets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from nsa_augment._shared.files import write_file
from nsa_augment._shared.images import encode_png, list_images, read_image
from nsa_augment._shared.page import ColourBar, Row, draw_page
from nsa_augment.cli.app import app
from nsa_augment.cli.options import (
    Ablation,
    Label,
    Output,
    Overrides,
    Preset,
    Seed,
    Task,
    check_eight_bits,
    check_output,
    make_task,
    parse_overrides,
    progress,
)
from nsa_augment.cli.tiles import (
    COMPARISON_COLUMNS,
    EXAMPLE_COLUMNS,
    Example,
    comparison_row,
    example_row,
    make_example,
)
from nsa_augment.samples import PRODUCTS, draw_sample
from nsa_augment.tasks import PRESETS, TASKS, AnomalyTask


@app.command()
def demo(
    output: Output = Path("nsa-demo.png"),
    seed: Seed = 0,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Anomalies of each product.")] = 1,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of the images in pixels.")] = 256,
    task: Task = "nsa",
    label: Label = None,
) -> None:
    """Show anomalies on the embedded sample products; needs no data."""
    check_output(output)
    examples = []
    for number, (name, product) in enumerate(progress(PRODUCTS.items(), "drawing products")):
        maker = make_task(task, product.preset, label)
        for row in range(count):
            image, source = (draw_sample(name, 2 * row + part, size=size, seed=seed).image for part in (0, 1))
            caption = f"{name}: {product.description} (preset {product.preset})"
            examples.append(make_example(maker, caption, image, source, [seed, number, row]))
    _write_examples(output, examples, f"{TASKS[task].title} on the embedded samples", maker.label)


@app.command()
def preview(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images, or folders of images.")],
    preset: Preset = "tile",
    output: Output = Path("nsa-preview.png"),
    seed: Seed = 0,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Anomalies to show (a row each).")] = 4,
    task: Task = "nsa",
    label: Label = None,
    ablation: Ablation = None,
    overrides: Overrides = None,
) -> None:
    """Show anomalies on your own images, with sources, patch boxes and labels."""
    check_output(output)
    maker = make_task(task, preset, label, ablation, overrides)
    files = [file for path in paths for file in (list_images(path) if path.is_dir() else [path])]
    rng = np.random.default_rng(seed)
    examples = []
    for row in progress(range(count), "making anomalies"):
        chosen = rng.permutation(len(files))[:2]
        image, source = (read_image(files[index]) for index in (chosen[0], chosen[-1]))
        caption = files[chosen[0]].name
        if maker.needs_source:
            caption += f" with patches of {files[chosen[-1]].name}"
        examples.append(make_example(maker, caption, image, source, [seed, row]))
    title = f"{TASKS[task].title}, preset {preset}" + (f", ablation {ablation}" if ablation else "")
    _write_examples(output, examples, title, maker.label)
    if len(files) == 1 and maker.needs_source:
        typer.echo(f"{files[0].name} is the only image, so its patches come from itself", err=True)
    placed = sum(bool(example.result.plan.patches) for example in examples)
    if placed < len(examples):
        typer.echo(f"{len(examples) - placed} of {len(examples)} images had no place for a patch", err=True)


@app.command()
def compare(
    path: Annotated[Path, typer.Argument(help="An image (sources come from its folder), or a folder of images.")],
    preset: Preset = "tile",
    output: Output = Path("nsa-compare.png"),
    seed: Seed = 0,
    ablation: Ablation = None,
    overrides: Overrides = None,
) -> None:
    """Show one image under all tasks and all their labels, under one seed."""
    check_output(output)
    tasks = _tasks_to_compare(preset, ablation, overrides)
    files = list_images(path if path.is_dir() else path.parent)
    rng = np.random.default_rng(seed)
    image_file = files[int(rng.integers(len(files)))] if path.is_dir() else path
    others = [file for file in files if file.name != image_file.name] or [image_file]
    source_file = others[int(rng.integers(len(others)))]
    image, source = read_image(image_file), read_image(source_file)
    examples = {name: make_example(task, task.title, image, source, [seed]) for name, task in tasks.items()}
    largest = max(map(_largest_change, examples.values())) or 1.0
    rows = [comparison_row(tasks[name], example, largest) for name, example in examples.items()]
    title = f"{image_file.name} with patches of {source_file.name}, preset {preset}"
    bars = [ColourBar("binary, factor, logistic", 1.0), ColourBar("continuous: grey levels", largest)]
    _write_page(output, title, COMPARISON_COLUMNS, rows, bars)


@app.command()
def presets() -> None:
    """List the presets: the parameters of Table 4 of the paper."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    table = Table(title="Presets: arguments of NaturalSyntheticAnomaly by product")
    columns = list(dict.fromkeys(name for preset in PRESETS.values() for name in preset))
    table.add_column("preset", no_wrap=True)
    for column in columns:
        table.add_column(column.replace("_", "\n"), justify="right")
    for name, preset in PRESETS.items():
        table.add_row(name, *(_cell(preset.get(column)) for column in columns))
    console.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple):
        return " ".join(_cell(part) for part in value)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _tasks_to_compare(preset: str, ablation: str | None, overrides: list[str] | None) -> dict[str, AnomalyTask]:
    """All tasks, each with those of the overrides that it knows."""
    arguments = parse_overrides(overrides or [])
    if "label" in arguments:
        raise ValueError("--set label must be left out of compare, which shows all labels")
    known = {name: task.argument_names() for name, task in TASKS.items()}
    if unknown := set(arguments).difference(*known.values()):
        raise ValueError(f"--set must name an argument of a task, got {min(unknown)!r}")
    tasks = {}
    for name, task_class in TASKS.items():
        usable = known[name] if task_class.shift else known[name] - {"scale_range"}
        own = {key: value for key, value in arguments.items() if key in usable}
        tasks[name] = task_class.from_preset(preset, ablation=ablation, **own)
        check_eight_bits(tasks[name])
    return tasks


def _largest_change(example: Example) -> float:
    levels = [image.astype(float) for image in (example.image, example.result.image)]
    return float(np.ceil(np.percentile(np.abs(levels[0] - levels[1]).mean(axis=2), 99.9)))


def _write_examples(output: Path, examples: Sequence[Example], title: str, label: str) -> None:
    bar = ColourBar(f"{label} label", 1.0)
    if label == "continuous":
        largest = max(float(example.result.label.max()) for example in examples)
        bar = ColourBar("change in grey levels", largest or 1.0)
    rows = [example_row(example, bar.top) for example in examples]
    _write_page(output, title, EXAMPLE_COLUMNS, rows, [bar])


def _write_page(
    output: Path, title: str, columns: Sequence[str], rows: Sequence[Row], bars: Sequence[ColourBar]
) -> None:
    page = draw_page(title, columns, rows, bars)
    write_file(output, (encode_png(page),))
    typer.echo(f"wrote {output} ({page.shape[1]} x {page.shape[0]})")
