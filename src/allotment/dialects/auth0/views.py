"""The nouns as this API shows them, both generations of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from allotment.change.commands import Command
from allotment.change.lifecycle import Status, status
from allotment.dialects.auth0.ids import id_of, id_of_nothing, visible
from allotment.dialects.auth0.labels import FIELDS, Labelled, shown_name
from allotment.dialects.auth0.lifecycle import (
    obstacles_of,
    shown_editable_fields,
    shown_flag_status,
    shown_status,
)
from allotment.dialects.auth0.parameters import DESCRIPTIONS, defaults_of, overrides_of
from allotment.dialects.auth0.schema.experiments import (
    Auth0Experiment,
    Auth0Obstacle,
    Auth0Ramp,
    Auth0ShownItem,
    Auth0Subject,
    Auth0Validation,
    Strategy,
)
from allotment.dialects.auth0.schema.flags import (
    Auth0Flag,
    Auth0Override,
    Auth0ShownParameter,
    Auth0Variation,
    Auth0Variations,
    type_of,
)
from allotment.dialects.auth0.schema.segments import Auth0Segment
from allotment.dialects.auth0.segments import show_rules, shown_segment_status
from allotment.dialects.wire.listed import flag_of
from allotment.dialects.wire.operation import Noun, ReadState, ReadVersion
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Treatment
from allotment.model.flag import Flag, Variation
from allotment.model.instant import show_instant
from allotment.model.limits import BUCKETS

# Fields of an experiment that the model lacks: its authentication flow, the levels of its ramp, the
# strategy while it has no allocations, the treatments that claim to be the control where that is
# not one, and the priority given to the fallback.
FLOW: Final = "authentication_flow"
LEVELS: Final = "levels"
STRATEGY: Final = "allocation_strategy"
CONTROLS: Final = "controls"
RANK: Final = "fallback_priority"

_PERCENT: Final = BUCKETS // 100

# The flow of an experiment that was made elsewhere.
_EVERY_FLOW: Final = "all"

Done = Sequence[Command]


def get_experiment(state: ReadState, noun: Noun) -> Auth0Experiment:
    """An experiment."""
    catalog = state.catalog
    experiment = catalog.experiments[noun.key]
    return show_experiment(experiment, catalog, state.versions[noun.name])


def show_experiment(
    experiment: Experiment, catalog: Catalog, version: ReadVersion
) -> Auth0Experiment:
    """An experiment of a catalog; what is unset is left out."""
    current = experiment.current
    flag = catalog.flags.get(flag_of(experiment, catalog) or "")
    started, ended = current.started_at, current.ended_at
    return Auth0Experiment(
        **_named("experiment", experiment, version),
        feature_flag_id=flag_id_of(experiment, catalog),
        feature_flag_name=shown_name(flag) if flag else None,
        authentication_flow=shown_flow(experiment),
        allocation_strategy=shown_strategy(experiment),
        assignment_config=Auth0Subject(subject=experiment.unit),
        status=shown_status(experiment),
        is_valid=not obstacles_of(experiment, catalog),
        allocations=show_items(experiment, catalog),
        editable_fields=shown_editable_fields(experiment),
        feature_flag_snapshot=None,
        current_level=current_level(experiment),
        levels=shown_levels(experiment) or None,
        started_at=None if started is None else show_instant(started),
        ended_at=None if ended is None else show_instant(ended),
    )


def validate_experiment(state: ReadState, noun: Noun) -> Auth0Validation:
    """Everything that keeps an experiment from being activated."""
    experiment = state.catalog.experiments[noun.key]
    errors = [
        Auth0Obstacle(code=code, message=message)
        for code, message in obstacles_of(experiment, state.catalog)
    ]
    return Auth0Validation(is_valid=not errors, errors=errors)


def get_ramp(state: ReadState, noun: Noun, done: Done = ()) -> Auth0Ramp:
    """Where a ramp was and is; the same level twice where there was nothing to do."""
    experiment = state.catalog.experiments[noun.key]
    here = current_level(experiment) or 0
    below = [level for level in shown_levels(experiment) if level < here]
    return Auth0Ramp(
        experiment_id=id_of("experiment", experiment.key),
        from_level=below[-1] if done and below else here,
        to_level=here,
        current_level=here,
    )


def get_flag(state: ReadState, noun: Noun) -> Auth0Flag:
    """A feature flag."""
    return show_flag(state.catalog.flags[noun.key], state.versions[noun.name])


def show_flag(flag: Flag, version: ReadVersion) -> Auth0Flag:
    """A feature flag of a catalog."""
    descriptions = FIELDS.kept(flag, DESCRIPTIONS)
    known: dict[str, Any] = descriptions if isinstance(descriptions, dict) else {}
    return Auth0Flag(
        **_named("flag", flag, version),
        type="self",
        status=shown_flag_status(flag),
        parameters={
            name: Auth0ShownParameter(type=type_of(value), value=value, description=known.get(name))
            for name, value in defaults_of(flag).items()
        },
    )


def get_variation(state: ReadState, noun: Noun) -> Auth0Variation:
    """A variation, which is a part of its flag."""
    flag = state.catalog.flags[noun.key]
    variation = next(one for one in flag.variations if one.key == noun.part)
    return show_variation(flag, variation, state.versions[noun.name])


def list_variations(state: ReadState, noun: Noun) -> Auth0Variations:
    """All variations of a flag."""
    flag, version = state.catalog.flags[noun.key], state.versions[noun.name]
    return Auth0Variations(variations=[show_variation(flag, v, version) for v in visible(flag)])


def show_variation(flag: Flag, variation: Variation, version: ReadVersion) -> Auth0Variation:
    """A variation of a flag; the times are its flag's, where it has none itself."""
    created = FIELDS.kept(flag, f"variation/{variation.key}/created_at")
    updated = FIELDS.kept(flag, f"variation/{variation.key}/updated_at")
    overrides = overrides_of(flag, variation)
    return Auth0Variation(
        id=id_of("variation", flag.key, variation.key),
        feature_flag_id=id_of("flag", flag.key),
        name=shown_name(variation),
        description=variation.description or None,
        overrides={name: Auth0Override(value=value) for name, value in overrides.items()},
        created_at=show_instant(created if isinstance(created, int) else version.created_at),
        updated_at=show_instant(updated if isinstance(updated, int) else version.updated_at),
    )


