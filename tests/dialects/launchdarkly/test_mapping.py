"""The mapping itself, without a server: what is sent comes back, and growing moves nobody."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from allotment.dialects.launchdarkly.experiment_views import show_changed
from allotment.dialects.launchdarkly.ids import id_of_treatment
from allotment.dialects.launchdarkly.iterations import said_iteration
from allotment.model.experiment import Iteration
from allotment.model.text import is_blank
from ldproject import iteration, treatment, variation
from ldpure import Dialect

NAMES = ("Control", "Green", "Blue", "Red")
VALUES = ("red", "green", "blue", "red")

# Thousandths of a percent by which each of up to four treatments grows, iteration by iteration.
growths = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 100_000), min_size=width, max_size=width), min_size=2, max_size=5
    )
)


def begun() -> Dialect:
    """With a flag that is there."""
    dialect = Dialect()
    dialect.flag()
    return dialect


def current(dialect: Dialect) -> Iteration:
    found: Iteration = dialect.catalog.experiments["colour"].current
    return found


def said(percents: list[int], *, reshuffle: bool) -> Any:
    """An iteration whose treatments have so many thousandths of a percent."""
    treatments = [
        treatment(name, str(Decimal(percent) / 1000), value)
        for name, value, percent in zip(NAMES, VALUES, percents, strict=False)
    ]
    return iteration(treatments=treatments, canReshuffleTraffic=reshuffle)


def grown(steps: list[list[int]]) -> list[list[int]]:
    """Percentages that only grow, as far as there is room."""
    shares, found = [0] * len(steps[0]), []
    for step in steps:
        for index, more in enumerate(step):
            shares[index] += min(more, 100_000 - sum(shares))
        if any(shares):
            found.append([*shares])
    return found


def owners(current: Iteration) -> list[tuple[int, int, str]]:
    return [(slot.start, slot.stop, slot.owner) for slot in current.allocations[0].slots]


def owner_of(bucket: int, line: list[tuple[int, int, str]]) -> str | None:
    return next((owner for start, stop, owner in line if start <= bucket < stop), None)


START = {"kind": "startIteration", "changeJustification": "grow"}


@settings(deadline=None, max_examples=60)
@given(growths)
def test_whoever_has_a_treatment_keeps_it_while_percentages_grow(steps: list[list[int]]) -> None:
    rounds = grown(steps)
    if not rounds:
        return
    dialect = begun()
    dialect.experiment(said(rounds[0], reshuffle=True))
    dialect.instruct("colour", START)
    for percents in rounds[1:]:
        salt, before = current(dialect).salt, owners(current(dialect))
        dialect.draft(said(percents, reshuffle=False))
        assert owners(current(dialect)) == before, "a draft moves nobody"
        dialect.instruct("colour", START)
        after = owners(current(dialect))
        assert current(dialect).salt == salt
        # Between two edges of either line every bucket is alike.
        edges = {
            edge for line in (before, after) for start, stop, _ in line for edge in (start, stop)
        }
        for bucket in edges:
            was = owner_of(bucket, before)
            assert was is None or owner_of(bucket, after) == was
        sizes = {owner: 0 for _, _, owner in after}
        for start, stop, owner in after:
            sizes[owner] += stop - start
        wanted = [percent * 10 for percent in percents if percent]
        assert sorted(sizes.values()) == sorted(wanted)


@settings(deadline=None, max_examples=30)
@given(growths, st.booleans(), st.booleans())
def test_reshuffling_and_stopping_draw_with_another_salt(
    steps: list[list[int]], first: bool, second: bool
) -> None:
    rounds = grown(steps)
    if not rounds:
        return
    dialect = begun()
    dialect.experiment(said(rounds[0], reshuffle=first))
    dialect.instruct("colour", START)
    salts = [current(dialect).salt]
    dialect.draft(said(rounds[-1], reshuffle=True))
    dialect.instruct("colour", START)
    salts.append(current(dialect).salt)
    dialect.draft(said(rounds[-1], reshuffle=second))
    experiment = dialect.catalog.experiments["colour"]
    key = current(dialect).treatments[0].key
    winner = id_of_treatment("colour", experiment.current, key)
    dialect.instruct("colour", {"kind": "stopIteration", "winningTreatmentId": winner}, START)
    salts.append(current(dialect).salt)
    assert len(set(salts)) == 3


WORD = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=9
).filter(lambda text: not is_blank(text))
TEXT = st.just("") | WORD
METRICS = st.lists(
    st.fixed_dictionaries({"key": WORD, "isGroup": st.booleans()}, optional={"analysisUnit": WORD}),
    max_size=3,
    unique_by=lambda metric: metric["key"],
)
# A part that is not 0 owns a bucket, which is a ten thousandth of a percent.
PERCENTS = (st.just(0) | st.integers(100, 25_000_000)).map(
    lambda millionths: f"{Decimal(millionths) / 10**6:f}"
)


@st.composite
def iterations(draw: st.DrawFn) -> Any:
    names = draw(st.lists(WORD, max_size=4, unique=True))
    baseline = draw(st.sampled_from([None, *names]))
    treatments = [
        treatment(name, draw(PERCENTS), draw(st.sampled_from(VALUES)), baseline=name == baseline)
        for name in names
    ]
    flag = {
        "ruleId": draw(WORD),
        "flagConfigVersion": draw(st.integers(0, 2**53 - 1)),
        "notInExperimentVariationId": variation(draw(st.sampled_from(VALUES))),
    }
    optional = {
        "attributes": st.lists(WORD, max_size=3),
        "covariateId": WORD,
        "reallocationFrequencyMillis": st.integers(1, 2**53 - 1),
    }
    more = draw(st.fixed_dictionaries({}, optional=optional))
    return {
        "hypothesis": draw(TEXT),
        "metrics": draw(METRICS),
        draw(st.sampled_from(["primarySingleMetricKey", "primaryFunnelKey"])): draw(WORD),
        "canReshuffleTraffic": draw(st.booleans()),
        "randomizationUnit": draw(st.sampled_from(["user", "device"])),
        "treatments": treatments,
        "flags": {"button": flag},
        **more,
    }


@settings(deadline=None, max_examples=80)
@given(iterations())
def test_an_iteration_comes_back_as_it_was_sent(body: Any) -> None:
    dialect = begun()
    dialect.experiment(body)
    experiment = dialect.catalog.experiments["colour"]
    assert said_iteration(experiment, experiment.current, dialect.catalog) == _plain(body)
    salts = experiment.current.salt
    draft = dialect.show(show_changed, "experiment", "colour")["draftIteration"]
    assert [one["key"] for one in draft["metrics"]] == [one["key"] for one in body["metrics"]]
    assert draft["primaryMetric"]["key"] in body.values()
    dialect.draft(body)
    again = dialect.catalog.experiments["colour"]
    assert said_iteration(again, again.current, dialect.catalog) == _plain(body)
    assert again.current.salt == salts, "to edit a draft deals nobody afresh"


def _plain(body: Any) -> Any:
    """The same with each percentage in its shortest form."""
    treatments = [
        {**one, "allocationPercent": _shortest(one["allocationPercent"])}
        for one in body["treatments"]
    ]
    return {**body, "treatments": treatments}


def _shortest(percent: str) -> str:
    return percent.rstrip("0").rstrip(".") if "." in percent else percent
