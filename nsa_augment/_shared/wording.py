"""Wording of messages."""

from __future__ import annotations


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """A number and its noun; `plural` defaults to the singular with an s.

    Examples
    --------
    >>> counted(1, "image"), counted(0, "image"), counted(2, "patch", "patches")
    ('1 image', '0 images', '2 patches')
    """
    return f"{count} {singular if count == 1 else plural or f'{singular}s'}"
