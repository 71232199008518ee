"""Which library with the import name `albumentations` is installed, and the base class for it."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

import albumentations as A

SUPPORTED = "albumentations 2.0.8 and AlbumentationsX 2.5 or newer"


def host_module(version: str, base: type[Any]) -> str:
    """Name of the module that fits the installed library.

    Parameters
    ----------
    version : str
        Its version.
    base : type
        Its `BasicTransform`.

    Raises
    ------
    ImportError
        If it is neither of the two that are supported.

    Examples
    --------
    >>> class Basic:
    ...     def sample_parameters(self): ...
    ...     def apply_in_invocation(self): ...
    >>> host_module("2.5.1", Basic)
    'albumentationsx'
    """
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    of_x = all(hasattr(base, name) for name in ("sample_parameters", "apply_in_invocation"))
    if numbers >= (2, 5) and of_x:
        return "albumentationsx"
    if numbers == (2, 0, 8) and hasattr(base, "get_params_dependent_on_data"):
        return "albumentations2"
    raise ImportError(
        f"nsa_augment.integrations.albumentations supports {SUPPORTED}, found {version}: "
        "pip install 'nsa-augment[albumentations]' or 'nsa-augment[albumentationsx]'"
    )


HOST = host_module(A.__version__, A.BasicTransform)
HostTransform: Any = import_module(f"{__package__}.{HOST}").HostTransform
