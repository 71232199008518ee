"""torchvision where its compiled operators do not load: two declarations are all that importing it needs."""

import importlib
import sys

import pytest

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_DECLARED = []


def load():
    """The torchvision module; skips the caller, with the reason, where it cannot be loaded."""
    torch = pytest.importorskip("torch", reason="torchvision needs torch, which is not installed")
    try:
        return importlib.import_module("torchvision")
    except ModuleNotFoundError:
        pytest.skip("torchvision is not installed", allow_module_level=True)
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for operator in OPERATORS:
        library.define(operator)
    _DECLARED.append(library)  # the declarations last as long as it
    try:
        return importlib.import_module("torchvision")
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"torchvision does not load: {error}", allow_module_level=True)
