"""Module names of version 0.1, kept for one more release."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MOVED = {
    "anomaly_task": ("tasks.base", "tasks.arguments"),
    "blending.opencv": ("blending.solvers.opencv",),
    "blending.spectral": ("blending.solvers.spectral",),
    "cache": ("_shared.cache",),
    "calibration.placing": ("calibration._placing",),
    "calibration.preset_text": ("calibration.preset_files",),
    "calibration.sample": ("calibration._picking",),
    "checks": ("_shared.checks", "_shared.scale"),
    "datasets.chunks": ("datasets._chunks",),
    "datasets.cluster": ("datasets._cluster",),
    "datasets.contact": ("datasets._contact",),
    "datasets.items": ("datasets._items",),
    "datasets.journal": ("datasets._journal",),
    "datasets.polygons": ("datasets._polygons",),
    "datasets.processes": ("datasets._processes",),
    "datasets.workspace": ("datasets._workspace",),
    "disk_median": ("labelling.disk_median",),
    "foreground": ("scenes.foreground",),
    "geometry": ("planning.arguments", "planning.selection"),
    "images": ("_shared.images",),
    "jitter": ("planning.jitter",),
    "kernels": ("_shared.compiled", "_shared.medians"),
    "labels": ("labelling.labels", "labelling.change"),
    "page": ("_shared.page",),
    "placement": ("planning.placement", "planning.sizes"),
    "plan": ("planning.plan",),
    "presets": ("tasks.presets",),
    "resizing": ("_shared.resizing",),
    "sampling": ("planning._draws",),
    "scene": ("scenes.scene",),
    "selection": ("planning.selection", "planning.sizes"),
    "shapes": ("planning.outlines",),
    "types": ("_shared.types", "_shared.boxes"),
}
"""Where the content of a module is now, below `nsa_augment`."""

RENAMED = {
    "Geometry": "PlanArguments",
    "PatchShape": "Outline",
    "Shape": "Size",
    "shape_from_dict": "outline_from_dict",
}
"""What the names of a moved module are now, where they are others."""


class _MovedModules(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        return ModuleSpec(fullname, self) if package == __package__ and name in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        places = [f"{__package__}.{name}" for name in MOVED[module.__name__.partition(".")[2]]]
        message = f"{module.__name__} is now {' and '.join(places)}; the next release drops the old name"
        warnings.warn(message, DeprecationWarning, stacklevel=2)

        def find(name: str) -> Any:
            name = RENAMED.get(name, name)
            for place in map(import_module, places):
                if hasattr(place, name):
                    return getattr(place, name)
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__getattr__ = find  # type: ignore[method-assign]


def install() -> None:
    """Have the old names found once no module has them."""
    if not any(isinstance(finder, _MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(_MovedModules())
