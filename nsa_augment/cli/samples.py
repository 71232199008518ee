"""The command `samples`: writes the embedded sample set as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nsa_augment.cli.app import app
from nsa_augment.cli.options import progress
from nsa_augment.samples import PRODUCTS, write_samples
from nsa_augment.samples.layout import free_folders


@app.command()
def samples(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to; created if missing.")],
    product: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"{', '.join(PRODUCTS)}; may be repeated. Default: all.")
    ] = None,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side length of the images in pixels.")] = 256,
    train: Annotated[int, typer.Option(min=0, help="Normal training images per product.")] = 48,
    good: Annotated[int, typer.Option(min=0, help="Normal test images per product.")] = 12,
    defective: Annotated[int, typer.Option(min=0, help="Defective test images per kind of defect.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same images.")] = 0,
) -> None:
    """Write images of the embedded products, normal and defective with masks, in the layout of MVTec AD."""
    names = list(free_folders(output, product or None))
    for name in progress(names, "drawing products"):
        write_samples(output, name, size=size, train=train, good=good, defective=defective, seed=seed)
    typer.echo(f"wrote {', '.join(names)} to {output}")
