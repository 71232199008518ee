"""Figures of a run: loss curve, ROC and PRO curves, gallery of test images. They use no global state of matplotlib."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from sklearn.metrics import auc, roc_curve

from examples.train_detector.files import write_bytes
from examples.train_detector.metrics import PRO_LIMIT, aupro, pro_curve

DPI = 120
CURVE, OUTLINE = "#1f5fa8", "#00e5ff"
COLUMNS, FEWEST_COLUMNS = 6, 3
LONGEST_NAME = 22
POINTS_DRAWN = 2000

Path = str | os.PathLike[str]


def loss_curve(history: Sequence[dict[str, float]], path: Path) -> None:
    """Loss and speed of each epoch, as a PNG file.

    Parameters
    ----------
    history : sequence of dict
        "epoch", "loss" and "images_per_second" of each epoch.
    path : path-like
    """
    figure = Figure((7, 4.6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    epochs = [entry["epoch"] for entry in history]
    marker = "o" if len(epochs) < 2 else None
    for axes, key, name in ((upper, "loss", "training loss"), (lower, "images_per_second", "images / s")):
        values = [entry[key] for entry in history]
        axes.plot(epochs, values, color=CURVE, marker=marker, linewidth=1.2)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
    if history:
        lower.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
        upper.set_yscale("log" if all(entry["loss"] > 0 for entry in history) else "linear")
    lower.set_ylim(bottom=0)
    lower.set_xlabel("epoch")
    lower.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _write(figure, path)


def roc_and_pro_curves(scores: NDArray[Any], maps: NDArray[Any], masks: NDArray[Any], path: Path) -> None:
    """ROC curve of images, ROC curve of pixels and PRO curve side by side, as a PNG file; see `metrics.evaluate`."""
    figure = Figure((12, 4.2), layout="constrained")
    images, pixels, regions = figure.subplots(1, 3)
    defective = np.asarray(masks) > 0
    labels = defective.any(axis=(1, 2))
    if labels.all():
        _curve(images, "Images", np.empty(0), np.empty(0), "no good images")
    else:
        fpr, tpr, _ = roc_curve(labels, scores)
        _curve(images, "Images", fpr, tpr, f"AUROC {auc(fpr, tpr):.3f}")
    fpr, tpr, _ = roc_curve(defective.ravel(), maps.ravel())
    _curve(pixels, "Pixels", fpr, tpr, f"AUROC {auc(fpr, tpr):.3f}")
    fpr, pro = pro_curve(maps, defective)
    _curve(regions, "Regions", fpr, pro, f"AU-PRO {PRO_LIMIT:g}: {aupro(maps, defective):.3f}")
    regions.set_ylabel("per-region overlap")
    shown = np.linspace(0, PRO_LIMIT, POINTS_DRAWN)
    regions.fill_between(shown, np.interp(shown, fpr, pro), color=CURVE, alpha=0.2, linewidth=0)
    regions.axvline(PRO_LIMIT, color="grey", linestyle="--", linewidth=1)
    _write(figure, path)


def gallery(
    images: NDArray[np.uint8],
    masks: NDArray[Any],
    maps: NDArray[Any],
    scores: NDArray[Any],
    names: Sequence[str],
    path: Path,
) -> None:
    """Test images with true defects outlined, above their anomaly maps, as a PNG file.

    Up to six per section: the defective images with the highest scores, those with the lowest, and the good images
    with the highest. All maps share one colour scale.

    Parameters
    ----------
    images : (N, H, W, 3) uint8
    masks, maps : (N, H, W)
    scores : (N,)
    names : N strings
    path : path-like
    """
    sections = _sections(np.asarray(scores), np.asarray(masks).any(axis=(1, 2)))
    columns = max(FEWEST_COLUMNS, *map(len, sections.values()))
    low, high = np.quantile(maps, [0, 0.999])
    scale = Normalize(low, high if high > low else low + 1)
    figure = Figure((1.75 * columns + 1.1, 4.3 * len(sections)), layout="constrained")
    parts = figure.subfigures(len(sections), 1, squeeze=False)[:, 0]
    for part, (title, chosen) in zip(parts, sections.items(), strict=True):
        part.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
        panels = part.subplots(2, columns, squeeze=False)
        for column in panels.T[len(chosen) :]:
            for axes in column:
                axes.set_visible(False)
        for (upper, lower), index in zip(panels.T, chosen, strict=False):
            _panel(upper, images[index], masks[index])
            _panel(lower, maps[index], masks[index], cmap="inferno", norm=scale)
            name = names[index] if len(names[index]) <= LONGEST_NAME else f"...{names[index][3 - LONGEST_NAME :]}"
            upper.set_title(f"{name}\nscore {scores[index]:.4g}", fontsize=8, parse_math=False)
        _colour_bar(part, panels, scale)
    _write(figure, path)


def _sections(scores: NDArray[Any], defective: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """Indices of the images of each non-empty section; no image is in two."""
    falling = np.argsort(-scores, kind="stable")
    bad, good = falling[defective[falling]], falling[~defective[falling]]
    best = bad[: min(COLUMNS, (len(bad) + 1) // 2)]
    sections = {
        "Best found defects (highest scores)": best,
        "Worst missed defects (lowest scores)": bad[len(best) :][: -COLUMNS - 1 : -1],
        "False alarms (good images with the highest scores)": good[:COLUMNS],
    }
    return {title: chosen for title, chosen in sections.items() if len(chosen)}


def _panel(axes: Axes, pixels: NDArray[Any], mask: NDArray[Any], **colours: Any) -> None:
    height, width = mask.shape
    axes.imshow(pixels, **colours)
    if mask.any():
        framed = np.pad(mask > 0, 1).astype(float)
        around = np.arange(-1, width + 1), np.arange(-1, height + 1)
        axes.contour(*around, framed, levels=[0.5], colors=OUTLINE, linewidths=0.9)
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])


def _colour_bar(part: SubFigure, panels: NDArray[Any], scale: Normalize) -> None:
    bar = part.colorbar(ScalarMappable(scale, "inferno"), ax=panels, extend="max", fraction=0.05, pad=0.01)
    bar.ax.tick_params(labelsize=8)
    bar.set_label("anomaly", fontsize=8)


def _curve(axes: Axes, title: str, x: NDArray[Any], y: NDArray[Any], caption: str) -> None:
    if len(x) > POINTS_DRAWN:
        drawn = np.unique(np.searchsorted(x + y, np.linspace(0, x[-1] + y[-1], POINTS_DRAWN)))
        x, y = x[drawn], y[drawn]
    axes.plot(x, y, color=CURVE, linewidth=1.5, clip_on=False)
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1)
    axes.text(0.97, 0.05, caption, ha="right", transform=axes.transAxes)
    axes.set(title=title, xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)


def _write(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    write_bytes(path, buffer.getvalue())
