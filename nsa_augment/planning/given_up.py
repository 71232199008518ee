"""Why patches are given up: what a plan knows about the patches that it does not list."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from nsa_augment._shared.types import Size


class Reason(Enum):
    """Why patches are given up; the value says it in words."""

    EMPTY = "patches of less than one pixel"
    NO_SOURCE_OBJECT = "no object is found in the source"
    NO_SOURCE_PLACE = "nowhere in the source does the object fill enough of the patch"
    TOO_SMALL = "patches too small to be blended"
    TOO_LARGE = "patches too large for the image, to whose border they keep a pixel"
    NO_OBJECT_LEFT = "the object fills too little of the patch once it is resized"
    NO_IMAGE_OBJECT = "no object is found in the image"
    NOT_ALLOWED = "nowhere does the patch lie within the allowed region"
    TOO_FAINT = "the patch changes the image by no more than min_change asks for"
    NO_DESTINATION = "nowhere in the image does enough of the patch's object land on the object"
    NO_OUTLINE = "outlines without a pixel that may change"
    LEFT_NORMAL = "images left normal on purpose"


class GivenUp(NamedTuple):
    """A patch that was tried and given up.

    Parameters
    ----------
    reason : Reason
    size : (height, width)
        Of the patch when it was given up, pixels.
    needs : str
        What it would have needed, as a sentence, where the blending says so.

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
        """Of the box, pixels."""
        return self.size[0] * self.size[1]
