"""The page: controls, pictures and buttons in Gradio, without requests to other hosts."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import gradio as gr

from nsa_augment._shared.files import write_file
from nsa_augment.cli.playground.choice import (
    CALIBRATED,
    TILES,
    Choice,
    Supply,
    calibrated,
    figures,
    preset_file,
    show,
)
from nsa_augment.cli.playground.controls import (
    CHOICE,
    NUMBER,
    PAIR,
    TEXT,
    Control,
    controls_of,
    start_values,
)
from nsa_augment.tasks import PRESETS, TASKS

NO_OTHER_HOST = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:"
)
FIRST = ("task", "preset", "product", "seed", "turn")
ORDER = (CHOICE, PAIR, NUMBER, TEXT)
Values = Sequence[Any]


class Session:
    """What the handlers of the page share: supplies of images by name, and all arguments of all tasks.

    Parameters
    ----------
    supplies : mapping of str to Supply
    """

    def __init__(self, supplies: dict[str, Supply]) -> None:
        self.supplies = supplies
        self.folder = tempfile.TemporaryDirectory(prefix="nsa-augment-play-")
        self.estimates: dict[tuple[str, int], str] = {}

    @cached_property
    def controls(self) -> dict[str, Control]:
        """A control for every argument of any task; the first task that takes it decides the kind of control."""
        found: dict[str, Control] = {}
        for task in TASKS:
            found = {**controls_of(task), **found}
        return dict(sorted(found.items(), key=lambda item: ORDER.index(item[1].kind)))

    def preset(self, name: str, product: str, seed: int) -> str:
        """A preset by its name; the estimate for a product is a file, made on first use."""
        if name != CALIBRATED:
            return name
        if (product, seed) not in self.estimates:
            file = Path(self.folder.name) / f"calibrated-{len(self.estimates)}.yaml"
            write_file(file, (calibrated(self.supplies[product], seed).encode(),))
            self.estimates[product, seed] = str(file)
        return self.estimates[product, seed]

    def choice(self, values: Values) -> tuple[Choice, Supply, int, int]:
        """The choice, images, seed and turn for the values of all controls of the page."""
        task, preset, product, seed, turn = values[: len(FIRST)]
        rest, shown = iter(values[len(FIRST) :]), {}
        for name, control in self.controls.items():
            shown[name] = [next(rest), next(rest)] if control.kind == PAIR else next(rest)
        own = {name: shown[name] for name in controls_of(task)}
        seed = int(seed or 0)
        return Choice(task, self.preset(preset, product, seed), own), self.supplies[product], seed, int(turn or 0)

    def picture(self, *values: Any) -> list[Any]:
        """The message, the tiles and the plan."""
        try:
            shown = show(*self.choice(values))
        except (ValueError, TypeError, OSError) as error:
            return [f"**{error}**", *[None] * len(TILES), ""]
        return [shown.caption, *shown.tiles, shown.plan]

    def reset(self, task: str, preset: str, product: str, seed: float) -> list[Any]:
        """Updates of the list of presets, then of all controls: shows those of the task, at the preset's values."""
        names = [*PRESETS, *TASKS[task].own_presets, CALIBRATED]
        preset = preset if preset in names else names[0]
        updates: list[Any] = [gr.update(choices=names, value=preset)]
        own, start = controls_of(task), start_values(task, self.preset(preset, product, int(seed or 0)))
        for name, control in self.controls.items():
            if name not in own:
                updates += [gr.update(visible=False)] * (2 if control.kind == PAIR else 1)
            elif control.kind == PAIR:
                updates += [gr.update(visible=True, value=part) for part in start[name]]
            else:
                more: dict[str, Any] = {}
                if control.kind == CHOICE:
                    more["choices"] = own[name].choices or control.choices
                elif control.kind == NUMBER:
                    more["maximum"] = max(control.high, start[name])
                updates.append(gr.update(visible=True, value=control.shown(start[name]), **more))
        return updates

    def follow(self, task: str, preset: str, product: str, seed: float, chosen: bool) -> list[Any]:
        """As `reset`, with the preset of the product unless the user chose one."""
        return self.reset(task, preset if chosen else self.supplies[product].preset, product, seed)

    def figures(self, *values: Any) -> str:
        """The figures, or an error message."""
        try:
            choice, supply, seed, _ = self.choice(values)
            return figures(choice, supply, seed)
        except (ValueError, TypeError, OSError) as error:
            return f"**{error}**"

    def save(self, *values: Any) -> tuple[str | None, str]:
        """The preset file, and a message."""
        try:
            choice, *_ = self.choice(values)
            text = preset_file(choice)
        except (ValueError, TypeError, OSError) as error:
            return None, f"**{error}**"
        file = Path(self.folder.name) / f"{choice.name}.yaml"
        write_file(file, (text.encode(),))
        return str(file), f"Read {file.name} with from_preset or --preset"


