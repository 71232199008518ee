"""Registries of kinds: what is taken in, what is refused, and what other packages announce."""

import sys
import threading

import pytest

from nsa_augment._shared import registry as module
from nsa_augment._shared.registry import Registry, modules_of_other_packages


@pytest.fixture
def gadgets(monkeypatch):
    """A registry that the rest of the process never hears of."""
    monkeypatch.setattr(module, "_REGISTRIES", {})
    return Registry("gadgets")


@pytest.fixture
def base(gadgets):
    class Gadget:
        def __init_subclass__(cls):
            gadgets.register(cls)

    return Gadget


@pytest.fixture
def announced(tmp_path, monkeypatch):
    """Installs modules, and a distribution that announces gadgets in them."""
    monkeypatch.syspath_prepend(tmp_path)

    def install(entry_points, **modules):
        info = tmp_path / "gadget_maker-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gadget-maker\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[nsa_augment.gadgets]\n{entry_points}\n")
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)

    known = set(sys.modules)
    yield install
    for name in set(sys.modules) - known:
        del sys.modules[name]


def gadget(name, where="made"):
    """Text of a module that defines a gadget without the base class of the tests."""
    return (
        "from nsa_augment._shared import registry\n"
        f"class Gadget:\n    name = {name!r}\n    where = {where!r}\n"
        "registry._REGISTRIES['nsa_augment.gadgets'].register(Gadget)\n"
    )


def test_a_class_registers_itself_when_it_is_defined(gadgets, base):
    class First(base):
        name = "first"

    class Second(base):
        name = "second_2"

    assert dict(gadgets) == {"first": First, "second_2": Second}
    assert list(gadgets) == ["first", "second_2"]
    assert len(gadgets) == 2
    assert "first" in gadgets
    assert "third" not in gadgets
    assert 1 not in gadgets
    assert repr(gadgets) == "<nsa_augment.gadgets: first, second_2>"


def test_a_class_without_a_name_of_its_own_is_a_base(gadgets, base):
    class Named(base):
        name = "named"

    class Nameless(base):
        pass

    class Inherits(Named):
        pass

    assert dict(gadgets) == {"named": Named}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("Upper", ValueError),
        ("two words", ValueError),
        ("with-dash", ValueError),
        ("", ValueError),
        ("1st", ValueError),
        (None, TypeError),
        (3, TypeError),
    ],
)
def test_a_name_is_a_lowercase_identifier(name, error, gadgets, base):
    with pytest.raises(error) as caught:
        type("Odd", (base,), {"name": name})
    assert "name of Odd must be a lowercase identifier, got" in str(caught.value)
    assert repr(name) in str(caught.value)
    assert len(gadgets) == 0


def test_a_name_that_is_taken_is_an_error(gadgets, base):
    class First(base):
        name = "same"

    with pytest.raises(
        ValueError, match=r"name of .*Other must not be taken in nsa_augment\.gadgets, got 'same', .*First"
    ):

        class Other(base):
            name = "same"

    assert dict(gadgets) == {"same": First}


def test_a_class_that_is_defined_again_replaces_itself(gadgets, base):
    """As when a cell of a notebook is run again."""

    def define():
        class Cell(base):
            name = "cell"

        return Cell

    old, new = define(), define()
    assert old is not new
    assert dict(gadgets) == {"cell": new}


def test_check_names_argument_value_and_what_is_known(gadgets, base):
    class Known(base):
        name = "known"

    class Also(base):
        name = "also"

    assert gadgets.check("gadget", "also") is Also
    with pytest.raises(ValueError, match=r"^gadget must be one of 'known', 'also', got 'unknown'$"):
        gadgets.check("gadget", "unknown")
    for value in (None, 1, ["known"], Known):
        with pytest.raises(TypeError, match=r"^gadget must be one of 'known', 'also', got "):
            gadgets.check("gadget", value)
    with pytest.raises(KeyError, match="unknown"):
        gadgets["unknown"]


def test_entry_points_are_imported_once_and_only_when_they_are_needed(gadgets, base, announced):
    class Own(base):
        name = "own"

    announced("made = gadget_made", gadget_made=gadget("made"))
    assert gadgets["own"] is gadgets.check("gadget", "own") is Own
    assert "gadget_made" not in sys.modules
    made = gadgets["made"]
    assert made.where == "made"
    assert list(gadgets) == ["own", "made"]
    del sys.modules["gadget_made"]
    assert gadgets["made"] is made
    assert "gadget_made" not in sys.modules


@pytest.mark.parametrize("ask", [list, len, repr, dict, lambda known: known.get("made"), lambda known: "made" in known])
def test_every_question_about_all_names_imports_entry_points(ask, gadgets, announced):
    announced("made = gadget_made", gadget_made=gadget("made"))
    ask(gadgets)
    assert list(gadgets) == ["made"]


def test_an_entry_point_may_name_the_class_itself(gadgets, announced):
    announced("made = gadget_made:Gadget", gadget_made=gadget("made"))
    assert gadgets.check("gadget", "made").where == "made"


def test_broken_entry_points_are_reported_and_the_others_work(gadgets, announced):
    announced(
        "gone = gadget_gone\nwrong = gadget_wrong\nmade = gadget_made\nfails = gadget_fails",
        gadget_made=gadget("made"),
        gadget_wrong=gadget("right"),
        gadget_fails="raise OSError('no licence')",
    )
    with pytest.warns(RuntimeWarning) as caught:
        assert set(gadgets) == {"made", "right"}
    where = "of gadget-maker in nsa_augment.gadgets"
    assert {str(warning.message) for warning in caught} == {
        f"cannot use 'gone' (gadget_gone) {where}: ModuleNotFoundError: No module named 'gadget_gone'",
        f"cannot use 'wrong' (gadget_wrong) {where}: it defines no class with name = 'wrong'",
        f"cannot use 'fails' (gadget_fails) {where}: OSError: no licence",
    }
    assert {warning.filename for warning in caught} == {__file__}
    assert set(gadgets) == {"made", "right"}  # without another warning


def test_where_warnings_are_errors_the_others_work_too(gadgets, announced):
    announced("gone = gadget_gone\nmade = gadget_made", gadget_made=gadget("made"))
    with pytest.raises(RuntimeWarning, match="gadget_gone"):
        list(gadgets)
    assert list(gadgets) == ["made"]


def test_a_module_may_ask_for_names_while_it_is_imported(gadgets, announced):
    asks = "assert 'made' not in list(registry._REGISTRIES['nsa_augment.gadgets'])\n"
    first, rest = gadget("made").split("\n", 1)
    announced("made = gadget_made", gadget_made=f"{first}\n{asks}{rest}")
    assert list(gadgets) == ["made"]


def test_threads_that_ask_at_once_all_see_every_name(gadgets, announced):
    announced("made = gadget_made", gadget_made=f"import time\ntime.sleep(0.2)\n{gadget('made')}")
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(list(gadgets))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [["made"]] * 4


def test_modules_that_a_new_process_has_to_import(gadgets, base, announced):
    for number, where in enumerate(("nsa_augment.tasks", "__main__", "nsa_augmentation.tasks", "other.gadgets")):
        type("Gadget", (base,), {"name": f"gadget_{number}", "__module__": where})
    announced("made = gadget_made", gadget_made=gadget("made"))
    assert modules_of_other_packages() == ("nsa_augmentation.tasks", "other.gadgets")
    assert "made" in gadgets
    assert modules_of_other_packages() == ("gadget_made", "nsa_augmentation.tasks", "other.gadgets")
