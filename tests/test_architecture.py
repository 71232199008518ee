"""What CONTRIBUTING.md promises about the package: who may import whom, what is public, what importing costs."""

import ast
import importlib
import sys
import warnings
from pathlib import Path

import pytest
from pipelines import run_python

import nsa_augment
from nsa_augment._moved import MOVED, RENAMED

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nsa_augment"
LAYERS = (
    ("_shared",),
    ("scenes", "blending", "labelling", "samples"),
    ("planning",),
    ("synthesis",),
    ("tasks",),
    ("sources",),
    ("calibration", "datasets", "integrations"),
    ("cli",),
)
"""Folders and modules of the package; each imports those of earlier lines and itself, nothing else."""
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
FACE = {"__init__.py", "_moved.py"}
"""The package itself: it imports from every layer."""
MAX_LINES = 320
OLD_NAMES = {
    "anomaly_task": "Task LABELS AnomalyTask",
    "blending.opencv": "clone_opencv",
    "blending.spectral": "EROSION TIE_SLACK clone_spectral solve_poisson",
    "cache": "BoundedCache",
    "checks": "FULL_SCALES fail check_integer check_numbers check_range check_choice check_object_mask check_pair",
    "disk_median": "DISK_RADIUS DISK_PIXELS BLOCK Ranks disk_median",
    "foreground": "MEDIAN_RADIUS FLOAT_RESOLUTION Pairs Intervals check_background object_mask Foreground",
    "geometry": "Geometry SELECTIONS MAX_PATCHES NATURAL_GAMMA",
    "images": "SUFFIXES PNG_OPTIONS list_images read_image encode_png",
    "jitter": "MAX_JITTER Jitter",
    "kernels": "compiled binary_median",
    "labels": "Change label_areas difference change_mask continuous_label logistic_label factor_label",
    "page": "Pixels Row ColourBar colours draw_page",
    "placement": "resized_size draw_destination",
    "plan": "VERSION PatchPlacement SynthesisPlan",
    "presets": "PRESETS ABLATIONS FILE_SUFFIXES preset_arguments",
    "resizing": "RESIZE_CHANNELS resize resize_map",
    "sampling": "DRAWS ELLIPSE_COUNT Extent draw_rectangle draw_mask draw_ellipse_patch rasterise_ellipses",
    "scene": "SIZE_TOLERANCE PreparedSource Scene prepare_source",
    "selection": "CUTPASTE_AREA CUTPASTE_ASPECTS FPI_SIDE HalfSizes SourcePatch draw_source_patch",
    "shapes": "Ellipses Strip PatchShape shape_from_dict",
    "types": "Image BinaryMap Box Shape Gradient BackgroundModel",
}
"""Public names of version 0.1 by module."""


def imported_modules(path):
    """Full names of what a file of the package imports, wherever in the file; a name in a module counts as one."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def own_imports():
    """(file, names below the package of what it imports of the package) for every import below the face."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).parts
        if parts[0] not in FACE:
            for module in imported_modules(path):
                name, *below = module.split(".")
                if name == PACKAGE.name:
                    yield path.relative_to(PACKAGE), below


def test_every_folder_has_a_layer():
    parts = {path.stem for path in PACKAGE.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert parts - {"__pycache__"} - {Path(name).stem for name in FACE} == set(LEVEL)


def test_nothing_imports_upward():
    imports = list(own_imports())
    assert len({path for path, _ in imports}) > 50
    wrong = [
        f"{path} imports {'.'.join(below)}"
        for path, below in imports
        for part in [Path(path.parts[0]).stem]
        if below[0] != part and LEVEL.get(below[0], len(LAYERS)) >= LEVEL[part]
    ]
    assert wrong == []


def test_private_modules_stay_in_their_folder():
    wrong = [
        f"{path} imports {'.'.join(below)}"
        for path, below in own_imports()
        for private in [next((at for at, name in enumerate(below[1:], 1) if name.startswith("_")), None)]
        if private is not None and list(path.parts[:private]) != below[:private]
    ]
    assert wrong == []


def test_only_public_names_are_shown():
    names = dir(nsa_augment)
    assert {name for name in names if name.startswith("_")} == {"__version__"}
    assert set(nsa_augment.__all__) <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", dir(nsa_augment))
def test_every_name_shown_is_there(name):
    assert getattr(nsa_augment, name) is not None


def import_old(old, path):
    """The module under its old name, imported by line 3 of a file, and the warnings."""
    name = f"nsa_augment.{old}"
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            exec(compile(f"\n\nimport {name}", path, "exec"), {"__name__": "elsewhere"})
        return sys.modules[name], caught
    finally:
        sys.modules.pop(name, None)
        parent, _, last = name.rpartition(".")
        vars(sys.modules[parent]).pop(last, None)


@pytest.mark.parametrize("old", MOVED)
def test_an_old_module_name_warns_where_it_is_imported(old):
    assert not (PACKAGE / f"{old.replace('.', '/')}.py").exists()
    _, caught = import_old(old, "theirs.py")
    assert [(warning.category, warning.filename, warning.lineno) for warning in caught] == [
        (DeprecationWarning, "theirs.py", 3)
    ]
    assert all(f"nsa_augment.{place}" in str(caught[0].message) for place in MOVED[old])


@pytest.mark.parametrize("old", OLD_NAMES)
def test_an_old_module_has_its_names(old):
    module, _ = import_old(old, "theirs.py")
    places = [importlib.import_module(f"nsa_augment.{place}") for place in MOVED[old]]
    for name in OLD_NAMES[old].split():
        now = RENAMED.get(name, name)
        assert any(getattr(module, name) is getattr(place, now, None) for place in places), name
    with pytest.raises(AttributeError, match=f"nsa_augment.{old}.*no attribute 'nothing'"):
        _ = module.nothing


def test_files_are_short():
    folders = [PACKAGE, *(ROOT / name for name in ("tests", "examples", "benchmarks"))]
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in folder.rglob("*.py")
    }
    assert len(lengths) > 150
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_importing_the_package_loads_numpy_opencv_and_numba_only():
    code = """
import sys
import cv2, numba, numpy

def packages():
    return {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names

before = packages()
import nsa_augment
dir(nsa_augment)
print(sorted(packages() - before))
"""
    assert run_python(code).strip() == "['nsa_augment']"
