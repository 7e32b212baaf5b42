"""What the stages of an experiment draw by, and which one decides whether it may have a unit.

That one is its layer, or the sample that is its audience.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, Iteration
from allotment.model.hashing import Hash
from allotment.model.layer import Holdout, Layer
from allotment.model.limits import BUCKETS
from allotment.model.profile import NATIVE, PROFILES, Draw, Profile
from allotment.model.segment import Sample
from allotment.model.slots import Range, Ranges


class Stage(NamedTuple):
    """One draw, and the buckets of it that are the experiment's.

    salt     the stage draws by "{salt}/{name}"; by the salt itself with another platform's profile
    name     "layer", or "sample" for one with a draw of its own
    ranges   the buckets
    layer    the layer whose draw it is, if any
    profile  how it draws
    """

    salt: str
    name: str
    ranges: Ranges
    layer: str | None
    profile: str = NATIVE

    @property
    def draw(self) -> Draw:
        """What it draws by."""
        return _draw(self.profile, self.salt, self.name)


def _draw(profile: str, salt: str, stage: str) -> Draw:
    is_native = profile == NATIVE or PROFILES[profile].hash is Hash.NATIVE
    return Draw(profile, f"{salt}/{stage}" if is_native else salt)


def holdout_draw(holdout: Holdout) -> Draw:
    """What a holdout draws by."""
    return _draw(holdout.profile, holdout.salt, "holdout")


def layer_draw(layer: Layer) -> Draw:
    """What a layer draws by."""
    return _draw(layer.profile, layer.salt, "layer")


def enrolment_draw(iteration: Iteration) -> Draw:
    """What the enrolment of an iteration draws by."""
    return iteration.enrolment_draw or Draw(NATIVE, f"{iteration.salt}/enrolment")


def treatment_draw(iteration: Iteration) -> Draw:
    """What an iteration deals its treatments by."""
    return _draw(iteration.profile, iteration.salt, "treatment")


def whole(profile: Profile) -> Ranges:
    """All buckets of a stage that draws by a profile with a fixed number of them."""
    return (Range(0, profile.count(BUCKETS)),)


def profile_of(noun: Draw | Holdout | Layer | Iteration) -> Profile:
    """The profile of a draw, of a holdout, of a layer, or of the treatments of an iteration.

    Raises KeyError where there is none of that name.
    """
    return PROFILES[noun.profile]


def stage_of(experiment: Experiment, catalog: Catalog) -> Stage | None:
    """The stage of an experiment, by its layer or by the sample that is its audience.

    None where it may have every unit. Raises KeyError where what it names is not there.
    """
    if experiment.layer is not None:
        layer = catalog.layers[experiment.layer]
        own = (r.ranges for r in layer.reservations if r.experiment == experiment.key)
        return Stage(layer.salt, "layer", next(own, ()), layer.key, layer.profile)
    sample = sample_of(experiment, catalog)
    if sample is None:
        return None
    if sample.layer is None:
        return Stage(f"segment/{experiment.current.audience}", "sample", sample.ranges, None)
    layer = catalog.layers[sample.layer]
    return Stage(layer.salt, "layer", sample.ranges, layer.key, layer.profile)


def sample_of(experiment: Experiment, catalog: Catalog) -> Sample | None:
    """The sample that is the audience of the experiment's current iteration, if it is one."""
    audience = experiment.current.audience
    segment = None if audience is None else catalog.segments.get(audience)
    return None if segment is None else segment.sample


def excluders(experiment: Experiment, catalog: Catalog) -> Iterator[Experiment]:
    """The experiments that never share a unit with this one, in the order of their keys.

    In a layer a reservation excludes all others, and a sample those that its tags say. Archived
    experiments, which have no unit, and those of another kind of unit are not among them.
    """
    mine = sample_of(experiment, catalog)
    layer = mine.layer if experiment.layer is None and mine is not None else experiment.layer
    if layer is None:
        return
    for key in sorted(catalog.users.get(f"layer:{layer}", ())):
        other = catalog.experiments[key]
        if key == experiment.key or other.archived or other.unit != experiment.unit:
            continue
        if _exclude(experiment, mine, other, sample_of(other, catalog), layer):
            yield other


def _exclude(
    one: Experiment, mine: Sample | None, other: Experiment, theirs: Sample | None, layer: str
) -> bool:
    if layer not in (other.layer, theirs and theirs.layer):
        return False  # it is in the layer by an iteration that is not the current one
    if layer in (one.layer, other.layer):
        return True
    if mine is None or theirs is None or one.current.audience == other.current.audience:
        return False
    return mine.excludes(theirs)
