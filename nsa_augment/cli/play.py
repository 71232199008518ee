"""The command `play`: a local web page to choose parameters by eye."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from nsa_augment.cli.app import app
from nsa_augment.cli.playground.choice import folder_supply, sample_supply
from nsa_augment.samples import PRODUCTS


@app.command()
def play(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Folder of images of normal products. Default: the embedded samples."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 7860,
) -> None:
    """Choose parameters by eye on a local web page; needs the extra `play`."""
    supplies = {name: sample_supply(name) for name in PRODUCTS} if folder is None else {}
    if folder is not None:
        supplies[str(folder)] = folder_supply(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        from nsa_augment.cli.playground.page import serve
    except ModuleNotFoundError as error:
        if error.name != "gradio":
            raise
        raise ValueError("play needs gradio: install it with pip install 'nsa-augment[play]'") from error
    typer.echo(f"http://127.0.0.1:{port} (Ctrl-C stops it)")
    serve(supplies, port)
