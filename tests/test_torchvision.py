"""AnomalyTransform in torchvision's own pipelines: its tensor classes, its containers, its data sets."""

import pickle

import numpy as np
import PIL.Image
import pytest
import torchvision_stubs
from pipelines import LARGE, TEXTURE, normals, write_folder

torchvision = torchvision_stubs.load()

import torch  # noqa: E402
from torch.utils.data import DataLoader  # noqa: E402
from torchvision import tv_tensors  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

from nsa_augment.integrations.torch import AnomalyDataset, AnomalyTransform, NSATransform  # noqa: E402

SIZE = 32
NORMALS = normals(count=4, size=SIZE)
PIXELS = torch.from_numpy(np.array(NORMALS[0]).transpose(2, 0, 1).copy())
IMAGE = tv_tensors.Image(PIXELS)
PILLOW = PIL.Image.fromarray(np.array(NORMALS[0]))
EDGE = torch.nn.functional.pad(torch.ones(SIZE, 5), (0, SIZE - 5))
BOXES = tv_tensors.BoundingBoxes(torch.tensor([[1, 2, 9, 9]]), format="XYXY", canvas_size=(SIZE, SIZE))
fork = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def build(p=1.0, kind=AnomalyTransform, **arguments):
    return kind(TEXTURE, arguments.pop("sources", NORMALS[1:]), task="fpi", p=p, **LARGE, **arguments)


def seeded(transform, *inputs, seed=3):
    torch.manual_seed(seed)
    return transform(*inputs)


def plain(tensor):
    return tensor.as_subclass(torch.Tensor)


CHANGED, LABEL = (plain(one) for one in seeded(build(), PIXELS))


@pytest.mark.parametrize("kind", [AnomalyTransform, NSATransform])
def test_it_is_a_transform_of_torchvision(kind):
    assert issubclass(kind, v2.Transform)
    transform = build(kind=kind)
    assert isinstance(transform, v2.Transform)
    assert repr(v2.Compose([transform])).count(f"{kind.__name__}(task=") == 1
    again = pickle.loads(pickle.dumps(transform))
    assert torch.equal(seeded(again, IMAGE)[0], CHANGED)


@pytest.mark.parametrize("image", [PIXELS, IMAGE, PILLOW], ids=["tensor", "Image", "PIL"])
@pytest.mark.parametrize(
    "target",
    [3, torch.tensor(3), {"label": 3, "boxes": BOXES}, BOXES, tv_tensors.Mask(EDGE), tv_tensors.Mask(EDGE[None])],
    ids=["int", "class", "target", "boxes", "mask", "mask of one channel"],
)
def test_images_and_targets_keep_their_classes(image, target):
    for inputs in ((image, target), ((image, target),), ({"x": image, "y": target},), ([7, (image, target)],)):
        if isinstance(inputs[0], dict) and isinstance(target, tv_tensors.Mask):
            continue  # mappings have their masks under a key
        (result,) = seeded(lambda *inputs: (build()(*inputs),), *inputs)
        leaves = list(walk(result))
        (changed,) = [leaf for leaf in leaves if type(leaf) is type(image) and leaf is not target]
        (mask,) = [leaf for leaf in leaves if type(leaf) is tv_tensors.Mask]
        assert torch.equal(as_tensor(changed), CHANGED)
        expected = LABEL
        if isinstance(target, tv_tensors.Mask):
            expected = torch.maximum(LABEL, EDGE).reshape(target.shape)
        else:
            kept = list(walk(target))
            assert all(any(leaf is one for leaf in leaves) for one in kept)
        assert torch.equal(plain(mask), expected)
        assert type(result) is type(inputs[0] if len(inputs) == 1 else inputs)


def walk(sample):
    if isinstance(sample, dict):
        sample = tuple(sample.values())
    if isinstance(sample, (tuple, list)):
        for one in sample:
            yield from walk(one)
    else:
        yield sample


def as_tensor(image):
    return plain(v2.functional.pil_to_tensor(image) if isinstance(image, PIL.Image.Image) else image)


def test_a_lone_image_gets_a_mask():
    for image in (PIXELS, IMAGE, PILLOW):
        changed, mask = seeded(build(), image)
        assert type(changed) is type(image)
        assert type(mask) is tv_tensors.Mask
        assert torch.equal(as_tensor(changed), CHANGED)
        assert torch.equal(plain(mask), LABEL)


