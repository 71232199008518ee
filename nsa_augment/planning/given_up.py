"""Reasons for giving up patches, which a plan does not list."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from nsa_augment._shared.types import Size


class Reason(Enum):
    """Why patches are given up; the values are texts for messages."""

    EMPTY = "patches of less than one pixel"
    NO_SOURCE_OBJECT = "no object is found in the source"
    NO_SOURCE_PLACE = "nowhere in the source does the object fill enough of the patch"
    TOO_SMALL = "patches too small to be blended"
    TOO_LARGE = "patches too large for the image with a margin of one pixel"
    NO_OBJECT_LEFT = "the object fills too little of the patch once it is resized"
    NO_IMAGE_OBJECT = "no object is found in the image"
    NOT_ALLOWED = "nowhere does the patch lie within the allowed region"
    TOO_FAINT = "the change of the image does not exceed min_change"
    NO_DESTINATION = "nowhere in the image does enough of the patch's object land on the object"
    NO_OUTLINE = "outlines without a pixel that may change"
    LEFT_NORMAL = "images left normal on purpose"


class GivenUp(NamedTuple):
    """A patch that was tried and given up.

    Parameters
    ----------
    reason : Reason
    size : (height, width)
        Size of the patch when it was given up, pixels.
    needs : str
        The blending's requirement, as a sentence; empty if it gives none.

    Examples
    --------
    >>> GivenUp(Reason.TOO_SMALL, (4, 7)).reason.value
    'patches too small to be blended'
    """

    reason: Reason
    size: Size
    needs: str = ""

    @property
    def area(self) -> int:
        """Area of the box, pixels."""
        return self.size[0] * self.size[1]
