"""Images and transforms for the tests of arguments in albumentations."""

from pipelines import (
    TEXTURE,
    VISIBLE,
    normals,
)

from nsa_augment import NSA

IMAGE = normals()[0]


OTHERS = normals()[1:]


def nsa(p=1.0, sources=OTHERS, **arguments):
    return NSA(TEXTURE, sources, p=p, **VISIBLE, **arguments)
