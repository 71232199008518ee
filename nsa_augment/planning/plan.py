"""Plans, as plain data: which source box goes where, and how it is blended."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, get_args

from nsa_augment._shared.boxes import Box, check_box
from nsa_augment._shared.checks import check_choice, check_integer, check_integers, check_number, fail, set_field
from nsa_augment._shared.types import Gradient, Size
from nsa_augment.planning.filling import Filling
from nsa_augment.planning.given_up import GivenUp, Reason
from nsa_augment.planning.jitter import Jitter
from nsa_augment.planning.outlines import Outline, outline_from_dict
from nsa_augment.scenes.scene import SOURCE_FITS

VERSION = 1

GRADIENTS = (*get_args(Gradient), None)
_OPTIONAL: Mapping[str, Any] = MappingProxyType({"source_fit": "resize", "task": None, "severity": 1.0})
"""Parts of a plan that its JSON omits if they have these values."""


def _check_size(name: str, value: Any) -> Size:
    height, width = check_integers(name, value, 2, "a pair [height, width] of positive integers")
    return check_integer(f"height of {name}", height, 1), check_integer(f"width of {name}", width, 1)


def _check_keys(name: str, value: Any, required: set[str], optional: Set[str]) -> None:
    accepted = f"a mapping with the keys {sorted(required)}" + (f", optionally {sorted(optional)}" if optional else "")
    if not isinstance(value, Mapping):
        raise fail(TypeError, name, accepted, value)
    if not required <= set(value) <= required | optional:
        raise fail(ValueError, name, accepted, sorted(map(str, value)))


@dataclass(frozen=True)
class PatchPlacement:
    """One patch: where it is cut, where it goes, and how it is blended.

    Parameters
    ----------
    source_box, destination_box : (y0, x0, y1, x1)
        Half-open, in pixels. The source box refers to the source after resizing to the image's size (or to
        the source as given, if the plan's `source_fit` is native); the patch is resized to the size of the
        destination box.
    factor : float
        Interpolation factor in [0, 1]; 1 blends the patch fully.
    gradient : "source", "mixed" or None
        Guidance field of Poisson blending; None for copy-paste and linear blending.
    shape : Outline or None
        Outline inside the source box; None is the whole rectangle.
    jitter : Jitter or None
        Change of the patch's colours.
    filling : Filling or None
        Content of the patch; None: the source.
    """

    source_box: Box
    destination_box: Box
    factor: float = 1.0
    gradient: Gradient | None = None
    shape: Outline | None = None
    jitter: Jitter | None = None
    filling: Filling | None = None

    def __post_init__(self) -> None:
        set_field(self, "source_box", check_box("source_box", self.source_box))
        set_field(self, "destination_box", check_box("destination_box", self.destination_box))
        set_field(self, "factor", check_number("factor", self.factor, 0, 1))
        check_choice("gradient", self.gradient, GRADIENTS)
        if self.shape is not None and not isinstance(self.shape, Outline):
            raise fail(TypeError, "shape", "an Outline (Ellipses, Strip...) or None", self.shape)
        if self.jitter is not None and not isinstance(self.jitter, Jitter):
            raise fail(TypeError, "jitter", "Jitter or None", self.jitter)
        if self.filling is not None and not isinstance(self.filling, Filling):
            raise fail(TypeError, "filling", "Filling or None", self.filling)

    @property
    def size(self) -> Size:
        """(height, width) of the patch after resizing."""
        return self.destination_box.size

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types for `from_dict`."""
        plain: dict[str, Any] = {
            "source_box": list(self.source_box),
            "destination_box": list(self.destination_box),
            "factor": self.factor,
            "gradient": self.gradient,
            "shape": None if self.shape is None else self.shape.to_dict(),
        }
        more = {"jitter": self.jitter, "filling": self.filling}
        return plain | {name: value.to_dict() for name, value in more.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PatchPlacement:
        """Inverse of `to_dict`; ValueError or TypeError on anything else."""
        optional = {"factor", "gradient", "shape", "jitter", "filling"}
        _check_keys("patch", data, {"source_box", "destination_box"}, optional)
        readers = {"shape": outline_from_dict, "jitter": Jitter.from_dict, "filling": Filling.from_dict}
        read = {name: reader(data[name]) for name, reader in readers.items() if data.get(name) is not None}
        return cls(**{**data, **read})


@dataclass(frozen=True)
class SynthesisPlan:
    """Everything random about one synthetic anomaly; applying it is deterministic.

    Parameters
    ----------
    image_shape, source_shape : (height, width)
        Sizes of the image and of the source as given, in pixels.
    patches : tuple of PatchPlacement
        In the order of blending; empty if no patch could be placed.
    given_up : tuple of GivenUp
        Patches that were tried and given up, with reasons. Ignored in comparisons and in `to_dict`.
    source_fit : "resize" or "native"
        Whether the source was resized to the size of the image, or used at its own.
    task : str or None
        The part of a mixture that drew the plan.
    severity : float
        In [0, 1]: factor by which the change of the image is multiplied.

    Examples
    --------
    >>> patch = PatchPlacement((33, 68, 83, 112), (24, 13, 87, 69), gradient="source")
    >>> plan = SynthesisPlan((256, 256), (256, 256), (patch,))
    >>> SynthesisPlan.from_dict(plan.to_dict()) == plan
    True
    """

    image_shape: Size
    source_shape: Size
    patches: tuple[PatchPlacement, ...] = ()
    given_up: tuple[GivenUp, ...] = field(default=(), compare=False, repr=False)
    source_fit: str = "resize"
    task: str | None = None
    severity: float = 1.0

    def __post_init__(self) -> None:
        set_field(self, "image_shape", _check_size("image_shape", self.image_shape))
        set_field(self, "source_shape", _check_size("source_shape", self.source_shape))
        accepted = "a sequence of PatchPlacement"
        if not isinstance(self.patches, (list, tuple)):
            raise fail(TypeError, "patches", accepted, self.patches)
        if wrong := [patch for patch in self.patches if not isinstance(patch, PatchPlacement)]:
            raise fail(TypeError, "patches", accepted, wrong[0])
        set_field(self, "patches", tuple(self.patches))
        check_choice("source_fit", self.source_fit, SOURCE_FITS)
        if self.task is not None and not isinstance(self.task, str):
            raise fail(TypeError, "task of plan", "the name of a task, or None", self.task)
        set_field(self, "severity", check_number("severity of plan", self.severity, 0, 1))

    @property
    def left_normal(self) -> bool:
        """Whether the image stays normal on purpose; unknown after a round trip through JSON."""
        return any(patch.reason is Reason.LEFT_NORMAL for patch in self.given_up)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: dict, list, str, int, float, None."""
        plain: dict[str, Any] = {
            "version": VERSION,
            "image_shape": list(self.image_shape),
            "source_shape": list(self.source_shape),
            "patches": [patch.to_dict() for patch in self.patches],
        }
        given = {name: getattr(self, name) for name in _OPTIONAL}
        return plain | {name: value for name, value in given.items() if value != _OPTIONAL[name]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SynthesisPlan:
        """Build a plan from `to_dict` or from JSON; ValueError or TypeError names the first wrong part."""
        _check_keys("plan", data, {"version", "image_shape", "source_shape", "patches"}, _OPTIONAL.keys())
        if check_integer("plan version", data["version"], 1) != VERSION:
            raise fail(ValueError, "plan version", str(VERSION), data["version"])
        if not isinstance(data["patches"], (list, tuple)):
            raise fail(TypeError, "patches", "a list of patches", data["patches"])
        return cls(
            image_shape=data["image_shape"],
            source_shape=data["source_shape"],
            patches=tuple(PatchPlacement.from_dict(patch) for patch in data["patches"]),
            **{name: data[name] for name in _OPTIONAL if name in data},
        )

    def of_severity(self, severity: float) -> SynthesisPlan:
        """The same plan with another severity."""
        return self if severity == self.severity else replace(self, severity=severity)

    def of_task(self, name: str) -> SynthesisPlan:
        """The same plan, marked as drawn by a part of a mixture."""
        return replace(self, task=name)

    def check(self, image_shape: Size, source_shape: Size) -> None:
        """Raise ValueError unless the plan was drawn for images of these sizes and stays inside them."""
        if self.image_shape != image_shape:
            raise fail(ValueError, "image", f"of the plan's image_shape {self.image_shape}", image_shape)
        if self.source_shape != source_shape:
            raise fail(ValueError, "source", f"of the plan's source_shape {self.source_shape}", source_shape)
        image = Box(0, 0, *image_shape)
        source = image if self.source_fit == "resize" else Box(0, 0, *source_shape)
        for patch in self.patches:
            boxes = ("source_box", patch.source_box, source), ("destination_box", patch.destination_box, image)
            for name, box, whole in boxes:
                if not whole.contains(box):
                    raise fail(ValueError, name, f"inside the {whole.y1} x {whole.x1} image", tuple(box))