def get_segment(state: ReadState, noun: Noun) -> Auth0Segment:
    """A segment."""
    segment, version = state.catalog.segments[noun.key], state.versions[noun.name]
    return Auth0Segment(
        **_named("segment", segment, version),
        type="self",
        status=shown_segment_status(segment),
        rules=show_rules(segment.rules),
    )


def _named(kind: str, noun: Labelled, version: ReadVersion) -> dict[str, Any]:
    """What every noun shows."""
    return {
        "id": id_of(kind, noun.key),
        "name": shown_name(noun),
        "description": noun.description or None,
        "created_at": show_instant(version.created_at),
        "updated_at": show_instant(version.updated_at),
    }


# Parts of an experiment.


def shown_flow(experiment: Experiment) -> str:
    """The authentication flow: a word that nothing here acts on."""
    flow = FIELDS.kept(experiment, FLOW)
    return flow if isinstance(flow, str) else _EVERY_FLOW


def shown_levels(experiment: Experiment) -> list[int]:
    """The levels of the ramp in percent; none where the experiment has no ramp.

    A draft that was made elsewhere and does not enrol all units shows its share as the only level.
    """
    levels = FIELDS.kept(experiment, LEVELS)
    if isinstance(levels, list):
        return [level for level in levels if isinstance(level, int)]
    if status(experiment) is Status.DRAFT and experiment.current.enrolment_ppm < BUCKETS:
        return [_in_percent(experiment)]
    return []


def current_level(experiment: Experiment) -> int | None:
    """The enrolment share in whole percent, once the experiment has started."""
    return None if status(experiment) is Status.DRAFT else _in_percent(experiment)