def build_page(supplies: dict[str, Supply]) -> gr.Blocks:
    """The page for supplies of images by name."""
    session = Session(supplies)
    task, product = "nsa" if "nsa" in TASKS else next(iter(TASKS)), next(iter(supplies))
    preset = supplies[product].preset
    start = start_values(task, session.preset(preset, product, 0))
    with gr.Blocks(analytics_enabled=False, title="nsa-augment play") as page:
        gr.Markdown("# nsa-augment play")
        with gr.Row():
            first = [
                gr.Dropdown(list(TASKS), value=task, label="task"),
                gr.Dropdown([*PRESETS, CALIBRATED], value=preset, label="preset"),
                gr.Dropdown(list(supplies), value=product, label="images"),
                gr.Number(0, label="seed", precision=0, minimum=0),
                gr.Number(0, label="turn", precision=0, minimum=0),
            ]
        with gr.Row():
            following = gr.Button("next", variant="primary")
            measure, keep = gr.Button("measure"), gr.Button("save preset")
        message = gr.Markdown("", elem_id="message")
        with gr.Row():
            tiles = [_tile(name) for name in TILES]
        figure = gr.Markdown("", elem_id="figures")
        file = gr.File(label="preset file", interactive=False, visible=False)
        arguments = _arguments(session.controls, start, set(controls_of(task)))
        with gr.Accordion("plan", open=False):
            plan = gr.Code(label="plan as JSON", language="json", interactive=False)
        inputs, outputs = [*first, *arguments], [message, *tiles, plan]
        picture = {"fn": session.picture, "inputs": inputs, "outputs": outputs, "show_progress": "hidden"}
        chosen, changed = gr.State(False), [first[1], *arguments]
        first[1].input(lambda: True, None, chosen, api_name=False)
        for item in first[:2]:
            item.input(session.reset, first[:4], changed, api_name=False).then(**picture, api_name=False)
        first[2].input(session.follow, [*first[:4], chosen], changed, api_name=False).then(**picture, api_name=False)
        for item in (*first[3:], *arguments):
            gr.on(_moved(item), **picture, trigger_mode="always_last", api_name=False)
        following.click(lambda turn: int(turn or 0) + 1, first[4], first[4], api_name="next").then(
            **picture, api_name=False
        )
        measure.click(session.figures, inputs, figure, api_name="measure")
        keep.click(session.save, inputs, [file, figure], api_name="save").then(
            lambda saved: gr.update(visible=saved is not None), file, file, api_name=False
        )
        page.load(**picture, api_name="picture")
    return page


def serve(supplies: dict[str, Supply], port: int) -> None:
    """Serve the page on a port of this machine until interrupted."""
    import uvicorn
    from fastapi import FastAPI

    theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]).set(
        body_text_color_subdued="*neutral_600"
    )
    mounted = gr.mount_gradio_app(FastAPI(), build_page(supplies), "/", theme=theme, ssr_mode=False, footer_links=[])
    uvicorn.run(_confined(mounted), host="127.0.0.1", port=port, log_level="warning")


def _confined(app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Make browsers block requests from the pages of an ASGI application to other hosts."""

    async def confined(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        async def send_confined(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", NO_OTHER_HOST.encode())]
            await send(message)

        await app(scope, receive, send_confined)

    return confined


def _tile(name: str) -> gr.Image:
    """A picture with a name for screen readers and without a share button."""
    return gr.Image(
        label=name, alt_text=name, format="png", interactive=False, min_width=200, buttons=["download", "fullscreen"]
    )


def _moved(item: Any) -> list[Any]:
    """The events of a control that a user moves, by mouse or keys, or resets; of a text, once it is complete."""
    if isinstance(item, gr.Slider):
        return [item.input, item.release]
    return [item.submit if isinstance(item, gr.Textbox) else item.input]


def _arguments(controls: dict[str, Control], start: dict[str, Any], own: set[str]) -> list[Any]:
    """Components of all controls, in their order, by kind."""
    components: list[Any] = []
    for kind, opened in zip(ORDER, (True, True, True, False), strict=True):
        with gr.Accordion(f"arguments: {kind}", open=opened), gr.Row():
            for name, control in controls.items():
                if control.kind == kind:
                    components += _components(control, start.get(name), name in own)
    return components


def _components(control: Control, value: Any, visible: bool) -> list[Any]:
    common: dict[str, Any] = {"visible": visible, "info": control.accepted or None, "min_width": 220}
    limits = {"minimum": control.low, "maximum": control.high, "step": control.step}
    if control.kind == PAIR:
        parts = zip(("minimum", "maximum"), value or (control.low, control.high), strict=True)
        return [gr.Slider(value=part, label=f"{control.name}: {end}", **limits, **common) for end, part in parts]
    if control.kind == NUMBER:
        return [gr.Slider(value=control.low if value is None else value, label=control.name, **limits, **common)]
    shown = control.shown(value)
    if control.kind == CHOICE:
        return [gr.Dropdown(list(control.choices), value=shown if visible else None, label=control.name, **common)]
    return [gr.Textbox(shown, label=control.name, **common)]
