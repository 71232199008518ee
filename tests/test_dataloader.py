"""NSA in the workers of a torch DataLoader: batches collate, no sample repeats, seeds reproduce."""

import albumentations as A
import numpy as np
import pytest
from pipelines import TEXTURE, USES, VISIBLE, normals, only_in_2, params_of, transform_of, write_folder

from nsa_augment import NSA

torch = pytest.importorskip("torch")
data = pytest.importorskip("torch.utils.data")

pytestmark = [
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),  # fork, Python 3.12
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
]
LENGTH = 12


class Repeated(data.Dataset):
    """The same image again and again: all that differs is drawn."""

    def __init__(self, pipeline, length=LENGTH):
        self.pipeline = pipeline
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        worker = data.get_worker_info()
        out = self.pipeline(image=normals()[0].copy())  # torch warns of read-only arrays
        return {
            "image": out["image"],
            "mask": out["mask"],
            "index": index,
            "worker": -1 if worker is None else worker.id,
        }


def first_source(rng):
    return normals()[1]


def build(seed=0, p=1.0, sources=None, steps=(), use="nsa", **arguments):
    transform = transform_of(use, sources=list(normals()[1:]) if sources is None else sources, p=p, **arguments)
    return A.Compose([transform, *steps, A.ToTensorV2()], seed=seed)


def loader(pipeline, workers, context="fork", length=LENGTH, **options):
    if workers:
        options = {"multiprocessing_context": context, "timeout": 60, **options}
    return data.DataLoader(Repeated(pipeline, length), batch_size=3, num_workers=workers, **options)


def epoch(batches):
    """Samples in the order of the data set: (image, mask, worker)."""
    samples = {}
    for batch in batches:
        assert batch["image"].shape == (3, 3, 64, 64)
        assert batch["mask"].shape == (3, 64, 64)
        assert batch["mask"].dtype == torch.float32
        for row, index in enumerate(batch["index"].tolist()):
            pair = batch["image"][row].numpy().copy(), batch["mask"][row].numpy().copy()
            samples[index] = *pair, int(batch["worker"][row])
    return [samples[index] for index in sorted(samples)]


def run(torch_seed, workers, seed=0, epochs=1, context="fork", **arguments):
    torch.manual_seed(torch_seed)
    batches = loader(build(seed, **arguments), workers, context)
    return [sample for _ in range(epochs) for sample in epoch(batches)]


def images_of(samples):
    return [sample[0].tobytes() for sample in samples]


def assert_equal(one, other):
    for (image, mask, worker), (image2, mask2, worker2) in zip(one, other, strict=True):
        np.testing.assert_array_equal(image, image2)
        np.testing.assert_array_equal(mask, mask2)
        assert worker == worker2


@pytest.mark.parametrize(
    ("workers", "context"), [(0, None), (1, "fork"), (2, "fork"), pytest.param(2, "spawn", marks=pytest.mark.slow)]
)
def test_no_two_samples_of_two_epochs_are_alike(workers, context):
    samples = run(1, workers, epochs=2, context=context)
    assert len(samples) == 2 * LENGTH
    assert {worker for *_, worker in samples} == ({-1} if workers == 0 else set(range(workers)))
    assert len(set(images_of(samples))) == len(samples)
    assert len({mask.tobytes() for _, mask, _ in samples}) == len(samples)
    assert all(mask.any() for _, mask, _ in samples)


