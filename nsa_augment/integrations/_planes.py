"""Telling images from volumes."""

from __future__ import annotations

from nsa_augment._shared.checks import check_integer


def check_planes(name: str, channels: int, max_channels: int) -> None:
    """Raise if a (C, H, W) image may be a (D, H, W) volume.

    Parameters
    ----------
    name : str
        Name of the image in errors.
    channels : int
        Length of the first axis.
    max_channels : int
        Most channels; more are taken for the slices of a volume.

    Examples
    --------
    >>> check_planes("image", 3, max_channels=4)
    """
    if channels > check_integer("max_channels", max_channels, 1):
        raise ValueError(
            f"{name} must have at most max_channels={max_channels} channels, got {channels}: this package is 2-D only, "
            "volumes are refused (raise max_channels if these are channels)"
        )
