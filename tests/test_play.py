"""The functions behind `nsa-augment play`, and the page itself in a browser."""

import json
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import fields
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from commands import run
from pipelines import run_python
from test_optional_imports import BLOCK

from nsa_augment import NaturalSyntheticAnomaly
from nsa_augment.cli.playground.choice import (
    CALLS,
    TILES,
    Choice,
    calibrated,
    figures,
    folder_supply,
    preset_file,
    sample_supply,
    show,
)
from nsa_augment.cli.playground.controls import controls_of, start_values
from nsa_augment.samples import draw_sample, write_samples
from nsa_augment.tasks import PRESETS, TASKS, bind_task

BOLTS = sample_supply("bolt")
WITHOUT_BANK = [name for name, kind in TASKS.items() if not kind.required]


def untouched(task, preset):
    """A choice with all controls where the preset puts them."""
    start = start_values(task, preset)
    return Choice(task, preset, {name: control.shown(start[name]) for name, control in controls_of(task).items()})


@pytest.mark.parametrize("task", TASKS)
def test_every_argument_of_a_task_has_a_control(task):
    names = {field.name for field in fields(TASKS[task])} - TASKS[task].unused
    assert set(controls_of(task)) == names
    assert all(control.choices for control in controls_of(task).values() if control.kind == "choice")


@pytest.mark.parametrize("task", WITHOUT_BANK)
def test_controls_that_nobody_moves_change_nothing(task):
    for preset in PRESETS:
        assert untouched(task, preset).task() == bind_task(task, preset), preset


@pytest.mark.parametrize("task", WITHOUT_BANK)
def test_sliders_reach_every_preset_and_not_much_further(task):
    for name, control in controls_of(task).items():
        if control.kind == "number":
            largest = max(start_values(task, preset)[name] for preset in PRESETS)
            assert largest <= control.high <= max(10, 4 * largest)


def test_a_folder_starts_with_the_preset_that_its_path_names(tmp_path):
    write_samples(tmp_path / "parts", "bolt", train=1, good=0, defective=0)
    folder = tmp_path / "parts" / "bolt" / "train" / "good"
    assert folder_supply(folder).preset == "calibrated"
    assert folder_supply(folder.rename(tmp_path / "parts" / "pill")).preset == "pill"
    assert BOLTS.preset == "screw"


@pytest.mark.parametrize("task", WITHOUT_BANK)
def test_a_turn_shows_what_the_task_makes(task):
    shown = show(untouched(task, "screw"), BOLTS, 3, 1)
    assert len(shown.tiles) == len(TILES)
    assert all(tile.shape == (256, 256, 3) and tile.dtype == np.uint8 for tile in shown.tiles)
    plan = json.loads(shown.plan)
    assert f"{len(plan['patches'])} patch" in shown.caption
    bound = bind_task(task, "screw")
    chosen = np.random.default_rng([3, 1]).permutation(len(BOLTS.names))
    image, source = (draw_sample("bolt", int(chosen[at])).image for at in (0, -1))
    result = bound(image, source if bound.needs_source else None, np.random.default_rng([3, 1]))
    assert (shown.tiles[2] == result.image).all()
    assert plan == json.loads(json.dumps(result.plan.to_dict()))


def test_a_bank_is_asked_for_and_used(tmp_path):
    with pytest.raises(ValueError, match="bank"):
        show(untouched("bank", "screw"), BOLTS, 0, 0)
    write_samples(tmp_path, "bolt", train=1, good=0, defective=1)
    moved = Choice("bank", "screw", {**untouched("bank", "screw").shown, "bank": str(tmp_path / "bolt")})
    assert show(moved, BOLTS, 0, 0).tiles[3] is not None


def test_without_background_there_is_no_object_mask():
    assert show(untouched("nsa", "tile"), BOLTS, 0, 0).tiles[-1] is None


@pytest.mark.parametrize(
    ("name", "shown"), [("height_range", [0.8, 0.1]), ("background", "lots"), ("scale_range", "0.5")]
)
def test_what_a_task_refuses_is_told_in_its_words(name, shown):
    with pytest.raises((TypeError, ValueError), match=f"{name} must be"):
        Choice("nsa", "screw", {name: shown}).task()


@pytest.mark.parametrize("task", ["nsa", "cutpaste", "fpi"])
def test_figures_are_counted_as_told(task):
    choice = untouched(task, "screw")
    text = figures(choice, BOLTS, 0)
    assert f"of {CALLS} calls placed a patch" in text
    assert text == figures(choice, BOLTS, 0)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_saved_preset_is_the_same_task(preset, tmp_path):
    start = untouched("nsa", preset)
    moved = Choice("nsa", preset, {**start.shown, "max_patches": 2, "shape": "stroke", "height_range": [0.1, 0.5]})
    for choice in (start, moved):
        file = tmp_path / "chosen.yaml"
        file.write_text(preset_file(choice), encoding="utf-8")
        assert NaturalSyntheticAnomaly.from_preset(file) == choice.task()


@pytest.mark.parametrize("task", WITHOUT_BANK)
def test_a_saved_preset_says_what_presets_do_not_set(task):
    control = controls_of(task)["blending"]
    other = next(name for name in control.choices if name != start_values(task, "screw")["blending"])
    text = preset_file(Choice(task, "screw", {"blending": other}))
    assert other in text


