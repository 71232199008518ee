"""The command line: `nsa-augment`, one file a group of commands."""

from nsa_augment.cli import calibrate, generate, pictures, play, samples
from nsa_augment.cli.app import app, main

__all__ = ["app", "calibrate", "generate", "main", "pictures", "play", "samples"]
