"""Table 5 of the paper, written down apart from the package: what tells the tasks from one another."""

from dataclasses import dataclass

import pytest

from nsa_augment import (
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
)

COMMON_LABELS = ("binary", "continuous", "logistic")
SELECTIONS = ("natural", "cutpaste", "cutpaste_scar", "fine_scar", "fpi")
KINDS = [(selection, None) for selection in SELECTIONS]
KINDS += [(selection, "ellipses") for selection in SELECTIONS if "scar" not in selection]  # strips have a shape
KINDS += [("natural", "noise"), ("cutpaste", "polygon"), ("fpi", "stroke")]


@dataclass(frozen=True)
class Row:
    """A task, and what its plans and results have to look like."""

    name: str
    task: type
    blending: str
    gradients: tuple  # that its plans may hold
    shift: bool
    factor: bool

    @property
    def poisson(self):
        return self.blending == "poisson"

    @property
    def exact(self):
        """Arguments with which results equal those of the published code bit for bit."""
        return {"solver": "opencv"} if self.poisson else {}

    @property
    def labels(self):
        return (*COMMON_LABELS, "factor") if self.factor else COMMON_LABELS

    @property
    def needs_source(self):
        return self.name != "cutpaste"


ROWS = {
    row.name: row
    for row in (
        Row("nsa", NaturalSyntheticAnomaly, "poisson", ("source", "mixed"), True, False),
        Row("cutpaste", CutPasteAnomaly, "copy", (None,), True, False),
        Row("fpi", ForeignPatchInterpolation, "linear", (None,), False, True),
        Row("pii", PoissonImageInterpolation, "poisson", ("mixed",), False, True),
    )
}


def row_of(task):
    (found,) = [row for row in ROWS.values() if row.task is type(task)]
    return found


def each_row(keep=lambda row: True):
    """Parametrise a test by the tasks that meet a condition."""
    return pytest.mark.parametrize("row", [row for row in ROWS.values() if keep(row)], ids=lambda row: row.name)
