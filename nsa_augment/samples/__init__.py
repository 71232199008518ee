"""A small embedded sample set: five procedurally drawn products, normal and defective.

Three objects and two textures in the style of industrial inspection photographs, so that all examples and
tests run without a download. Each call of `draw_sample` gives one individual of a product, with the variation
of a normal production line and no defect; `draw_defect` gives one with a defect, drawn before the camera sees
it, and its exact mask. `write_samples` writes both in the layout of MVTec AD.

>>> sample = draw_sample("bolt", 0)
>>> sample.image.shape, sample.image.dtype.name, sample.foreground.dtype.name
((256, 256, 3), 'uint8', 'bool')
>>> bool(draw_defect("bolt", "scratch", 0).mask.any())
True
"""

from __future__ import annotations

from ._canvas import Drawing, Pose
from ._defects import DEFECTS, DefectSample, draw_defect
from ._products import PRODUCTS, Product, Sample, draw_pose, draw_sample
from .layout import write_samples

__all__ = ["DEFECTS", "PRODUCTS", "DefectSample", "Drawing", "Pose", "Product", "Sample", "draw_defect", "draw_pose",
           "draw_sample", "write_samples"]  # fmt: skip