def shown_strategy(experiment: Experiment) -> Strategy:
    """By percentage where one allocation without a segment is all there is, else by segment."""
    allocations = experiment.current.allocations
    if not allocations:
        asked = FIELDS.kept(experiment, STRATEGY)
        return next((word for word in get_args(Strategy) if word == asked), "percentage")
    lone = len(allocations) == 1 and not allocations[0].segment and not allocations[0].fallback
    return "percentage" if lone else "segment"


def flag_id_of(experiment: Experiment, catalog: Catalog) -> str:
    """The id of the flag whose variations the experiment allocates, or of nothing."""
    key = flag_of(experiment, catalog)
    return id_of_nothing("flag") if key is None else id_of("flag", key)


def show_items(experiment: Experiment, catalog: Catalog) -> list[Auth0ShownItem]:
    """The items: by percentage one a treatment, by segment one an allocation.

    An allocation by segment that gives several treatments their parts, which this API cannot say,
    is an item for each, with its weight.
    """
    current = experiment.current
    treatments = {one.key: one for one in current.treatments}
    if shown_strategy(experiment) == "percentage":
        weights = _percents(current.allocations[0]) if current.allocations else {}
        return [
            _item(experiment, catalog, treatment, None, weights.get(key))
            for key, treatment in treatments.items()
        ]
    return [
        _item(
            experiment,
            catalog,
            treatments[key],
            allocation,
            None if part == allocation.total else _percents(allocation)[key],
        )
        for allocation in current.allocations
        for key, part in allocation.weights
    ]


def _item(
    experiment: Experiment,
    catalog: Catalog,
    treatment: Treatment,
    allocation: Allocation | None,
    weight: int | None,
) -> Auth0ShownItem:
    """The item of a treatment; by segment, of its `allocation`."""
    flag, key = treatment.sets[0] if treatment.sets else ("", "")
    noun = catalog.flags.get(flag)
    variation = next((one for one in noun.variations if one.key == key), None) if noun else None
    segment = allocation.segment if allocation else None
    shown = catalog.segments.get(segment or "")
    return Auth0ShownItem(
        variation_id=id_of("variation", flag, key) if flag else None,
        variation_name=shown_name(variation) if variation else None,
        segment_id=None if segment is None else id_of("segment", segment),
        segment_name=shown_name(shown) if shown else None,
        weight=weight,
        priority=_priority(experiment, allocation) if allocation else None,
        is_fallback=allocation.fallback if allocation else None,
        is_control=treatment.key in _controls(experiment),
        variation_snapshot=None,
        segment_snapshot=None,
    )


def _controls(experiment: Experiment) -> list[Any]:
    control = experiment.current.control
    claims = FIELDS.kept(experiment, CONTROLS)
    return [control] if control is not None else claims if isinstance(claims, list) else []


def _priority(experiment: Experiment, allocation: Allocation) -> int | None:
    if not allocation.fallback:
        return allocation.priority
    rank = FIELDS.kept(experiment, RANK)
    return rank if isinstance(rank, int) else None


def _percents(allocation: Allocation) -> dict[str, int]:
    """By treatment, the nearest whole weight out of 100: the vendor's clients read no others.

    What the parts leave of the total counts as one more part, so that all sum to 100; the largest
    remainders get what rounding down left, the earlier first where they are alike.
    """
    parts, total = [part for _, part in allocation.weights], allocation.total
    shares = [divmod(part * 100, total) for part in (*parts, max(total - sum(parts), 0))]
    percents = [whole for whole, _ in shares]
    left = max(100 - sum(percents), 0)
    for index in sorted(range(len(shares)), key=lambda at: -shares[at][1])[:left]:
        percents[index] += 1
    keys = [key for key, _ in allocation.weights]
    return dict(zip(keys, percents[: len(parts)], strict=True))


def _in_percent(experiment: Experiment) -> int:
    return (experiment.current.enrolment_ppm + _PERCENT // 2) // _PERCENT