def test_images_come_before_plain_tensors():
    sample = {"depth": torch.rand(1, SIZE, SIZE), "picture": IMAGE}
    result = seeded(build(), sample)
    assert result["depth"] is sample["depth"]
    assert torch.equal(plain(result["picture"]), CHANGED)


def test_videos_are_batches():
    video = tv_tensors.Video(torch.stack([PIXELS] * 3))
    changed, masks = build()(video)
    assert type(changed) is tv_tensors.Video
    assert masks.shape == (3, SIZE, SIZE)


def test_two_images_are_refused():
    with pytest.raises(ValueError, match=r"image must be one image in a sample.* got '2 images'"):
        build()({"left": IMAGE, "right": IMAGE})


def test_masks_of_objects_are_no_labels():
    objects = tv_tensors.Mask(torch.ones(2, SIZE, SIZE))
    result = seeded(build(), (IMAGE, {"masks": objects, "boxes": BOXES}))
    assert result[1]["masks"] is objects
    assert result[1]["boxes"] is BOXES
    assert torch.equal(plain(result[1]["mask"]), LABEL)


STEPS = (v2.RandomHorizontalFlip(p=1.0), v2.Pad(3), v2.RandomVerticalFlip(p=1.0))


@pytest.mark.parametrize(
    ("sample", "image", "mask"),
    [
        ((IMAGE,), (0,), (1,)),
        ((IMAGE, 3), (0,), (2,)),
        ((IMAGE, {"label": 3, "boxes": BOXES}), (0,), (1, "mask")),
        (({"image": PILLOW, "label": 3},), ("image",), ("mask",)),
        ((IMAGE, tv_tensors.Mask(torch.zeros(1, SIZE, SIZE))), (0,), (1,)),
    ],
)
def test_later_transforms_move_image_and_mask(sample, image, mask):
    alone = seeded(build(), *sample)
    result = seeded(v2.Compose([build(), *STEPS]), *sample)
    for path in (image, mask):
        expected, moved = alone, result
        for step in path:
            expected, moved = expected[step], moved[step]
        expected = torch.nn.functional.pad(as_tensor(expected).flip(-1), (3, 3, 3, 3)).flip(-2)
        assert torch.equal(as_tensor(moved), expected)
    assert LABEL.any()


def test_twice_in_a_pipeline():
    for sample in ((IMAGE, 3), (IMAGE, {"label": 3}), ({"image": PILLOW},), (IMAGE,)):
        once = seeded(v2.Compose([build()]), *sample)
        twice = seeded(v2.Compose([build(), build()]), *sample)
        assert len(list(walk(once))) == len(list(walk(twice)))
        before, after = (next(one for one in walk(each) if type(one) is tv_tensors.Mask) for each in (once, twice))
        assert (after >= before).all()
        assert after.sum() > before.sum()


def test_pipeline_to_normalised_floats():
    pipeline = v2.Compose(
        [v2.ToImage(), build(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)]
    )
    image, target = seeded(pipeline, PILLOW, {"label": 3})
    torch.testing.assert_close(plain(image), CHANGED / 255 * 2 - 1)
    assert torch.equal(plain(target["mask"]), LABEL)
    with pytest.raises(ValueError, match=r"image must be .*values from"):
        v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.2] * 3), build()])(
            PILLOW
        )


def test_bicubic_resizing():
    noise = tv_tensors.Image(torch.randint(0, 2, (3, 12, 12), generator=torch.Generator().manual_seed(0)).float())
    resize = v2.Resize((SIZE, SIZE), interpolation=v2.InterpolationMode.BICUBIC)
    with pytest.raises(ValueError, match=r"image must be .*values from -0.*clamp=True"):
        v2.Compose([resize, build()])(noise)
    image, _ = v2.Compose([resize, build(clamp=True)])(noise)
    assert image.min() == 0
    assert image.max() == 1


# containers that skip


