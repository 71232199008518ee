"""Scenes, for which plans are drawn and applied: an image, its source, and their object masks."""

from nsa_augment.scenes.foreground import Foreground, object_mask
from nsa_augment.scenes.scene import PreparedSource, Scene

__all__ = ["Foreground", "PreparedSource", "Scene", "object_mask"]