@pytest.mark.parametrize(("use", "seed"), [("nsa", None), ("nsa", 7), *[(use, 7) for use in USES if use != "nsa"]])
def test_workers_differ_with_and_without_a_seed_of_the_compose(use, seed):
    images = images_of(run(1, 2, seed=seed, use=use))
    unchanged = normals()[0].transpose(2, 0, 1).tobytes()
    changed = [image for image in images if image != unchanged]
    assert len(set(changed)) == len(changed) >= (len(images) // 2 if use == "pii" else len(images))


@pytest.mark.parametrize(("use", "workers"), [("nsa", 0), ("nsa", 1), *[(use, 2) for use in USES]])
def test_same_seeds_and_workers_give_the_same_epochs(use, workers):
    first, second = (run(5, workers, seed=3, epochs=2, use=use) for _ in range(2))
    assert_equal(first, second)


@pytest.mark.slow
def test_fork_and_spawn_give_the_same(tmp_path):
    folder = write_folder(tmp_path, normals()[1:])
    transform = A.HorizontalFlip()
    forked, spawned = (
        run(5, 2, seed=3, context=context, sources=folder, source_transform=transform) for context in ("fork", "spawn")
    )
    assert_equal(forked, spawned)


def test_another_torch_seed_gives_other_samples():
    samples = [*run(5, 2, seed=3), *run(6, 2, seed=3)]
    assert len(set(images_of(samples))) == len(samples)


def test_another_seed_of_the_compose_gives_other_samples():
    samples = [*run(5, 2, seed=3), *run(5, 2, seed=4)]
    assert len(set(images_of(samples))) == len(samples)


def test_persistent_workers_go_on():
    def two_epochs():
        torch.manual_seed(2)
        batches = loader(build(), 2, persistent_workers=True)
        return [sample for _ in range(2) for sample in epoch(batches)]

    first = two_epochs()
    assert len(set(images_of(first))) == 2 * LENGTH
    assert_equal(first, two_epochs())


def test_workers_decide_apart_whether_to_apply():
    torch.manual_seed(0)
    batches = loader(build(p=0.5), 2, length=96)
    applied = [(bool(mask.any()), worker) for _, mask, worker in epoch(batches)]
    decisions = [[now for now, worker in applied if worker == number] for number in (0, 1)]
    assert len(decisions[0]) == len(decisions[1]) == 48
    assert decisions[0] != decisions[1]
    assert 10 < sum(one == other for one, other in zip(*decisions, strict=True)) < 38
    assert all(10 < sum(decision) < 38 for decision in decisions)


@pytest.mark.parametrize("kind", ["folder", "callable", "previous"])
def test_every_kind_of_sources(kind, tmp_path):
    write_folder(tmp_path, normals()[1:])
    sources = {"folder": tmp_path, "callable": first_source, "previous": "previous"}[kind]
    torch.manual_seed(1)
    samples = epoch(loader(build(sources=sources), 2))
    changed = [mask.any() for _, mask, _ in samples]
    assert sum(changed) >= (LENGTH - 2 if kind == "previous" else LENGTH)
    seen = [sample for sample, change in zip(samples, changed, strict=True) if change]
    assert len(set(images_of(seen))) == len(seen)


def test_source_transforms_differ_between_workers():
    levels = np.arange(64, dtype=np.uint8)
    positions = np.stack(
        [*np.broadcast_arrays(levels[:, None] * 4, levels[None] * 4), np.zeros((64, 64), np.uint8)], -1
    )
    image = np.zeros((24, 24, 3), np.uint8)
    steps = [NSA(TEXTURE, [positions], p=1.0, source_transform=A.RandomCrop(24, 24), max_patches=1, **VISIBLE)]
    pipeline = A.ReplayCompose(steps)
    pipeline.set_random_seed(0)
    torch.manual_seed(0)
    corners = [
        corner for batch in data.DataLoader(Corners(pipeline, image), num_workers=2) for corner in batch.tolist()
    ]
    assert len({tuple(corner) for corner in corners}) > 30  # of 40


class Corners(data.Dataset):
    """Where the source was cropped."""

    def __init__(self, pipeline, image):
        self.pipeline = pipeline
        self.image = image

    def __len__(self):
        return 40

    def __getitem__(self, index):
        out = self.pipeline(image=self.image)
        return params_of(out)["source"][0, 0, :2].astype(int)


def test_containers_around_nsa_in_workers():
    torch.manual_seed(0)
    pipeline = A.Compose([A.Compose([A.Sequential([build()], p=1.0)])], seed=1)
    samples = epoch(loader(pipeline, 2))
    assert len(set(images_of(samples))) == LENGTH


def test_an_iterable_data_set():
    torch.manual_seed(0)
    batches = data.DataLoader(Stream(build()), batch_size=3, num_workers=2, multiprocessing_context="fork", timeout=60)
    images = [image.numpy().tobytes() for batch in batches for image in batch["image"]]
    assert len(set(images)) == len(images) == 2 * 6


class Stream(data.IterableDataset):
    """Six samples from every worker."""

    def __init__(self, pipeline):
        self.samples = Repeated(pipeline)

    def __iter__(self):
        return (self.samples[index] for index in range(6))


def test_the_main_process_is_left_alone_by_workers():
    torch.manual_seed(0)
    pipeline = build(seed=5)
    epoch(loader(pipeline, 2))
    np.testing.assert_array_equal(pipeline(image=normals()[0])["image"], build(seed=5)(image=normals()[0])["image"])


@only_in_2
def test_the_documented_worker_init_fn_spreads_the_other_transforms():
    def samples(worker_init_fn):
        torch.manual_seed(0)
        pipeline = build(seed=5, p=0.0, steps=[A.GaussNoise(std_range=(0.1, 0.2), p=1.0)])
        return len(set(images_of(epoch(loader(pipeline, 2, worker_init_fn=worker_init_fn)))))

    assert samples(None) < LENGTH
    assert samples(reseed) == LENGTH


def reseed(worker_id):
    info = data.get_worker_info()
    info.dataset.pipeline.set_random_seed(info.seed % 2**32)


def test_nsa_differs_between_workers_that_were_seeded_by_hand():
    torch.manual_seed(0)
    assert len(set(images_of(epoch(loader(build(seed=5), 2, worker_init_fn=reseed))))) == LENGTH
