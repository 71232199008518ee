"""Arguments for a product of one's own, estimated from images of normal products."""

from nsa_augment.calibration.calibration import Calibration, calibrate

__all__ = ["Calibration", "calibrate"]
