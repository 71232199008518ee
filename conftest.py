"""Modules that are for a library which is not installed are not collected."""

from importlib.util import find_spec

ALBUMENTATIONS = "nsa_augment/integrations/albumentations"
collect_ignore = []
if find_spec("albumentations") is None:
    collect_ignore.append(ALBUMENTATIONS)
else:
    from nsa_augment.integrations.albumentations.hosts import HOST

    collect_ignore += [f"{ALBUMENTATIONS}/{name}.py" for name in ("albumentations2", "albumentationsx") if name != HOST]