def test_an_estimate_is_a_preset_as_calibrate_writes_it(tmp_path):
    file = tmp_path / "calibrated.yaml"
    file.write_text(calibrated(BOLTS, 0), encoding="utf-8")
    assert untouched("nsa", str(file)).task() == NaturalSyntheticAnomaly.from_preset(file)


def test_without_gradio_the_error_names_the_extra():
    code = """
BLOCKED.add("gradio")
from nsa_augment.cli import main
sys.argv, sys.stderr = ["nsa-augment", "play"], sys.stdout
try:
    main()
except SystemExit as end:
    print(end.code)
"""
    assert run_python(BLOCK + code).splitlines() == [
        "nsa-augment: play needs gradio: install it with pip install 'nsa-augment[play]'",
        "1",
    ]


def test_a_folder_without_images_is_refused(tmp_path):
    assert "images" in run("play", tmp_path).stderr


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("gradio", reason="the extra play is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        f'import sys; sys.argv = ["nsa-augment", "play", "--port", "{port}"]; from nsa_augment.cli import main; main()'
    )
    process = subprocess.Popen([sys.executable, "-c", code, "play", "--port", str(port)])
    try:
        for _ in range(240):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_the_page_answers_its_buttons(server, tmp_path):
    client = pytest.importorskip("gradio_client").Client(server, verbose=False, download_files=tmp_path)
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    values = [parameter["parameter_default"] for parameter in endpoints["/picture"]["parameters"]]
    caption, normal, _, result, *_ = client.predict(*values, api_name="/picture")
    assert "patch" in caption
    assert (cv2.imread(normal) != cv2.imread(result)).any()
    assert client.predict(0, api_name="/next") == 1
    assert "calls placed a patch" in client.predict(*values, api_name="/measure")
    file, _ = client.predict(*values, api_name="/save")
    assert NaturalSyntheticAnomaly.from_preset(file) == NaturalSyntheticAnomaly.from_preset("screw")


@pytest.fixture
def page(server):
    """The page in chromium, with what it logs as errors and whom it asks."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if (chromium := shutil.which("chromium")) is None:
        pytest.skip("chromium is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        errors, asked = [], []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(urlsplit(request.url)))
        page.goto(server)
        yield page
        browser.close()
    assert errors == []
    assert {url.hostname for url in asked if url.scheme not in ("data", "blob")} == {"127.0.0.1"}


def new_result(page, before=None):
    """Address of the picture of the result, once it is another one than before."""
    page.wait_for_function(
        "before => { const image = document.querySelector('img[alt=result]');"
        " return image && image.complete && image.naturalWidth && image.src !== before }",
        arg=before,
        timeout=60_000,
    )
    return page.get_by_alt_text("result", exact=True).get_attribute("src")


@pytest.mark.slow
def test_the_buttons_and_sliders_of_the_page_work_in_a_browser(page, tmp_path):
    first = new_result(page)
    visible = [name for name, control in controls_of("nsa").items() if control.kind != "text"]
    built = page.content()
    assert [name for name in (*visible, *TILES, "save preset") if name not in built] == []
    assert {image.get_attribute("alt") for image in page.locator("img").all()} == set(TILES)
    assert page.get_by_label("share").count() == 0
    page.get_by_role("button", name="next").click()
    second = new_result(page, first)
    slider = page.get_by_label("range slider for height_range: maximum")
    slider.click(position={"x": slider.bounding_box()["width"] - 1, "y": 3})
    new_result(page, second)
    page.get_by_role("button", name="save preset").click()
    link = page.locator("a[download]", has_text="nsa.yaml").or_(page.locator("a[download='nsa.yaml']")).first
    with page.expect_download() as saved:
        link.click()
    saved.value.save_as(tmp_path / "nsa.yaml")
    assert NaturalSyntheticAnomaly.from_preset(tmp_path / "nsa.yaml").height_range[1] > 0.9


@pytest.mark.slow
def test_arrow_keys_move_a_slider_and_the_picture_follows(page):
    first = new_result(page)
    slider = page.get_by_label("range slider for height_range: maximum")
    before = float(slider.input_value())
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    second = new_result(page, first)
    assert float(slider.input_value()) == pytest.approx(before + 0.02)
    page.locator(".block", has=slider).last.get_by_role("button").click()
    new_result(page, second)
    assert float(slider.input_value()) == pytest.approx(before)


@pytest.mark.slow
def test_the_preset_file_shows_once_there_is_one(page):
    new_result(page)
    label = page.get_by_text("preset file", exact=True)
    assert label.count() == 0
    page.get_by_role("button", name="save preset").click()
    label.wait_for()


@pytest.mark.slow
def test_the_preset_follows_the_product_until_somebody_chooses_one(page):
    new_result(page)

    def pick(label, option):
        page.get_by_label(label, exact=True).click()
        page.get_by_role("option", name=option, exact=True).click()

    def wait_for_preset(name):
        page.wait_for_function("name => document.querySelector('[aria-label=preset]').value === name", arg=name)

    wait_for_preset("screw")
    pick("images", "weave")
    wait_for_preset("carpet")
    pick("preset", "tile")
    pick("images", "hide")
    page.wait_for_timeout(2000)
    wait_for_preset("tile")
