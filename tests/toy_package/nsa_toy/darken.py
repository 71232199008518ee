"""A blending: the source, darkened by the patch's factor, wherever that is darker than the image."""

import numpy as np

from nsa_augment import Blending


class Darken(Blending):
    name = "darken"

    def blend(self, canvas, patch):
        darkened = (1 - patch.factor) * patch.pixels
        if canvas.dtype.kind == "u":
            darkened = np.rint(darkened)
        inside = patch.region.astype(bool)[:, :, np.newaxis]
        np.copyto(canvas, np.minimum(canvas, darkened).astype(canvas.dtype), where=inside)
