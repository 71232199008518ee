"""What cannot be collected on every machine."""

import sys
from importlib.util import find_spec

collect_ignore_glob = []
if find_spec("torch") is None:
    collect_ignore_glob += ["nsa_augment/integrations/torch/*"]
if sys.platform == "win32":  # these fork processes or send them signals
    names = ("dataloader", "generate_cluster", "generate_robustness", "generate_workers", "torch_*", "train_detector")
    collect_ignore_glob += [f"tests/test_{name}.py" for name in names]
