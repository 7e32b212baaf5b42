"""What a sample must satisfy, and what the lifecycle lets happen to one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.check import check_catalog
from allotment.change.lifecycle import Policy
from allotment.errors import AllotmentError, Conflict, InvalidChange, InvalidInput, NotFound
from allotment.model.catalog import Catalog
from allotment.model.experiment import State
from allotment.model.layer import Layer, Reservation
from allotment.model.limits import BUCKETS
from allotment.model.segment import InSegment, Sample, Segment
from allotment.model.slots import Range, size
from nouns import EVERYONE, catalog, changed, experiment, iteration

THIRD = Sample(300_000, "pages", ("a",), ("a",))
OTHER = Sample(300_000, "pages", ("b",), ("a",))
ALONE = Sample(300_000, "pages")

base = catalog(
    Layer("pages", "", reservations=(Reservation("reserved", share_ppm=100_000),)),
    experiment("reserved", layer="pages"),
    Segment("third", sample=THIRD),
    Segment("other", sample=OTHER),
    Segment("alone", sample=ALONE),
    Segment("nordics"),
    experiment("checkout", iteration(audience="third")),
    experiment("draft", iteration(State.DRAFT)),
)


def sample_of(catalog: Catalog, key: str) -> Sample:
    sample = catalog.segments[key].sample
    assert sample is not None
    return sample


FIRST = sample_of(base, "alone").ranges[0].start
REFUSED: dict[str, tuple[list[c.Command], type[AllotmentError], str]] = {
    "no room": (
        [c.SetSample("third", replace(THIRD, share_ppm=700_000))],
        Conflict,
        "$.segments.third.sample.share",
    ),
    "a share above the whole": (
        [c.SetSample("third", replace(THIRD, share_ppm=BUCKETS + 1))],
        InvalidInput,
        "$.segments.third.sample.share",
    ),
    "ranges that do not hold the share": (
        [c.SetSample("third", replace(THIRD, ranges=(Range(0, 5),)))],
        InvalidChange,
        "$.segments.third.sample.ranges",
    ),
    "buckets that are reserved": (
        [c.SetSample("alone", Sample(5, "pages", ranges=(Range(0, 5),)))],
        Conflict,
        "$.segments.alone.sample.ranges",
    ),
    "buckets of a sample that it excludes": (
        [c.SetSample("other", replace(OTHER, ranges=sample_of(base, "third").ranges))],
        Conflict,
        "$.segments.other.sample.ranges",
    ),
    "a reservation of its buckets": (
        [c.Reserve("pages", "reserved", 5, (Range(FIRST, FIRST + 5),))],
        Conflict,
        "$.segments.alone.sample.ranges",
    ),
    "no such layer": (
        [c.SetSample("third", replace(THIRD, layer="gone"))],
        NotFound,
        "$.segments.third.sample.layer",
    ),
    "tags without a layer": (
        [c.SetSample("nordics", Sample(1, tags=("a",)))],
        InvalidChange,
        "$.segments.nordics.sample.layer",
    ),
    "an empty tag": (
        [c.SetSample("third", replace(THIRD, tags=("",)))],
        InvalidInput,
        "$.segments.third.sample.tags",
    ),
    "a tag twice": (
        [c.SetSample("third", replace(THIRD, exclusive_to=("a", "a")))],
        InvalidChange,
        "$.segments.third.sample.exclusive_to",
    ),
    "other buckets than the lowest of its own draw": (
        [c.SetSample("nordics", Sample(5, ranges=(Range(5, 10),)))],
        InvalidChange,
        "$.segments.nordics.sample.ranges",
    ),
    "a sample inside another segment": (
        [c.SetRules("nordics", (InSegment("third"),))],
        InvalidChange,
        "$.segments.nordics.rules[0]",
    ),
    "a segment that another names": (
        [c.SetRules("alone", (InSegment("nordics"),)), c.SetSample("nordics", Sample(1))],
        InvalidChange,
        "$.segments.",
    ),
    "a sample as an allocation's segment": (
        [c.SetAllocations("draft", (replace(EVERYONE, segment="third"),))],
        InvalidChange,
        "$.experiments.draft.allocations[0].segment",
    ),
    "an audience beside a layer": (
        [c.SetAudience("reserved", "third")],
        InvalidChange,
        "$.experiments.reserved.audience",
    ),
    "a layer beside an audience": (
        [c.Reserve("pages", "checkout", 5)],
        InvalidChange,
        "$.experiments.checkout.audience",
    ),
    "an audience beside a layer that becomes a sample": (
        [c.SetAudience("reserved", "nordics"), c.SetSample("nordics", Sample(1))],
        InvalidChange,
        "$.experiments.reserved.audience",
    ),
    "the layer of a sample deleted": (
        [c.Release("reserved"), c.SetAudience("checkout", None), c.Delete("layer", "pages")],
        Conflict,
        "$.layers.pages",
    ),
    "one unit overridden in two that exclude each other": (
        [
            c.SetAudience("draft", "other"),
            c.SetOverrides("checkout", (("ann", "green"),)),
            c.SetOverrides("draft", (("ann", "green"),)),
        ],
        Conflict,
        "overrides.ann",
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_sample_is_refused_for(why: str) -> None:
    commands, kind, path = REFUSED[why]
    with pytest.raises(kind) as refusal:
        apply(base, commands)
    assert path in refusal.value.path


def test_samples_that_do_not_exclude_each_other_may_override_one_unit() -> None:
    together = changed(
        base,
        c.SetAudience("draft", "alone"),
        c.SetOverrides("checkout", (("ann", "green"),)),
        c.SetOverrides("draft", (("ann", "green"),)),
    )
    check_catalog(together)


def test_tags_that_come_to_exclude_make_a_sample_give_up_what_it_shared() -> None:
    before, other = sample_of(base, "alone"), sample_of(base, "third")
    asked = replace(ALONE, exclusive_to=("a",))
    after = sample_of(changed(base, c.SetSample("alone", asked)), "alone")
    assert size(after.ranges) == before.share_ppm
    taken = [range(*edges) for edges in other.ranges]
    assert not any(start in each for start, _ in after.ranges for each in taken)


GROWN, SHRUNK = replace(THIRD, share_ppm=300_001), replace(THIRD, share_ppm=299_999)


@pytest.mark.parametrize(
    ("sample", "allowed"),
    [(GROWN, True), (SHRUNK, False), (None, False), (Sample(BUCKETS), False)],
)
def test_confidence_grows_the_sample_of_a_live_experiment_and_never_shrinks_it(
    sample: Sample | None, *, allowed: bool
) -> None:
    command = c.SetSample("third", sample)
    if allowed:
        assert apply(base, [command], Policy.CONFIDENCE).touched == {"checkout"}
        return
    with pytest.raises(InvalidChange, match="give up part of its layer") as refusal:
        apply(base, [command], Policy.CONFIDENCE)
    assert refusal.value.path == "$.segments.third.sample"
    for end in (c.EndIteration("checkout"), c.SetAudience("checkout", None)):
        apply(changed(base, end), [command], Policy.CONFIDENCE)


def test_a_sample_is_asked_of_the_experiments_as_the_commands_leave_them() -> None:
    apply(base, [c.EndIteration("checkout"), c.SetSample("third", SHRUNK)], Policy.CONFIDENCE)
    joined = [c.SetAudience("draft", "alone"), c.StartIteration("draft")]
    with pytest.raises(InvalidChange, match="give up part of its layer"):
        apply(base, [*joined, c.SetSample("alone", Sample(1, "pages"))], Policy.CONFIDENCE)


KEEPING = changed(base, c.SetKeeping("checkout", keeps_assignments=True, ignore_targeting=False))


@pytest.mark.parametrize(
    "command",
    [
        c.SetSample("third", SHRUNK),
        c.SetSample("third", None),
        c.SetSample("third", Sample(BUCKETS)),
        c.SetAudience("checkout", "other"),
        c.SetAudience("checkout", None),
        c.Replace(replace(KEEPING.layers["pages"], salt="another")),
    ],
)
def test_an_experiment_that_keeps_assignments_gives_up_none_of_its_sample(
    command: c.Command,
) -> None:
    with pytest.raises(InvalidChange, match="gives up no slots"):
        apply(KEEPING, [command])
    forgets = c.SetKeeping("checkout", keeps_assignments=False, ignore_targeting=False)
    apply(KEEPING, [forgets, command])


def test_an_experiment_that_keeps_assignments_may_gain_units() -> None:
    apply(KEEPING, [c.SetSample("third", GROWN)])
    own = changed(
        KEEPING,
        c.EndIteration("checkout"),
        c.SetSample("third", Sample(5)),
        c.DraftIteration("checkout", KEEPING.experiments["checkout"].current),
        c.StartIteration("checkout"),
    )
    # Nobody else can have what is not of a layer, so that everyone may come in.
    apply(own, [c.SetSample("third", None)])
    apply(own, [c.SetAudience("checkout", "nordics")])


def test_another_sample_touches_its_audience_and_whom_its_units_are_kept_out_of() -> None:
    claimed = changed(
        base, c.SetAudience("draft", "other"), c.SetOverrides("checkout", (("ann", "green"),))
    )
    apart = replace(OTHER, exclusive_to=("b",), ranges=sample_of(base, "other").ranges)
    assert "draft" in apply(claimed, [c.SetSample("other", apart)]).touched
    assert "draft" in apply(claimed, [c.SetOverrides("checkout", ())]).touched
    assert apply(claimed, [c.Rename("segment", "third", "A third")]).touched == set()


def test_a_share_in_a_layer_is_laid_beside_its_samples() -> None:
    grown = changed(base, c.Reserve("pages", "reserved", 150_000))
    more = Layer("pages", "", reservations=(Reservation("reserved", share_ppm=180_000),))
    check_catalog(changed(grown, c.Replace(more)))
