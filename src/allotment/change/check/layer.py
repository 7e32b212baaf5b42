"""What layers and holdouts must satisfy."""

from __future__ import annotations

from itertools import pairwise

from allotment.change.check.draw import bound_of, check_draw, check_lone_salt
from allotment.change.check.label import check_labels, check_share
from allotment.change.check.sample import check_beside_reservations
from allotment.change.check.stage import check_gives_up_nothing
from allotment.change.kinds import noun_path
from allotment.errors import Conflict, InvalidChange, InvalidInput, NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.limits import BUCKETS, RANGES_MAX
from allotment.model.profile import PROFILES, Draw
from allotment.model.slots import is_orderly
from allotment.model.stage import profile_of
from allotment.model.text import check_key


def check_holdout(holdout: Holdout, old: Holdout | None, catalog: Catalog) -> None:
    """Check the holdout, and where its unit changed the experiments under it."""
    path = noun_path("holdout", holdout.key)
    check_labels(holdout, path)
    check_key(holdout.unit, f"{path}.unit")
    check_share(holdout.share_ppm, f"{path}.share")
    draw = Draw(holdout.profile, holdout.salt)
    check_draw(draw, path)
    bound_of(holdout.profile, holdout.share_ppm, f"{path}.share")
    check_lone_salt("holdout", holdout.key, draw, catalog)
    if old and old.unit != holdout.unit:
        for key in sorted(catalog.users.get(f"holdout:{holdout.key}", ())):
            check_unit(holdout, catalog.experiments[key], f"{path}.unit")


def check_layer(layer: Layer, before: Catalog, catalog: Catalog) -> None:
    """Check the layer, its reservations, and that both sides of each agree."""
    path = noun_path("layer", layer.key)
    check_labels(layer, path)
    draw = Draw(layer.profile, layer.salt)
    check_draw(draw, path)
    if BUCKETS % (PROFILES[layer.profile].buckets or BUCKETS + 1):
        message = f"{layer.profile} has no buckets of whole parts per million, which layers need"
        raise InvalidInput(message, f"{path}.profile")
    check_key(layer.unit, f"{path}.unit")
    check_lone_salt("layer", layer.key, draw, catalog)
    keys = [reservation.experiment for reservation in layer.reservations]
    if keys != sorted(set(keys)):
        raise InvalidChange("an experiment is reserved for twice", f"{path}.reservations")
    for reservation in layer.reservations:
        here = f"{path}.reservations.{reservation.experiment}"
        _check_ranges(reservation, profile_of(layer).count(BUCKETS), here)
        member = catalog.experiments.get(reservation.experiment)
        if member is None:
            near = did_you_mean(reservation.experiment, catalog.experiments)
            raise NotFound(f"there is no experiment {reservation.experiment!r}{near}", here)
        if member.layer != layer.key:
            raise InvalidChange(f"experiment {member.key!r} is not in this layer", here)
        check_unit(layer, member, here)
    _check_disjoint(layer, path)
    for key in sorted(catalog.users.get(f"sampled:{layer.key}", ())):
        sample = catalog.segments[key].sample
        if sample is not None:
            check_beside_reservations(key, sample, layer)
    for key in sorted(before.users.get(f"layer:{layer.key}", ())):
        after = catalog.experiments.get(key)
        if after is not None:
            check_member(after, catalog)
            check_gives_up_nothing(after, before, catalog)


def _check_ranges(reservation: Reservation, buckets: int, path: str) -> None:
    ranges = reservation.ranges
    if reservation.share_ppm is not None:
        raise InvalidChange("a reservation says its ranges, not its share", path)
    if any(type(edge) is not int for item in ranges for edge in item):
        raise InvalidInput("the edges of a range are whole numbers", path)
    if not is_orderly(ranges, buckets):
        raise InvalidInput(
            f"ranges are not empty, ascend without overlap and lie within 0 and {buckets:,}", path
        )
    if len(ranges) > RANGES_MAX:
        raise InvalidChange(f"a reservation has at most {RANGES_MAX:,} ranges", path)


def _check_disjoint(layer: Layer, path: str) -> None:
    owned = sorted(
        (item.start, item.stop, reservation.experiment)
        for reservation in layer.reservations
        for item in reservation.ranges
    )
    for (_, stop, one), (start, _, other) in pairwise(owned):
        if start < stop:
            raise Conflict(
                f"experiments {one!r} and {other!r} both reserve bucket {start:,}; in a layer no "
                "bucket has two owners",
                f"{path}.reservations.{other}",
            )


def check_member(experiment: Experiment, catalog: Catalog) -> None:
    """Check that the layer an experiment names has a reservation for it."""
    if experiment.layer is None:
        return
    path = f"{noun_path('experiment', experiment.key)}.layer"
    layer = catalog.layers.get(experiment.layer)
    if layer is None:
        near = did_you_mean(experiment.layer, catalog.layers)
        raise NotFound(f"there is no layer {experiment.layer!r}{near}", path)
    check_unit(layer, experiment, path)
    if not any(reserved.experiment == experiment.key for reserved in layer.reservations):
        raise InvalidChange(
            f"layer {layer.key!r} reserves nothing for this experiment; reserve a share", path
        )


def check_unit(noun: Layer | Holdout, experiment: Experiment, path: str) -> None:
    """Raise InvalidChange where an experiment randomises another kind of unit than the noun."""
    if noun.unit != experiment.unit:
        raise InvalidChange(
            f"{noun.key!r} draws by {noun.unit!r}, experiment {experiment.key!r} by "
            f"{experiment.unit!r}; they need the same kind of unit",
            path,
        )
