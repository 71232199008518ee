"""The command `calibrate`: estimates the arguments for a product and shows the evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from nsa_augment._shared.files import write_file
from nsa_augment._shared.images import list_images
from nsa_augment._shared.notices import command_line
from nsa_augment.calibration import Calibration, calibrate
from nsa_augment.cli.app import app
from nsa_augment.cli.calibration_page import calibration_page, value_text
from nsa_augment.cli.files import check_file, usable, write_picture
from nsa_augment.cli.options import MaxValue, ObjectMasks, Recursive, Seed, SkipDamaged, table_console
from nsa_augment.tasks.presets import FILE_SUFFIXES

LEAST_PLACED = 0.1
"""Least share of calls that must place a patch for the arguments to be of use."""


@app.command(name="calibrate")
def calibrate_folder(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of images of normal products.")],
    out: Annotated[Path | None, typer.Option(help="Preset file (YAML) to write, for --preset and preset=.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="PNG file to write, with the evidence for the estimates.")
    ] = None,
    seed: Seed = 0,
    max_images: Annotated[int, typer.Option(min=1, help="Maximum number of images to use, evenly spaced.")] = 64,
    max_value: MaxValue = None,
    recursive: Recursive = False,
    skip_damaged: SkipDamaged = False,
    object_masks: ObjectMasks = None,
) -> None:
    """Estimate the arguments for your own product from a folder of normal images."""
    if out is not None:
        check_file("--out", out, FILE_SUFFIXES)
    if picture is not None:
        check_file("--picture", picture)
    files = usable(list_images(folder, recursive=recursive), skip_damaged)
    found = calibrate(files, max_images=max_images, seed=seed, max_value=max_value, object_masks=object_masks)
    _print(found, folder)
    if picture is not None:
        write_picture(picture, calibration_page(found, str(folder), seed))
    if found.placed_share < LEAST_PLACED:
        what = "calibrate found" if out is None else f"{out} is not written: calibrate found"
        raise ValueError(f"{what} no arguments that fit these images, {found.placing}")
    if out is not None:
        write_file(out, (found.to_yaml().encode(),))
        masks = [] if object_masks is None else ["--object-masks", object_masks]
        hint = command_line("nsa-augment", "preview", folder, "--preset", out, *masks)
        typer.echo(f"wrote {out}: try {hint}")


def _print(found: Calibration, folder: Path) -> None:
    table = Table(title=escape(f"{folder}: {found.summary}"))
    table.add_column("argument", no_wrap=True)
    table.add_column("value", no_wrap=True)
    table.add_column("reason")
    for name, value in found.arguments.items():
        table.add_row(name, value_text(value), found.reasons[name])
    table_console().print(table)
    typer.echo(found.placing)
    for note in found.notes:
        typer.echo(f"note: {note}")
