"""The command that estimates the arguments for a product and shows what they rest on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from nsa_augment._shared.files import write_file
from nsa_augment._shared.images import encode_png, list_images
from nsa_augment.calibration import Calibration, calibrate
from nsa_augment.calibration.calibration import KINDS
from nsa_augment.calibration.placing import CALLS
from nsa_augment.cli.app import app
from nsa_augment.cli.calibration_page import calibration_page, value_text
from nsa_augment.cli.options import Seed
from nsa_augment.tasks.presets import FILE_SUFFIXES


@app.command(name="calibrate")
def calibrate_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of images of normal products.")],
    out: Annotated[Path | None, typer.Option(help="YAML file to write, for --preset and preset=.")] = None,
    picture: Annotated[Path | None, typer.Option(help="PNG file to write: what the estimates rest on.")] = None,
    seed: Seed = 0,
    max_images: Annotated[int, typer.Option(min=1, help="How many images are looked at, picked evenly.")] = 64,
) -> None:
    """Estimate the arguments for a product of your own from a folder of normal images."""
    _check_file("--out", out, FILE_SUFFIXES)
    _check_file("--picture", picture, (".png",))
    found = calibrate(list_images(folder), max_images=max_images, seed=seed)
    _print(found, folder)
    if out is not None:
        write_file(out, (found.to_yaml().encode(),))
        typer.echo(f"wrote {out}: try nsa-augment preview {folder} --preset {out}")
    if picture is not None:
        page = calibration_page(found, str(folder), seed)
        write_file(picture, (encode_png(page),))
        typer.echo(f"wrote {picture} ({page.shape[1]} x {page.shape[0]})")


def _check_file(option: str, file: Path | None, suffixes: tuple[str, ...]) -> None:
    """Refuse a file that could not be written, before any work is done."""
    if file is None:
        return
    if file.suffix.lower() not in suffixes:
        raise ValueError(f"{option} must end in {' or '.join(suffixes)}, got {file}")
    if not file.parent.is_dir():
        raise ValueError(f"{option} must lie in an existing folder, got {file}")


def _print(found: Calibration, folder: Path) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    table = Table(title=f"{folder}: {KINDS[found.kind]} ({found.image_count} of {found.given_count} images)")
    table.add_column("argument", no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("reason")
    for name, value in found.arguments.items():
        table.add_row(name, value_text(value), found.reasons[name])
    console.print(table)
    typer.echo(f"{found.placed_share:.0%} of {CALLS} calls placed a patch")
    for note in found.notes:
        typer.echo(f"note: {note}")
