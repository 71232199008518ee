"""Open generated datasets with other tools, and compare what they read with the manifest.

Each check counts images, masks (or images with polygons) and normal images, and compares the masks with the files,
pixel by pixel. `--only` names readers that must be installed; by default, missing ones are skipped. `--docs FILE`
writes the table into the page of the documentation.

    python benchmarks/check_layouts.py --only pycocotools datasets
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import warnings
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from nsa_augment.datasets import Options, generate
from nsa_augment.samples import write_samples
from nsa_augment.tasks import bind_task

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from torchvision_stubs import declare_operators

COUNT, NORMAL, BACKGROUNDS = 12, 15, 4
MARKS = "<!-- readers: begin -->\n", "<!-- readers: end -->"
BOUNDARY = 0.95
"""Least intersection over union of polygons from a reader that works in floating point."""


def read_mask(path):
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) > 0


class Dataset:
    """A generated dataset: its folder, and the manifest's record of each image."""

    def __init__(self, root, layout, **options):
        self.root, self.layout = root / layout, layout
        tasks = [bind_task(name, "screw", arguments={"label": "binary"}) for name in ("nsa", "cutpaste")]
        normal = root / "hide" / "train" / "good"
        generate(normal, self.root, tasks, count=COUNT, layout=layout, options=Options(**options), workers=0)
        lines = (self.root / "manifest.jsonl").read_text().splitlines()
        self.records = [json.loads(line) for line in lines]

    def mask_of(self, image):
        """The mask of an image by its path."""
        name = Path(image).resolve().relative_to(self.root.resolve()).as_posix()
        (record,) = (record for record in self.records if record["image_path"] == name)
        return None if record["mask_path"] is None else read_mask(self.root / record["mask_path"])

    def expected(self, parts):
        """Numbers of images, of those with anomalies, and of those without."""
        records = [record for record in self.records if record["split"] in parts]
        anomalies = sum(record["kind"] == "anomaly" for record in records)
        return len(records), anomalies, len(records) - anomalies


def same(found, wanted, what):
    if not np.array_equal(found, wanted):
        raise AssertionError(f"{what}: the reader's mask is not that of the file")


def counts(masks):
    """Numbers of images, of those with anomalies, and of those without, from masks or None."""
    placed = sum(mask is not None and bool(np.any(mask)) for mask in masks)
    return len(masks), placed, len(masks) - placed


def anomalib_mvtec(dataset):
    declare_operators()
    from anomalib.data.datasets.image.mvtecad import MVTecADDataset

    parts = [MVTecADDataset(root=dataset.root, category="product", split=part) for part in ("train", "test")]
    return counts(anomalib_masks(dataset, parts)), ("train", "test")


def anomalib_folder(dataset):
    declare_operators()
    from anomalib.data.datasets.image.folder import FolderDataset

    product = dataset.root / "product"
    defects = sorted(path.name for path in (product / "test").iterdir() if path.name != "good")
    found = FolderDataset(
        name="product",
        root=product,
        normal_dir="train/good",
        normal_test_dir="test/good",
        abnormal_dir=[f"test/{name}" for name in defects],
        mask_dir=[f"ground_truth/{name}" for name in defects],
    )
    return counts(anomalib_masks(dataset, [found])), ("train", "test")


def anomalib_masks(dataset, parts):
    masks = []
    for item in (part[index] for part in parts for index in range(len(part))):
        mask = None if item.gt_mask is None else np.asarray(item.gt_mask).squeeze() > 0
        if int(item.gt_label):
            same(mask, dataset.mask_of(item.image_path), item.image_path)
        masks.append(mask)
    return masks


def datumaro(dataset):
    from datumaro.components.annotation import AnnotationType
    from datumaro.components.dataset import Dataset as Datumaro

    place = dataset.root / "product" if dataset.layout == "mvtec" else dataset.root
    kind = {"mvtec": "mvtec_segmentation", "coco": "coco_instances"}[dataset.layout]
    items = list(Datumaro.import_from(str(place), kind))
    masks = []
    for item in items:
        shapes = [each for each in item.annotations if each.type in (AnnotationType.mask, AnnotationType.polygon)]
        mask = None
        if shapes and dataset.layout == "mvtec":
            mask = np.any([each.image for each in shapes], axis=0)
            same(mask, dataset.mask_of(item.media.path), item.id)
        masks.append(mask if dataset.layout == "mvtec" else np.ones(1) * bool(shapes))
    return counts(masks), {record["split"] for record in dataset.records}


def coco_masks(dataset, part, annotations_of):
    """Masks of the images of one part, compared with those of the files."""
    masks = []
    for name, mask in annotations_of(dataset.root / "images" / part, f"annotations/instances_{part}.json"):
        same(mask, dataset.mask_of(name), name)
        masks.append(mask)
    return masks


def pycocotools(dataset):
    from pycocotools.coco import COCO

    def read(images, annotations):
        coco = COCO(str(dataset.root / annotations))
        for identifier, image in coco.imgs.items():
            mask = np.zeros((image["height"], image["width"]), bool)
            for annotation in coco.loadAnns(coco.getAnnIds(identifier)):
                mask |= coco.annToMask(annotation) > 0
            yield images / image["file_name"], mask

    parts = ("train", "val")
    return counts([mask for part in parts for mask in coco_masks(dataset, part, read)]), parts


