"""A task: darkened triangles of the image itself, each of a darkness of its own."""

from dataclasses import dataclass, replace

from nsa_augment import AnomalyTask


@dataclass(frozen=True, kw_only=True)
class DarkSpots(AnomalyTask):
    darkness: float = 0.8
    shape: str | None = "triangle"
    blending: str = "darken"

    name = "dark_spots"
    title = "Dark spots"
    needs_source = False

    def __post_init__(self):
        super().__post_init__()
        if not 0 < self.darkness <= 1:
            raise ValueError(f"darkness must be a number in (0, 1], got {self.darkness!r}")

    def draw(self, scene, rng):
        plan = super().draw(scene, rng)
        patches = (replace(patch, factor=self.darkness * rng.uniform(0.5, 1)) for patch in plan.patches)
        return replace(plan, patches=tuple(patches))
