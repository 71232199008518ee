"""Step 3, the training targets: the change that blending made, as a mask and as graded labels."""

from nsa_augment.labelling.arguments import LabelArguments
from nsa_augment.labelling.labels import LABELS, AreaChange, Label

__all__ = ["LABELS", "AreaChange", "Label", "LabelArguments"]