def torchvision(dataset):
    declare_operators()
    from torchvision.datasets import CocoDetection

    def read(images, annotations):
        found = CocoDetection(root=images, annFile=dataset.root / annotations)
        for identifier, (image, targets) in zip(found.ids, found, strict=True):
            mask = np.zeros(image.size[::-1], bool)
            for target in targets:
                mask |= found.coco.annToMask(target) > 0
            yield images / found.coco.imgs[identifier]["file_name"], mask

    parts = ("train", "val")
    return counts([mask for part in parts for mask in coco_masks(dataset, part, read)]), parts


def ultralytics(dataset):
    declare_operators()
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(dataset.root / "data.yaml"), autodownload=False)
    masks, used = [], {}
    for part in ("train", "val"):
        scanned = YOLODataset(img_path=data[part], data=data, task="segment", augment=False, imgsz=64)
        used[part] = set(scanned.im_files)
        missing, _found, _empty, corrupt, _ = scan(scanned)
        if missing or corrupt:
            raise AssertionError(f"{part}: {missing} labels are missing, {corrupt} are corrupt")
        for label in scanned.labels:
            height, width = label["shape"]
            mask = np.zeros((height, width), np.uint8)
            for segment in label["segments"]:
                cv2.fillPoly(mask, [(segment * (width, height)).astype(np.int32)], 1)
            wanted = dataset.mask_of(label["im_file"])
            union = np.logical_or(mask, wanted).sum()
            if union and np.logical_and(mask, wanted).sum() / union < BOUNDARY:
                raise AssertionError(f"{label['im_file']}: polygons differ from the mask")
            masks.append(mask)
    if used["train"] & used["val"]:
        raise AssertionError("the same images are for training and for validation")
    return counts(masks), ("train", "val")


def scan(scanned):
    """Numbers of labels that ultralytics' scanner reports as missing, found, empty and corrupt."""
    from ultralytics.data.utils import load_dataset_cache_file

    cache = load_dataset_cache_file(Path(scanned.label_files[0]).parent.with_suffix(".cache"))
    found, missing, empty, corrupt, total = cache["results"]
    return missing, found, empty, corrupt, total


def huggingface(dataset):
    import datasets

    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(
        "imagefolder", data_dir=str(dataset.root / "images"), cache_dir=str(dataset.root.parent / "cache")
    )
    rows = [(part, row) for part, rows in loaded.items() for row in rows]
    parts = Counter({"validation": "val"}.get(part, part) for part, _ in rows)
    if parts != Counter(record["split"] for record in dataset.records):
        raise AssertionError(f"parts are {parts}")
    anomalies = sum(row["anomaly"] for _, row in rows)
    labels = Counter(row["label"] for _, row in rows)
    if labels != Counter(record["label"] for record in dataset.records):
        raise AssertionError(f"labels are {labels}")
    return (len(rows), anomalies, len(rows) - anomalies), set(parts)


READERS = [
    ("anomalib", "anomalib `MVTecAD`", "mvtec", anomalib_mvtec),
    ("anomalib", "anomalib `Folder`", "mvtec", anomalib_folder),
    ("datumaro", "datumaro `mvtec_segmentation`", "mvtec", datumaro),
    ("datumaro", "datumaro `coco_instances`", "coco", datumaro),
    ("pycocotools", "pycocotools", "coco", pycocotools),
    ("torchvision", "torchvision `CocoDetection`", "coco", torchvision),
    ("ultralytics", "ultralytics' scanner", "yolo", ultralytics),
    ("datasets", "Hugging Face `imagefolder`", "masks", huggingface),
    ("datasets", "Hugging Face `imagefolder`", "yolo", huggingface),
]


def table(only):
    """Lines of the table; AssertionError if a reader disagrees with the manifest."""
    lines = ["| reader | layout | images | with mask | normal |", "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_samples(root, "hide", size=96, train=NORMAL, good=1, defective=1)
        parts = {"split": 0.25, "backgrounds": BACKGROUNDS}
        options = {"mvtec": {}, "coco": parts, "yolo": parts, "masks": parts}
        datasets = {layout: Dataset(root, layout, **options[layout]) for layout in options}
        for package, title, layout, reader in READERS:
            if (only and package not in only) or (not only and find_spec(package) is None):
                continue
            found, read = reader(datasets[layout])
            if found != (wanted := datasets[layout].expected(read)):
                raise AssertionError(
                    f"{title} finds {found} images, with mask, normal in layout {layout}, not {wanted}"
                )
            lines.append(f"| {title} | {layout} | {' | '.join(map(str, found))} |")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[], choices=sorted({package for package, *_ in READERS}))
    parser.add_argument("--docs", type=Path)
    arguments = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", YOLO_OFFLINE="true", YOLO_VERBOSE="false")
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    lines = table(arguments.only)
    print("\n".join(lines))
    if arguments.docs is not None:
        text = arguments.docs.read_text("utf-8")
        before, after = text.split(MARKS[0])[0], text.split(MARKS[1])[1]
        arguments.docs.write_text(f"{before}{MARKS[0]}\n" + "\n".join(lines) + f"\n\n{MARKS[1]}{after}", "utf-8")


if __name__ == "__main__":
    main()
