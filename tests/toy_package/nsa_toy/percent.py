"""A label: the mean change of the channels in percent of the full scale, where it is visible."""

import numpy as np

from nsa_augment import Label


class Percent(Label):
    name = "percent"
    unit = "percent"
    maximum = 100.0
    file_scale = 655

    def compute(self, area):
        return (area.mask * (100 / 255 / area.channels * area.change)).astype(np.float32)
