"""Pages of pictures never cut off their text, whatever the size of the tiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsa_augment._shared.page import INK, MARGIN, ColourBar, Row, draw_page, text_width, wrapped
from nsa_augment.calibration import calibrate
from nsa_augment.cli.calibration_page import calibration_page
from nsa_augment.samples import draw_sample

texts = st.text(st.characters(codec="latin-1"), max_size=80)


@settings(max_examples=40)
@given(
    text=texts,
    columns=st.lists(texts, min_size=1, max_size=3),
    sides=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    bar=st.text("abc ", min_size=1, max_size=40).filter(str.strip),
)
def test_the_margin_stays_empty(text, columns, sides, bar):
    columns = [" ".join(name.split()) for name in columns]
    tile = np.zeros((*sides, 3), np.uint8)
    rows = [Row(text, [tile] * count) for count in range(1, len(columns) + 1)] + [
        Row("", [tile, *[None] * (len(columns) - 1)])
    ]
    page = draw_page(text, columns, rows, [ColourBar(bar, 1.0)])
    for edge in (page[:, -MARGIN // 4 :], page[-MARGIN // 4 :]):
        assert (edge == 255).all()


@given(texts, st.integers(1, 40), st.integers(20, 300))
def test_wrapped_text_is_whole_and_fits(text, size, width):
    lines = wrapped(text, size, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, size) <= width or len(line) == 1 for line in lines)


@pytest.mark.parametrize("size", [(200, 12), (40, 400), (96, 96)])
@pytest.mark.parametrize("level", [3, 120, 240])
def test_calibration_pages(size, level):
    """Next to the histogram, levels near either end are named inside the page."""
    images = [np.full((*size, 3), level, np.uint8) for _ in range(3)]
    for index, image in enumerate(images):
        height, width = size[0] // 3, size[1] // 3
        image[height : 2 * height, width : 2 * width + index] = 128 - level // 2
    page = calibration_page(calibrate(images), "a name that is much too long to stand in one line " * 4, 0)
    assert (page[:, -MARGIN // 4 :] == 255).all()


def test_text_uses_the_width_up_to_the_margin():
    image = draw_sample("tablet", 0, size=64).image
    page = draw_page("title", ("left",), [Row("m" * 300, [image])], [])
    ink = np.flatnonzero((page == INK).all(axis=2).any(axis=0))
    assert page.shape[1] - MARGIN - ink.max() < 20
