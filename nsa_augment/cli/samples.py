"""The command that writes the embedded sample set as files."""

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
    output: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write to; made if it does not exist.")],
    product: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"{', '.join(PRODUCTS)}; may be repeated. Default: all.")
    ] = None,
    size: Annotated[int, typer.Option(min=32, max=2048, help="Side of the images in pixels.")] = 256,
    train: Annotated[int, typer.Option(min=0, help="Normal images of each product to train on.")] = 48,
    good: Annotated[int, typer.Option(min=0, help="Normal images of each product to test on.")] = 12,
    defective: Annotated[int, typer.Option(min=0, help="Defective images of each kind.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="The same seed makes the same images.")] = 0,
) -> None:
    """Write the embedded products, normal and defective, with masks, in the layout of MVTec AD."""
    names = list(free_folders(output, product or None))
    for name in progress(names, "drawing products"):
        write_samples(output, name, size=size, train=train, good=good, defective=defective, seed=seed)
    typer.echo(f"wrote {', '.join(names)} to {output}")
