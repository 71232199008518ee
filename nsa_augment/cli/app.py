"""The program `nsa-augment`; its commands are in the files beside this one."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nsa_augment._shared.version import VERSION

app = typer.Typer(
    name="nsa-augment",
    help="Make realistic synthetic defects, with pixel labels, from images of normal products.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; mistakes that a user can correct end in one line and exit code 1."""
    try:
        app()
    except (ValueError, TypeError, OSError) as error:
        print(f"nsa-augment: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(f"nsa-augment {VERSION}")
        raise typer.Exit
