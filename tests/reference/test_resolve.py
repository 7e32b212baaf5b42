"""A flag's value is the first treatment's variation, or the default."""

from __future__ import annotations

import pytest

from allotment.model.assignment import Reason, Resolution
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, Miss, Variation
from allotment.model.keyed import Keyed
from allotment.model.limits import BUCKETS
from allotment.model.slots import Slot
from allotment.reference import resolve


def _experiment(key: str, variation: str) -> Experiment:
    """An experiment that deals everyone its one treatment."""
    treatment = Treatment("only", sets=(("button", variation),))
    allocation = Allocation("all", (("only", 1),), 1, slots=(Slot(0, BUCKETS, "only"),))
    iteration = Iteration(1, (treatment,), (allocation,), state=State.RUNNING, salt=key)
    return Experiment(key, (iteration,), overrides=(("ann", "only"),))


def _closed(key: str) -> Experiment:
    iteration = Iteration(1, (), (), state=State.RUNNING, salt=key)
    return Experiment(key, (iteration,))


def _resolve(*places: FlagExperiment) -> Resolution:
    variations = (Variation("blue", '"#00f"'), Variation("red", '{"rgb": [255, 0, 0]}'))
    experiments = [_closed("closed"), _experiment("reds", "red"), _experiment("blues", "blue")]
    catalog = Catalog(
        flags=Keyed([("button", Flag("button", variations, "blue", experiments=places))]),
        experiments=Keyed((each.key, each) for each in experiments),
    )
    return resolve(catalog, "button", "bo", {})


RED = Resolution("button", {"rgb": [255, 0, 0]}, "red", "reds", Reason.ALLOCATED)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], Resolution("button", "#00f", "blue", None, None)),
        (["reds", "blues"], RED),
        (["closed", "reds", "blues"], RED),
        (["closed"], Resolution("button", "#00f", "blue", None, Reason.NO_MATCH)),
        (["gone", "reds"], RED),
        (["closed!", "reds"], Resolution("button", "#00f", "blue", None, Reason.NO_MATCH)),
        (["reds!", "blues"], RED),
        (["closed!blue", "reds"], Resolution("button", "#00f", "blue", None, Reason.NO_MATCH)),
        (["closed!red"], Resolution("button", RED.value, "red", None, Reason.NO_MATCH)),
        (["gone!red"], Resolution("button", "#00f", "blue", None, Reason.UNKNOWN_EXPERIMENT)),
        (["gone!red", "reds"], RED),
        (["reds!blue"], RED),
    ],
)
def test_the_first_treatment_wins_and_stop_ends_at_a_miss(
    places: list[str], expected: Resolution
) -> None:
    """A "!" marks a place whose miss ends the search, with the variation after it if any."""
    listed = [
        FlagExperiment(key, Miss.STOP if stop else Miss.NEXT, otherwise or None)
        for key, stop, otherwise in (place.partition("!") for place in places)
    ]
    assert _resolve(*listed) == expected


def test_an_unknown_flag_resolves_to_nothing() -> None:
    assert resolve(Catalog(), "gone", "bo") == Resolution("gone", None, None, None, None)
