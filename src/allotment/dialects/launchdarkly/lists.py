"""Lists of experiments: filtered, in windows, over one environment or over all of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

from allotment.change.lifecycle import Policy, Status, called
from allotment.dialects.launchdarkly.iterations import kept_note
from allotment.dialects.launchdarkly.links import Scene, page_links
from allotment.dialects.launchdarkly.listings import uses_flag
from allotment.dialects.launchdarkly.metrics import TEXT_MAX, has_metric
from allotment.dialects.launchdarkly.shown import EXPANDS, show_experiment
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.dialects.wire.version import Versions
from allotment.dialects.wire.window import read_window
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment

QUERY: Final = ("limit", "offset", "filter", "expand", "lifecycleState")
LIMIT: Final = 20
LIMIT_MAX: Final = 1_000
STATES: Final = ("active", "archived")

# The vendor's words, each once: two statuses of ours are running there, and two are stopped.
STATUSES: Final = tuple(dict.fromkeys(called(Policy.LAUNCHDARKLY, at) for at in Status))


Wanted: TypeAlias = Callable[[Experiment, Catalog], bool]


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of a list."""

    scene: Scene
    catalog: Catalog
    versions: Versions


def list_experiments(query: Place, environments: Iterable[Environment], href: str) -> Tree:
    """A window of the experiments by key; archived ones only where they are asked for."""
    wanted, expand = read_wanted(query), read_expand(query.at("expand"))
    found = [
        (key, index, place)
        for index, place in enumerate(environments)
        for key, one in place.catalog.experiments.items()
        if wanted(one, place.catalog)
    ]
    found.sort(key=lambda each: each[:2])
    window = read_window(query, LIMIT, LIMIT_MAX)
    asked = {name: str(query.at(name).value) for name in QUERY[2:] if query.at(name).said}
    return {
        "items": [
            show_experiment(
                place.catalog.experiments[key],
                place.catalog,
                place.versions[f"experiment:{key}"],
                place.scene,
                expand,
            )
            for key, _, place in window.of(found)
        ],
        "total_count": len(found),
        "_links": page_links(href, asked, window.limit, window.offset, len(found)),
    }


def read_expand(place: Place, known: tuple[str, ...] = EXPANDS) -> frozenset[str]:
    """What of the `known` an answer has beside what it always has."""
    return frozenset(word.word(known) for word in _parts(place))


def read_wanted(query: Place) -> Wanted:
    """Whether a query's `filter` and `lifecycleState` have an experiment in the list."""
    states = {word.word(STATES) for word in _parts(query.at("lifecycleState"))} or {STATES[0]}
    rules = [_read_rule(part) for part in _parts(query.at("filter"))]

    def wanted(experiment: Experiment, catalog: Catalog) -> bool:
        return STATES[experiment.archived] in states and all(
            rule(experiment, catalog) for rule in rules
        )

    return wanted


def _read_rule(place: Place) -> Wanted:
    field, colon, value = place.text(1, TEXT_MAX).partition(":")
    if not colon:
        raise place.refusal("a filter is written field:value")
    match Place(field, place.path).word(("flagKey", "metricKey", "status")):
        case "flagKey":
            return lambda experiment, catalog: uses_flag(experiment, value, catalog)
        case "metricKey":
            return lambda experiment, _catalog: any(
                has_metric(kept_note(experiment, one), value) for one in experiment.iterations
            )
        case _:
            word = Place(value, place.path).word(STATUSES)
            return lambda experiment, _catalog: any(
                called(Policy.LAUNCHDARKLY, Status(one.state)) == word
                for one in experiment.iterations
            )


def _parts(place: Place) -> list[Place]:
    """The parts of a list with commas, none where it is not given."""
    if not place.said:
        return []
    texts = place.text(0, TEXT_MAX).split(",")
    return [Place(text.strip(), place.path) for text in texts if text.strip()]
