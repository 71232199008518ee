"""The program `nsa-augment`; its commands are in the other files of this folder."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from nsa_augment._shared.notices import Notice
from nsa_augment._shared.version import VERSION

app = typer.Typer(
    name="nsa-augment",
    help="Make realistic synthetic defects with pixel-level labels from images of normal products.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; errors that a user can correct print one line and exit with code 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr does: file names may be any bytes
    try:
        with notices_as_lines():
            app()
    except (ValueError, TypeError, OSError) as error:
        print(f"nsa-augment: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(1)


@contextmanager
def notices_as_lines() -> Iterator[None]:
    """Print notices about the images as plain lines, and other warnings as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", Notice)
        show, told = warnings.showwarning, set()

        def print_notice(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, Notice):
                if str(message) in told:
                    return
                told.add(str(message))
                print(f"note: {message}", file=sys.stderr)
            else:
                show(message, category, *place, **more)

        warnings.showwarning = print_notice
        yield


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        typer.echo(f"nsa-augment {VERSION}")
        raise typer.Exit
