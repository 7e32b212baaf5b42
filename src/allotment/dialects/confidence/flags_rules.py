"""A flag's rules, which are told and never set: one for each experiment that the flag lists."""

from __future__ import annotations

from itertools import accumulate

from allotment.dialects.confidence.audience import SELECTOR, UNIT
from allotment.dialects.confidence.names import rule_name, segment_name, variant_name
from allotment.dialects.wire.source import Tree
from allotment.model.experiment import Experiment, State
from allotment.model.flag import Flag


def selector_of(kind: str) -> str:
    """Where in an evaluation context the unit of a kind stands."""
    return SELECTOR if kind == UNIT else kind


def show_rule(flag: Flag, experiment: Experiment) -> dict[str, Tree]:
    """The rule that the experiment is, as near as one rule comes to it."""
    iteration = experiment.current
    audience = iteration.audience
    live = iteration.state in (State.RUNNING, State.PAUSED) and not experiment.archived
    return {
        "name": rule_name(flag.key, experiment.key),
        "segment": "" if audience is None else segment_name(audience),
        "enabled": live,
        "targetingKeySelector": selector_of(experiment.unit),
        "assignmentSpec": _show_spec(flag, experiment),
    }


def _show_spec(flag: Flag, experiment: Experiment) -> dict[str, Tree]:
    """The weights of the first allocation as ranges side by side, in the order of treatments."""
    iteration = experiment.current
    if not iteration.allocations:
        return {"bucketCount": 0, "assignments": []}
    first = iteration.allocations[0]
    variations = {one.key: dict(one.sets).get(flag.key, "") for one in iteration.treatments}
    ends = list(accumulate(parts for _, parts in first.weights))
    shown: list[Tree] = []
    for (treatment, parts), end in zip(first.weights, ends, strict=True):
        name = variant_name(flag.key, variations.get(treatment, ""))
        shown.append(
            {
                "assignmentId": treatment,
                "variant": {"variant": name},
                "bucketRanges": [{"lower": end - parts, "upper": end}],
            }
        )
    return {"bucketCount": first.total, "assignments": shown}
