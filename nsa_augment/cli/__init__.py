"""The command line: `nsa-augment demo`, `preview`, `presets`."""

from nsa_augment.cli.app import app, main

__all__ = ["app", "main"]
