"""The folder of normal images: digests of its files, and which of them are damaged."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from nsa_augment._shared.images import list_images
from nsa_augment._shared.soundness import check_damaged, damage, on_every_file


def read_folder(
    folder: Path, recursive: bool, skip_damaged: bool, known: Collection[str]
) -> tuple[dict[str, str], list[str]]:
    """SHA-256 of the images by name, and the names of damaged ones, an error unless skipped."""
    files = list_images(folder, recursive=recursive)

    def examine(file: Path) -> tuple[str, str | None]:
        try:
            found = digest(read_bytes(file))
        except ValueError as error:
            return "", str(error)
        return found, None if found in known else damage(file)

    names = [file.relative_to(folder).as_posix() for file in files]
    examined = dict(zip(names, on_every_file(examine, files), strict=True))
    damaged = {name: reason for name, (_, reason) in examined.items() if reason is not None}
    check_damaged(damaged, len(files), skip_damaged)
    return {name: found for name, (found, reason) in examined.items() if reason is None}, list(damaged)


def digest(data: bytes) -> str:
    """SHA-256 as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path) -> bytes:
    """Content of an image file; ValueError that names it if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read image file {path}: {error.strerror or error}") from error
