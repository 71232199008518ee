"""The command line: `nsa-augment demo`, `preview`, `compare`, `presets`."""

from nsa_augment.cli import pictures
from nsa_augment.cli.app import app, main

__all__ = ["app", "main", "pictures"]
