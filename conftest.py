"""What cannot be collected on every machine."""

import sys
from importlib.util import find_spec

INTEGRATIONS = "nsa_augment/integrations"
NEEDS = {
    "albumentations": "albumentations",
    "anomalib": "anomalib",
    "kornia": "kornia",
    "lightning": "lightning",
    "monai": "monai",
    "torch": "torch",
}
"""What is imported by an integration."""

collect_ignore_glob = [f"{INTEGRATIONS}/{name}/*" for name, module in NEEDS.items() if find_spec(module) is None]
if find_spec("albumentations") is not None:
    from nsa_augment.integrations.albumentations.hosts import HOST

    hosts = ("albumentations2", "albumentationsx")
    collect_ignore_glob += [f"{INTEGRATIONS}/albumentations/{name}.py" for name in hosts if name != HOST]
if find_spec("gradio") is None:
    collect_ignore_glob.append("nsa_augment/cli/playground/page.py")
collect_ignore_glob.append("tests/without_unix.py")  # a script that hides parts of the standard library
if sys.platform == "win32":  # these fork processes or send them signals
    generating = ("generate_cluster", "generate_leftovers", "generate_robustness", "generate_workers")
    names = ("dataloader", *generating, "torch_*", "train_detector")
    collect_ignore_glob += [f"tests/test_{name}.py" for name in names]