WITH_MASK = [
    (IMAGE, tv_tensors.Mask(torch.zeros(SIZE, SIZE))),
    (IMAGE, torch.zeros(1, SIZE, SIZE)),
    ({"image": IMAGE, "mask": tv_tensors.Mask(torch.zeros(SIZE, SIZE))},),
    (PILLOW, {"mask": tv_tensors.Mask(torch.zeros(SIZE, SIZE)), "label": 3}),
]
WITHOUT_MASK = [(IMAGE,), (PILLOW,), (IMAGE, 3), ({"image": IMAGE},), (IMAGE, {"label": 3})]
CONTAINERS = [
    lambda transform: v2.RandomApply([transform], p=0.5),
    lambda transform: v2.RandomApply(torch.nn.ModuleList([transform]), p=0.5),
    lambda transform: v2.Compose([v2.RandomApply([v2.Compose([transform, v2.Pad(1)])], p=0.5)]),
    lambda transform: v2.RandomChoice([transform, v2.Identity()]),
]


@pytest.mark.parametrize("contain", CONTAINERS)
@pytest.mark.parametrize("sample", WITH_MASK)
def test_containers_keep_the_number_of_outputs(sample, contain):
    container = contain(build())
    results = [seeded(container, *sample, seed=seed) for seed in range(12)]
    assert {len(list(walk(one))) for one in results} == {len(list(walk(sample)))}
    changed = [any(type(leaf) is tv_tensors.Mask and leaf.any() for leaf in walk(one)) for one in results]
    assert 0 < sum(changed) < 12


@pytest.mark.parametrize("contain", CONTAINERS)
@pytest.mark.parametrize("sample", WITHOUT_MASK)
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_containers_never_return_another_number_of_outputs(p, sample, contain):
    container, refused = contain(build(p=p)), 0
    for seed in range(12):
        try:
            result = seeded(container, *sample, seed=seed)
        except ValueError as error:
            assert "image must come with a mask inside Random" in str(error)  # noqa: PT017 - it depends on the seed
            refused += 1
        else:
            assert len(list(walk(result))) == len(list(walk(sample)))
    assert 0 < refused < 12


@pytest.mark.parametrize(
    "container",
    [
        v2.RandomApply([build()], p=1.0),
        v2.RandomChoice([build(), build(label="binary")]),
        v2.RandomChoice([build(), v2.Compose([v2.Identity(), build()])]),
        v2.RandomOrder([build(), v2.Identity()]),
        v2.Compose([v2.RandomApply([v2.Identity()], p=0.5), build()]),
    ],
)
def test_containers_that_always_add_a_mask(container):
    for seed in range(6):
        image, mask = seeded(container, IMAGE, seed=seed)
        assert type(image) is tv_tensors.Image
        assert type(mask) is tv_tensors.Mask


# data sets


def test_folders_of_torchvision(tmp_path):
    write_folder(tmp_path / "good", NORMALS)
    steps = [v2.ToImage(), build()]
    folder = torchvision.datasets.ImageFolder(tmp_path, transform=v2.Compose(steps))
    (image, mask), label = folder[0]
    assert type(image) is tv_tensors.Image
    assert type(mask) is tv_tensors.Mask
    assert label == 0
    samples = [v2.Compose(steps)(*pair) for pair in torchvision.datasets.ImageFolder(tmp_path)]
    images, labels, masks = torch.utils.data.default_collate(samples)
    assert images.shape == (4, 3, SIZE, SIZE)
    assert labels.tolist() == [0] * 4
    assert masks.shape == (4, SIZE, SIZE)


class Samples(torch.utils.data.Dataset):
    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return self.transform({"image": IMAGE, "index": index})


@fork
def test_workers():
    loader = DataLoader(Samples(build()), batch_size=3, num_workers=2, multiprocessing_context="fork", timeout=60)
    batches = list(loader)
    assert [batch["index"].tolist() for batch in batches] == [[0, 1, 2], [3, 4, 5]]
    images = torch.cat([batch["image"] for batch in batches])
    assert torch.unique(images, dim=0).shape[0] == 6
    assert all(batch["mask"].shape == (3, SIZE, SIZE) for batch in batches)


def test_data_sets_take_views_of_torchvision():
    dataset = AnomalyDataset(NORMALS, build().task, view_transform=v2.Compose([v2.RandomCrop(24)]), p=1.0)
    image, label = dataset[0]
    assert image.shape == (3, 24, 24)
    assert label.shape == (24, 24)
