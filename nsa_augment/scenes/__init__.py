"""What plans are drawn for and applied to: an image, its source, and where both show the object."""

from nsa_augment.scenes.foreground import Foreground, object_mask
from nsa_augment.scenes.scene import PreparedSource, Scene

__all__ = ["Foreground", "PreparedSource", "Scene", "object_mask"]
