"""Task arguments for the label of a change."""

from __future__ import annotations

from dataclasses import dataclass

from nsa_augment._shared.checks import check_number, set_field
from nsa_augment.labelling.labels import LABELS


@dataclass(frozen=True, kw_only=True)
class LabelArguments:
    """The kind of label, and the parameters of the logistic one; see `NaturalSyntheticAnomaly`."""

    label: str = "binary"
    logistic_midpoint: float = 7.0
    logistic_steepness: float = 1 / 3

    def __post_init__(self) -> None:
        if (reason := LABELS.check("label", self.label).unsuited(type(self))) is not None:
            suited = [name for name, kind in LABELS.items() if kind.unsuited(type(self)) is None]
            accepted = f"one of {', '.join(map(repr, suited))} for {type(self).__name__}"
            raise ValueError(f"label must be {accepted}, got {self.label!r}: {reason}")
        set_field(self, "logistic_midpoint", check_number("logistic_midpoint", self.logistic_midpoint, 0, 255))
        set_field(self, "logistic_steepness", check_number("logistic_steepness", self.logistic_steepness, 0))
