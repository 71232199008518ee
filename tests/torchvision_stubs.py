"""torchvision, also beside a PyTorch that its compiled operators are not for (PyTorch for the CPU, say)."""

from importlib.util import find_spec

OPERATORS = ("nms", "qnms")
"""Operators that importing torchvision needs; nothing that tests use calls them."""
_LIBRARIES = []  # an operator is there as long as its library is


def load():
    """The torchvision module; skips the test (or the module) that asks where it cannot be imported."""
    import pytest

    pytest.importorskip("torch", reason="torchvision needs torch")
    if find_spec("torchvision") is None:
        pytest.skip("torchvision is not installed", allow_module_level=True)
    declare_operators()
    import torchvision
    import torchvision.transforms.v2
    import torchvision.tv_tensors

    return torchvision


def declare_operators():
    """Declare the operators that torchvision's own code does not define here, so that it can be imported.

    Returns whether that was necessary. To be called before anything looks whether torchvision can be imported.
    """
    if not (find_spec("torch") and find_spec("torchvision")):
        return False
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        if "does not exist" not in str(error):
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in OPERATORS:
            if not hasattr(torch.ops.torchvision, name):
                library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARIES.append(library)
        return True
    return False
