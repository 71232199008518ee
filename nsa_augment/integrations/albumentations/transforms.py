"""One transform for each task of the package, and one for any task."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from nsa_augment.integrations.albumentations.base import SynthesisTransform
from nsa_augment.integrations.albumentations.signatures import joined_signature
from nsa_augment.sources import Sources
from nsa_augment.tasks import (
    AnomalyTask,
    CutOutAnomaly,
    CutPasteAnomaly,
    ForeignPatchInterpolation,
    MixedAnomaly,
    NaturalSyntheticAnomaly,
    PoissonImageInterpolation,
    TextureAnomaly,
)


class NSA(SynthesisTransform):
    """Natural synthetic anomalies in an albumentations pipeline.

    Adds `label_key` to the output: the label, (H, W) float32, all zeros if `p` skipped the image or no patch found a
    place. Later spatial transforms move it like any mask.

    Parameters
    ----------
    preset : str or path-like, optional
        A name in `nsa_augment.PRESETS` (Table 4), or a YAML file of arguments; None: the defaults of
        `NaturalSyntheticAnomaly`.
    ablation : "A", "B", "C" or "D", optional
        An ablation of the preset, see `nsa_augment.ABLATIONS`.
    sources : path-like, sequence, array, tensor, dataset, callable or "previous"
        Normal images to cut patches from: a folder (``folder/**``: with its subfolders); a list of paths, arrays, PIL
        images or tensors (C, H, W); an array (N, H, W, C); a dataset; a callable rng -> image; or the image that this
        transform saw last (the first call then changes nothing). Files are decoded in `channel_order`, or as grey for a
        one-channel image.
    source_transform : albumentations transform or callable, optional
        Applied to each drawn source; an albumentations transform uses this transform's random state.
    paired_sources : mapping of target to folder or list, optional
        Sources of additional targets, one for each of `sources`: files of the same names, or lists in the same
        order. The same patches are cut from them.
    channel_order : "rgb" or "bgr"
        Channel order of the images in the pipeline: "bgr" if read by `cv2.imread`.
    object_masks : folder or "alpha", optional
        Object masks of sources that are files: a folder with masks of the same names, or their alpha channel.
        Only without `source_transform`, which would not move them. The object of the image is found by `background`,
        or given with the call, see Notes.
    metadata_key : str
        Key under which a call may bring its own source: an image, a dict {"image": image} that may hold sources of
        additional targets under their keys, or a list of either. It wins over `sources`.
    label_key : str
        Key of the label. An existing mask is merged by maximum (bool or integer: > 0 counts as 1;
        float in [0, 1]); with label="continuous" it is an error. The label of `images` goes to this key and "s",
        of `volume` to this key and "3d", of `volumes` to this key and "s3d".
    anomaly_class : int, optional
        Class of anomalies in a mask of integer classes, which keeps its dtype and its other classes; a missing mask
        counts as zeros. None: the label is written as above.
    box_label : label, or mapping of label field to label, optional
        Boxes of the anomalies are added to `bboxes` with this label, in an `A.Compose` with `bbox_params`.
    cache_mib : float
        Size of the cache of decoded sources and their object masks, in MiB per process.
    p : float
        Probability of applying the transform.
    **parameters
        Arguments of `NaturalSyntheticAnomaly`, each in the signature; they override the preset, whose values "preset"
        keeps.

    Raises
    ------
    TypeError, ValueError
        The message names the argument, what is accepted and what was received.

    Notes
    -----
    A call may include `object_mask` and `allowed_mask`, (H, W) bool or integer arrays: where the object is, in place of
    `background`, and where patches may land. Declare them as additional targets of kind "mask", so that spatial
    transforms move them. To replay a call, give its object mask again.

    Examples
    --------
    >>> import albumentations as A
    >>> import numpy as np
    >>> images = list(np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8))
    >>> pipeline = A.Compose([NSA("leather", images, p=1.0), A.HorizontalFlip(p=0.5)], seed=1)
    >>> out = pipeline(image=images[0])
    >>> out["mask"].shape, out["mask"].dtype.name, bool(out["mask"].max() > 0.5)
    ((96, 96), 'float32', True)
    """

    task_class = NaturalSyntheticAnomaly


class CutPaste(SynthesisTransform):
    """CutPaste in an albumentations pipeline: patches of the image itself, pasted elsewhere without blending.

    Parameters are those of `NSA`; `**parameters` are arguments of `CutPasteAnomaly`, `variant` and `jitter` among them.
    Sources are optional: without them patches come from the image itself.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    >>> out = CutPaste(variant="union", p=1.0)(image=image)
    >>> out["mask"].shape
    (96, 96)
    """

    task_class = CutPasteAnomaly


class FPI(SynthesisTransform):
    """Foreign patch interpolation in an albumentations pipeline.

    Parameters are those of `NSA`; `**parameters` are arguments of `ForeignPatchInterpolation`.

    Examples
    --------
    >>> import numpy as np
    >>> images = list(np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8))
    >>> out = FPI(sources=images, selection="fpi", p=1.0)(image=images[0])
    >>> bool(0 <= out["mask"].max() <= 0.95)
    True
    """

    task_class = ForeignPatchInterpolation


class PII(SynthesisTransform):
    """Poisson image interpolation in an albumentations pipeline.

    Parameters are those of `NSA`; `**parameters` are arguments of `PoissonImageInterpolation`.

    Examples
    --------
    >>> import numpy as np
    >>> images = list(np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8))
    >>> out = PII("tile", images, p=1.0)(image=images[0])
    >>> bool(0 <= out["mask"].max() <= 0.95)
    True
    """

    task_class = PoissonImageInterpolation


class Mix(SynthesisTransform):
    """A mixture of tasks in an albumentations pipeline: a random one of them makes each call's anomaly.

    Parameters are those of `NSA`; `**parameters` are arguments of `MixedAnomaly`: `parts`, and what all parts share.

    Examples
    --------
    >>> import numpy as np
    >>> images = list(np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8))
    >>> mix = Mix("tile", images, parts=[("nsa", 3), ("cutpaste", 1)], label="binary", p=1.0)
    >>> set(np.unique(mix(image=images[0])["mask"]).tolist()) <= {0.0, 1.0}
    True
    """

    task_class = MixedAnomaly


class CutOut(SynthesisTransform):
    """Cut-outs in an albumentations pipeline: patches are replaced by a colour or by noise.

    Parameters are those of `NSA`; `**parameters` are arguments of `CutOutAnomaly`, `fill` among them. It uses no
    sources.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    >>> out = CutOut(fill="noise", p=1.0)(image=image)
    >>> bool(out["mask"].any())
    True
    """

    task_class = CutOutAnomaly


class Texture(SynthesisTransform):
    """Foreign textures inside noise outlines in an albumentations pipeline.

    Parameters are those of `NSA`; `preset` may also be "draem", "memseg" or "glass"; `**parameters` are arguments of
    `TextureAnomaly`. Sources are images of textures; without them (and without `textures`), textures are procedural.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    >>> out = Texture("memseg", p=1.0)(image=image)
    >>> out["mask"].shape
    (96, 96)
    """

    task_class = TextureAnomaly


class AnomalyTransform(SynthesisTransform):
    """Any task in an albumentations pipeline, including those of other packages.

    The other parameters are those of `NSA`.

    Parameters
    ----------
    task : str or AnomalyTask
        A name in `nsa_augment.tasks.TASKS`; or a task object, which excludes `preset`, `ablation` and parameters, and
        which `A.to_dict` and `A.save` refuse.
    arguments : mapping, optional
        Arguments of the task, as serialized.
    **parameters
        Arguments of the task; they override the preset.

    Examples
    --------
    >>> import numpy as np
    >>> images = list(np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8))
    >>> out = AnomalyTransform("fpi", "tile", images, p=1.0)(image=images[0])
    >>> bool(0 <= out["mask"].max() <= 0.95)
    True
    """

    def __init__(
        self,
        task: str | AnomalyTask,
        preset: str | os.PathLike[str] | None = None,
        sources: Sources | None = None,
        *,
        arguments: Mapping[str, Any] | None = None,
        **parameters: Any,
    ) -> None:
        self._given_task = task
        super().__init__(preset, sources, **{**(arguments or {}), **parameters})

    def _task_to_bind(self) -> str | AnomalyTask:
        return self._given_task

    def _seed_name(self) -> str:
        task = self._given_task
        return f"{type(self).__name__} {task if isinstance(task, str) else type(task).__name__}"

    def get_transform_init_args(self) -> dict[str, Any]:
        """Constructor arguments (those that are not None); those of the task as `arguments`."""
        plain = super().get_transform_init_args()
        own = {name: value for name, value in plain.items() if name not in self.parameters}
        return {"task": self._given_task, **own, **({"arguments": self.parameters} if self.parameters else {})}


AnomalyTransform.__init__.__signature__ = joined_signature(AnomalyTransform.__init__, SynthesisTransform.__init__)  # type: ignore[attr-defined]
