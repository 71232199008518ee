"""Arguments for your own product, estimated from normal images."""

from nsa_augment.calibration.background import Background, find_background
from nsa_augment.calibration.calibration import Calibration, calibrate
from nsa_augment.calibration.extent import Extent, measure_extent
from nsa_augment.calibration.levels import Levels, measure_levels
from nsa_augment.calibration.variation import Variation, measure_variation

__all__ = [
    "Background",
    "Calibration",
    "Extent",
    "Levels",
    "Variation",
    "calibrate",
    "find_background",
    "measure_extent",
    "measure_levels",
    "measure_variation",
]
