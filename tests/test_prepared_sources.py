"""A prepared source belongs to an object model: another task of the same model may use it, others refuse it."""

import numpy as np
import pytest
from table5 import each_row

from nsa_augment import CutPasteAnomaly, NaturalSyntheticAnomaly
from nsa_augment.samples import draw_sample

IMAGE, SOURCE = (draw_sample("bolt", index, size=96).image for index in range(2))


def found(image):
    return image.mean(axis=2) < 140


@each_row()
@pytest.mark.parametrize("background", [(200, 60), [(200, 60), (20, 20)], found])
def test_another_model_is_refused(row, background):
    owner = row.task(background=background)
    prepared = owner.prepare_source(SOURCE, (96, 96))
    plan = owner.plan(IMAGE, prepared, 0)
    for other in ((200, 61), (20, 20), lambda image: found(image), None):
        task = row.task(background=other)
        for call, last in ((task, 0), (task.plan, 0), (task.apply, plan)):
            with pytest.raises(ValueError, match="source must be prepared by a task of the same object model"):
                call(IMAGE, prepared, last)


@each_row()
def test_another_scale_is_refused(row):
    image, source = IMAGE.astype(np.uint16) * 16, SOURCE.astype(np.uint16) * 16
    prepared = row.task(max_value=4095).prepare_source(source, (96, 96))
    with pytest.raises(ValueError, match=r"source must be prepared by .*max_value=None.*got .*max_value=4095"):
        row.task()(image, prepared, 0)


@pytest.mark.parametrize("background", [None, (200, 60), found])
def test_other_tasks_of_the_same_model_share_it(background):
    prepared = NaturalSyntheticAnomaly(background=background).prepare_source(SOURCE, (96, 96))
    task = CutPasteAnomaly(background=background)
    np.testing.assert_array_equal(task(IMAGE, prepared, 3).image, task(IMAGE, SOURCE, 3).image)


@each_row()
def test_a_source_prepared_with_a_mask_fits_any_model(row):
    mask = found(SOURCE)
    prepared = row.task(background=None).prepare_source(SOURCE, (96, 96), mask)
    for background in (None, (200, 60)):
        task = row.task(background=background)
        plain = task(IMAGE, SOURCE, 5, source_mask=mask)
        np.testing.assert_array_equal(task(IMAGE, prepared, 5).image, plain.image)
