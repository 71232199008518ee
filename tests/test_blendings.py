"""`blending=`: any blending joins the patches of any task."""

import itertools

import numpy as np
import oracle
import pytest
from strategies import draw_object, draw_pixels
from table5 import ROWS, each_row

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment import blending as blendings
from nsa_augment.blending.poisson import Poisson
from nsa_augment.blending.solvers.spectral import Spectral

BLENDINGS = ("copy_paste", "feather", "linear", "poisson", "silhouette")
ORACLES = {"copy_paste": "copy", "feather": "feather", "linear": "linear"}


def images(seed=0):
    return draw_pixels(seed, (60, 50, 3)), draw_pixels(seed + 1, (60, 50, 3))


@each_row()
@pytest.mark.parametrize("blending", ORACLES)
def test_pixels_are_those_of_the_blending(row, blending):
    changed = 0
    for seed in range(10):
        image, source = images(seed)
        masks = draw_object(seed, (60, 50)), draw_object(seed + 7, (60, 50))
        task = row.task(blending=blending, min_object=0, min_overlap=0)
        result = task(image, source, seed, mask=masks[0], source_mask=masks[1])
        objects = masks[1].astype(np.uint8), masks[0].astype(np.uint8)
        expected = oracle.blend(ORACLES[blending], image, source, result.plan, objects)
        np.testing.assert_array_equal(result.image, expected)
        assert {patch.gradient for patch in result.plan.patches} <= {None}
        changed += bool((result.image != image).any())
    assert changed > 5


@each_row(lambda row: not row.poisson)
def test_poisson_for_tasks_of_another_blending(row):
    for seed in range(5):
        image, source = images(seed)
        result = row.task(blending="poisson")(image, source, seed)
        expected = oracle.blend("poisson", image, source, result.plan)
        assert {patch.gradient for patch in result.plan.patches} <= {"source"}
        np.testing.assert_allclose(result.image.astype(int), expected.astype(int), atol=len(result.plan.patches) + 1)


@each_row()
def test_small_patches_are_given_up_by_what_the_blending_needs(row):
    limits = {"height_range": (0.06, 0.08), "width_range": (0.06, 0.08)}
    image, source = images()
    for blending, kept in (("copy_paste", True), ("poisson", False)):
        plans = [row.task(blending=blending, **limits).plan(image, source, seed) for seed in range(20)]
        assert any(plan.patches for plan in plans) == kept


class Demanding(Poisson):
    """Says anew what fits, of footprints alone."""

    def fits(self, footprint):
        return bool(footprint.sum() > 200)


@pytest.mark.parametrize("blending", [*(kind() for kind in blendings.BLENDINGS.values()), Demanding()])
def test_rectangles_fit_as_their_footprints_do(blending):
    for size in [*itertools.product(range(1, 14), repeat=2), (20, 20), (6, 90)]:
        assert blending.fits_rectangle(size) == blending.fits(blending.footprint(np.ones(size, np.uint8)))


@pytest.mark.parametrize("changed", [{"blending": "nowhere"}, {"solver": "halved"}])
def test_what_a_subclass_changes_counts_for_rectangles(monkeypatch, changed):
    for registry in (blendings.BLENDINGS, blendings.SOLVERS):
        monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))

    class Nowhere(Poisson):
        name = "nowhere"

        def region(self, footprint, objects):
            return np.zeros_like(footprint)

    class Halved(Spectral):
        name = "halved"

        @staticmethod
        def clone(canvas, source, mask, gradient, max_value):
            Spectral.clone(canvas, source, mask // 2, gradient, max_value)

    image, source = images()
    masks = {"mask": draw_object(0, (60, 50)), "source_mask": draw_object(1, (60, 50))}
    usual, unusual = NaturalSyntheticAnomaly(), NaturalSyntheticAnomaly(**changed)
    plan = next(plan for seed in range(99) if (plan := usual.plan(image, source, seed, **masks)).patches)
    expected, found = (task.apply(image, source, plan, **masks) for task in (usual, unusual))
    cut = unusual.apply(image, source, plan, **masks, out=image.copy())
    assert not (np.array_equal(expected.mask, found.mask) and np.array_equal(expected.image, found.image))
    np.testing.assert_array_equal(found.image, cut.image)
    np.testing.assert_array_equal(found.mask, cut.mask)


def test_read_only_sources_give_the_same_pixels():
    image, source = images()
    shown = source.copy()
    shown.flags.writeable = False
    results = [NaturalSyntheticAnomaly()(image, given, 0) for given in (source, shown)]
    np.testing.assert_array_equal(results[0].image, results[1].image)
    assert (results[0].image != image).any()


@pytest.mark.parametrize(("given", "error"), [("swirl", ValueError), (None, TypeError), (3, TypeError)])
def test_unknown_blendings_are_refused(given, error):
    for row in ROWS.values():
        with pytest.raises(error, match=f"blending must be one of {', '.join(map(repr, BLENDINGS))}, got"):
            row.task(blending=given)


def test_presets_take_another_blending():
    assert NaturalSyntheticAnomaly.from_preset("screw", blending="copy_paste").blending == "copy_paste"
