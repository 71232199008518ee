"""The layouts of a dataset: where files go, and which files a layout adds to images, masks and labels."""

from nsa_augment.datasets.layouts.base import LAYOUTS, Layout
from nsa_augment.datasets.layouts.coco import CocoLayout
from nsa_augment.datasets.layouts.masks import MasksLayout
from nsa_augment.datasets.layouts.mvtec import MVTecLayout
from nsa_augment.datasets.layouts.yolo import YoloLayout

__all__ = ["LAYOUTS", "CocoLayout", "Layout", "MVTecLayout", "MasksLayout", "YoloLayout"]
