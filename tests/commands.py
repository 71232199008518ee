"""Commands of `nsa-augment`, run in this process: a process of its own would spend its time on imports."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from nsa_augment.cli import main


@dataclass(frozen=True)
class Done:
    """What a command left behind: exit code and output."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object, cwd: Path | None = None) -> Done:
    """Run the command line as its program does, in a folder; an exception that would end it is raised."""
    out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
    os.chdir(cwd or before)
    try:
        argv = ["nsa-augment", *map(str, arguments)]
        with patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        return Done(int(end.code or 0), out.getvalue(), err.getvalue())
    finally:
        os.chdir(before)
    return Done(0, out.getvalue(), err.getvalue())


def check(arguments: list[str]) -> None:
    """Run the command line; an error is an exception."""
    done = run(*arguments)
    if done.returncode:
        raise AssertionError(f"nsa-augment {' '.join(arguments)}\n{done.stderr}")
