"""Commands and their options."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from nsa_augment import NaturalSyntheticAnomaly, __version__
from nsa_augment.anomaly_task import AnomalyTask
from nsa_augment.cli.figure import Example, draw_grid
from nsa_augment.foreground import Foreground
from nsa_augment.images import list_images, read_image, write_bytes
from nsa_augment.presets import PRESETS
from nsa_augment.samples import PRODUCTS, draw_sample
from nsa_augment.types import Image

app = typer.Typer(
    name="nsa-augment",
    help="Make realistic synthetic defects, with pixel labels, from images of normal products.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Output = Annotated[Path, typer.Option("--output", "-o", help="PNG file to write.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same picture.")]
Rows = Annotated[int, typer.Option("--count", "-n", min=1, help="Anomalies to show (a row each).")]
Label = Annotated[str, typer.Option(help="binary, continuous or logistic.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Replace an argument of the preset: --set background=200,60"),
]


def main() -> None:
    """Run the command line; mistakes a user can mend end in one line and exit code 1."""
    try:
        app()
    except (ValueError, TypeError, OSError) as error:
        print(f"nsa-augment: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(f"nsa-augment {__version__}")
        raise typer.Exit


@app.command()
def demo(
    output: Output = Path("nsa-demo.png"),
    seed: Seed = 0,
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="Anomalies of each product.")] = 1,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of the images in pixels.")] = 256,
    label: Label = "logistic",
) -> None:
    """Show anomalies on the embedded sample products; needs no data."""
    _check_output(output)
    examples = []
    for number, (name, product) in enumerate(_progress(PRODUCTS.items(), "drawing products")):
        task = NaturalSyntheticAnomaly.from_preset(product.preset, label=label)
        for row in range(count):
            image, source = (draw_sample(name, 2 * row + part, size=size, seed=seed).image for part in (0, 1))
            caption = f"{name}: {product.description} (preset {product.preset})"
            examples.append(_example(task, caption, image, source, [seed, number, row]))
    _write_grid(output, examples, "Natural synthetic anomalies on the embedded samples", label)


@app.command()
def preview(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Images, or folders of images.")],
    preset: Annotated[str, typer.Option(help="A row of `nsa-augment presets`.")] = "tile",
    output: Output = Path("nsa-preview.png"),
    seed: Seed = 0,
    count: Rows = 4,
    label: Label = "logistic",
    overrides: Overrides = None,
) -> None:
    """Show anomalies on your own images, with sources, patch boxes and labels."""
    _check_output(output)
    task = NaturalSyntheticAnomaly.from_preset(preset, **{"label": label, **_parse(overrides or [])})
    files = [file for path in paths for file in (list_images(path) if path.is_dir() else [path])]
    rng = np.random.default_rng(seed)
    examples = []
    for row in _progress(range(count), "making anomalies"):
        chosen = rng.permutation(len(files))[:2]
        image, source = (read_image(files[index]) for index in (chosen[0], chosen[-1]))
        caption = f"{files[chosen[0]].name} with patches of {files[chosen[-1]].name}"
        examples.append(_example(task, caption, image, source, [seed, row]))
    _write_grid(output, examples, f"Natural synthetic anomalies, preset {preset}", task.label)
    placed = sum(bool(example.result.plan.patches) for example in examples)
    if placed < len(examples):
        typer.echo(f"{len(examples) - placed} of {len(examples)} images had no place for a patch", err=True)


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


def _progress(items: Iterable[Any], description: str) -> Iterable[Any]:
    console = Console(stderr=True)
    return track(list(items), description, console=console, transient=True) if console.is_terminal else items


def _parse(overrides: list[str]) -> dict[str, Any]:
    """Keyword arguments from NAME=VALUE; values are Python literals, anything else is a string."""
    arguments = {}
    for entry in overrides:
        name, separator, text = entry.partition("=")
        if not separator or not name.isidentifier():
            raise ValueError(f"--set must be NAME=VALUE, got {entry!r}")
        try:
            arguments[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            arguments[name] = text
    return arguments


def _check_output(output: Path) -> None:
    if output.suffix.lower() != ".png":
        raise ValueError(f"--output must end in .png, got {output}")
    if not output.parent.is_dir():
        raise ValueError(f"--output must lie in an existing folder, got {output}")


def _example(task: AnomalyTask, caption: str, image: Image, source: Image, seed: list[int]) -> Example:
    prepared = task.prepare_source(source, image.shape[:2])
    result = task(image, prepared, np.random.default_rng(seed))
    foreground = None if task.background is None else Foreground(image, task.background).mask
    return Example(caption, image, prepared.image, result, foreground)


def _write_grid(output: Path, examples: list[Example], title: str, label: str) -> None:
    name, label_max = f"{label} label", 1.0
    if label == "continuous":
        name, label_max = "change in grey levels", max(float(example.result.label.max()) for example in examples) or 1.0
    page = draw_grid(examples, title, name, label_max)
    _, png = cv2.imencode(".png", page[:, :, ::-1])
    write_bytes(output, png.tobytes())
    typer.echo(f"wrote {output} ({page.shape[1]} x {page.shape[0]})")
