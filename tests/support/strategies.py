"""Random valid catalogs, and random commands on them that may be valid or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from allotment.change import commands as c
from allotment.change.apply import apply
from allotment.change.diff import diff
from allotment.change.references import flags_set
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import Flag, FlagExperiment, FlagState, Miss, Variation
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer, Reservation
from allotment.model.plain import to_plain
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    IdList,
    InSegment,
    Not,
    Operator,
    Sample,
    Segment,
)

FLAGS = ("flag-a", "flag-b")
SEGMENTS = ("seg-a", "seg-b", "seg-c", "seg-d")
SAMPLES = ("sample-a", "sample-b", "sample-c")
LAYERS = ("layer-a", "layer-b")
HOLDOUTS = ("holdout-a", "holdout-b")
EXPERIMENTS = ("exp-a", "exp-b", "exp-c", "exp-d")
TREATMENTS = ("control", "green", "red", "blue")
VARIATIONS = ("x", "y", "z")
UNITS = tuple(f"unit-{number}" for number in range(12))

labels = st.sampled_from(("", "", "Ett namn", "Renamed \N{SNOWMAN}"))
shares = st.sampled_from((0, 1, 1_000, 50_000, 333_333, 500_000, 1_000_000))
# What attributes of units are drawn from too, so that clauses sometimes hold.
values = st.sampled_from(("SE", "NO", "2.0.0", "", "ä", 1, 0, 18, -3, 1.5, 1.0, True, False))
paths = st.sampled_from((("country",), ("age",), ("app", "version"), ("tags",)))


# Two of a few paths, so that one is kept, kept otherwise, and dropped again.
PATHS = ("auth0/authentication_flow", "auth0/variation/x/note", "launchdarkly/tags")
documents = st.sampled_from(('"all"', "null", '{"a":[1,{}]}', "1.50", '"\\ud800"', "[ ]"))
kept = st.dictionaries(st.sampled_from(PATHS), documents, max_size=2).map(
    lambda found: tuple(sorted(found.items()))
)
instants = st.sampled_from((None, 0, 1_782_345_600_007, 253_402_300_799_999))


def plain(catalog: Catalog) -> str:
    """The catalog as text, its revision aside: equal texts mean equal catalogs, types included."""
    return json.dumps(to_plain(replace(catalog, revision=0)), sort_keys=True)


@st.composite
def clauses(draw: DrawFn) -> Clause:
    path = draw(paths)
    operator = draw(st.sampled_from(Operator))
    if operator is Operator.EXISTS:
        return Clause(path, operator)
    if operator is Operator.IN:
        allowed: SearchStrategy[object] = values
    elif operator in (Operator.LESS, Operator.AT_MOST, Operator.GREATER, Operator.AT_LEAST):
        allowed = st.sampled_from((1, 0, 18, -3, 1.5, 1.0))
    elif operator.startswith("semver"):
        allowed = st.sampled_from(("1.0.0", "2.0.0", "2.0.0-rc.1"))
    elif operator is Operator.MATCHES:
        allowed = st.sampled_from(("^S", "[0-9]+", "ä|E"))
    else:
        allowed = st.sampled_from(("SE", "N", "2.", "ä"))
    return Clause(path, operator, tuple(draw(st.lists(allowed, min_size=1, max_size=3))))


def conditions(segments: tuple[str, ...] = ()) -> SearchStrategy[Condition]:
    """Conditions that may name the given segments."""
    leaves: SearchStrategy[Condition] = clauses()
    if segments:
        leaves = leaves | st.sampled_from(segments).map(InSegment)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3).map(tuple).map(AllOf)
            | st.lists(inner, max_size=3).map(tuple).map(AnyOf)
            | inner.map(Not)
        ),
        max_leaves=5,
    )


@st.composite
def segments(draw: DrawFn, key: str, earlier: tuple[str, ...]) -> Segment:
    lists = st.lists(st.sampled_from(UNITS), max_size=3).map(IdList.of)
    rules = draw(st.lists(conditions(earlier), max_size=2))
    members = draw(lists), draw(lists)
    return Segment(key, draw(labels), "", "user", *members, tuple(rules), draw(kept))


@st.composite
def samples(draw: DrawFn, layers: tuple[str, ...]) -> Sample:
    """A sample as one writes it by hand, of a draw of its own or of one of the layers."""
    layer = draw(st.sampled_from((None, *layers, *layers)))
    share = draw(st.sampled_from((0, 1, 1_000, 50_000, 100_000)))
    if layer is None:
        return Sample(share)
    tags, exclusive = (draw(st.sets(st.sampled_from(("x", "y")), max_size=2)) for _ in "ab")
    return Sample(share, layer, tuple(sorted(tags)), tuple(sorted(exclusive)))


@st.composite
def flags(draw: DrawFn, key: str) -> Flag:
    variations = tuple(
        Variation(name, json.dumps(draw(values)), draw(labels)) for name in VARIATIONS
    )
    state = draw(st.sampled_from((*FlagState, FlagState.ON, FlagState.ON)))
    default = draw(st.sampled_from(VARIATIONS))
    return Flag(key, variations, default, draw(labels), "", state, kept=draw(kept))


@st.composite
def weights(
    draw: DrawFn, treatments: tuple[Treatment, ...], *, draft: bool = False
) -> tuple[tuple[tuple[str, int], ...], int]:
    """Weights for some of the treatments, with or without a gap, and their total.

    A draft's may be above it.
    """
    named = [treatment.key for treatment in treatments]
    parts = [draw(st.integers(0, 7)) for _ in named]
    total = max(1, sum(parts) + draw(st.sampled_from((0, 0, 1, 5, -3) if draft else (0, 0, 1, 5))))
    scale = draw(st.sampled_from((1, 1, 1000)))
    return tuple((key, part * scale) for key, part in zip(named, parts, strict=True)), total * scale


@st.composite
def allocations(
    draw: DrawFn, treatments: tuple[Treatment, ...], asked: tuple[str, ...], *, draft: bool = False
) -> tuple[Allocation, ...]:
    segment = st.sampled_from((None, *asked))
    some = weights(treatments, draft=draft)
    fewest = 0 if draft else 1
    priorities = draw(st.lists(st.integers(1, 9), min_size=fewest, max_size=3, unique=True))
    laid = [
        Allocation(f"allocation-{priority}", *draw(some), draw(segment), priority)
        for priority in priorities
    ]
    if draw(st.booleans()):
        laid.append(Allocation("fallback", *draw(some), None, 0, fallback=True))
    return tuple(laid)


@st.composite
def iterations(
    draw: DrawFn, number: int, state: State, sets: tuple[str, ...], asked: tuple[str, ...]
) -> Iteration:
    """An iteration; a draft is sometimes not finished."""
    draft, ended = state is State.DRAFT, state is State.STOPPED
    keys = TREATMENTS[: draw(st.integers(0 if draft else 1, len(TREATMENTS)))]
    treatments = tuple(
        Treatment(key, draw(labels), tuple((f, draw(st.sampled_from(VARIATIONS))) for f in sets))
        for key in keys
    )
    return Iteration(
        number=number,
        treatments=treatments,
        allocations=draw(allocations(treatments, asked, draft=draft)),
        state=state,
        control=draw(st.sampled_from((None, *keys[:1]))),
        audience=draw(st.sampled_from((None, *asked))),
        enrolment_ppm=draw(shares),
        reshuffle=draw(st.booleans()),
        justification=draw(st.sampled_from(("", "a longer run"))),
        winner=draw(st.sampled_from((None, keys[-1]))) if ended else None,
        winning_reason=draw(st.sampled_from(("", "it won"))) if ended else "",
        started_at=None if draft else draw(instants),
        ended_at=draw(instants) if ended else None,
    )


@st.composite
def experiments(
    draw: DrawFn, key: str, flag_keys: tuple[str, ...], asked: tuple[str, ...]
) -> Experiment:
    """An experiment that belongs to no layer and no holdout."""
    unit = draw(st.sampled_from(("user", "user", "user", "device")))
    if unit != "user":
        asked = ()  # the lists of segments name users
    sets = tuple(flag for flag in flag_keys if draw(st.booleans()))
    states = [State.STOPPED] * draw(st.integers(0, 2))
    states += draw(st.sampled_from(([], [State.RUNNING], [State.RUNNING], [State.PAUSED])))
    states += [State.DRAFT] * draw(st.integers(0, 1))
    runs = tuple(
        draw(iterations(index + 1, state, sets, asked))
        for index, state in enumerate(states or [State.DRAFT])
    )
    lived = any(run.state in (State.RUNNING, State.PAUSED) for run in runs)
    experiment = Experiment(
        key,
        runs,
        name=draw(labels),
        unit=unit,
        keeps_assignments=draw(st.booleans()),
        ignore_targeting=draw(st.booleans()),
        intake_open=draw(st.booleans()),
        archived=not lived and draw(st.booleans()),
        kept=draw(kept),
    )
    # No two experiments override one unit, as they may come to share a layer.
    place = EXPERIMENTS.index(key)
    mine = UNITS[place * 3 : place * 3 + 3]
    named = [treatment.key for treatment in experiment.current.treatments]
    overridden = draw(st.lists(st.sampled_from(mine), max_size=2 if named else 0, unique=True))
    overrides = tuple((unit, draw(st.sampled_from(named))) for unit in sorted(overridden))
    return replace(experiment, overrides=overrides)


@st.composite
def targets(draw: DrawFn) -> Catalog:
    """A catalog as one writes it by hand: without salts and slots."""
    flag_keys = FLAGS[: draw(st.integers(0, len(FLAGS)))]
    asked = SEGMENTS[: draw(st.integers(0, len(SEGMENTS)))]
    held = HOLDOUTS[: draw(st.integers(0, len(HOLDOUTS)))]
    keys = draw(st.permutations(EXPERIMENTS))[: draw(st.sampled_from((0, 1, 3, 4)))]
    members: dict[str, list[Reservation]] = {key: [] for key in LAYERS if draw(st.booleans())}
    sampled = SAMPLES[: draw(st.integers(0, len(SAMPLES)))]
    audience = st.sampled_from((None, *sampled))
    made: dict[str, Experiment] = {}
    for key in keys:
        experiment = draw(experiments(key, flag_keys, asked))
        if experiment.unit == "user":
            layer = draw(st.sampled_from((None, *members)))
            if layer is not None:
                share = draw(st.sampled_from((0, 1, 1_000, 100_000, 150_000)))
                members[layer].append(Reservation(key, share_ppm=share))
            holdout = draw(st.sampled_from((None, *held)))
            experiment = replace(experiment, layer=layer, holdout=holdout)
        if experiment.unit == "user" and experiment.layer is None and sampled:
            runs = (replace(run, audience=draw(audience)) for run in experiment.iterations)
            experiment = replace(experiment, iterations=tuple(runs))
        made[key] = experiment
    everyone = {key: draw(segments(key, asked)) for key in sampled}
    return Catalog(
        flags=Keyed((key, draw(_listing(key, made))) for key in flag_keys),
        segments=Keyed(
            [
                *((key, draw(segments(key, asked[:i]))) for i, key in enumerate(asked)),
                *(
                    (key, replace(one, sample=draw(samples(tuple(members)))))
                    for key, one in everyone.items()
                ),
            ]
        ),
        layers=Keyed(
            (key, Layer(key, "", draw(labels), "", "user", tuple(reservations), draw(kept)))
            for key, reservations in members.items()
        ),
        holdouts=Keyed(
            (key, Holdout(key, "", draw(shares), draw(labels), kept=draw(kept))) for key in held
        ),
        experiments=Keyed(made.items()),
        kept=draw(kept),
    )


@st.composite
def _listing(draw: DrawFn, key: str, made: dict[str, Experiment]) -> Flag:
    """A flag that lists some of the experiments that set it."""
    otherwise = st.sampled_from((None, *VARIATIONS))
    misses = st.sampled_from(Miss)
    listed = [
        FlagExperiment(experiment.key, miss, draw(otherwise) if miss is Miss.STOP else None)
        for experiment in made.values()
        if any(flag == key for one in experiment.iterations[0].treatments for flag, _ in one.sets)
        and draw(st.booleans())
        for miss in [draw(misses)]
    ]
    flag = replace(draw(flags(key)), experiments=tuple(listed))
    lives = [one.live for one in made.values() if one.live is not None]
    if flag.state is FlagState.ARCHIVED and any(key in flags_set(one) for one in lives):
        return replace(flag, state=FlagState.OFF)
    return flag


def catalogs() -> SearchStrategy[Catalog]:
    """Complete catalogs at revision 1, or the empty one."""
    return targets().map(lambda target: apply(EMPTY, diff(EMPTY, target)).catalog)


@st.composite
def changes(draw: DrawFn, catalog: Catalog) -> c.Command:
    """A command of any kind on nouns of the catalog, or, rarely, on ones that are not there."""
    experiment = _key(draw, catalog.experiments, EXPERIMENTS)
    flag = _key(draw, catalog.flags, FLAGS)
    segment = _key(draw, catalog.segments, (*SEGMENTS, *SAMPLES))
    sample = st.none() | samples(tuple(catalog.layers))
    audience = st.sampled_from((None, *SEGMENTS, *SAMPLES))
    layer = _key(draw, catalog.layers, LAYERS)
    holdout = _key(draw, catalog.holdouts, HOLDOUTS)
    named = {
        "experiment": experiment,
        "flag": flag,
        "segment": segment,
        "layer": layer,
        "holdout": holdout,
    }
    kind = draw(st.sampled_from(tuple(named)))
    current = catalog.experiments[experiment].current if experiment in catalog.experiments else None
    number = draw(st.sampled_from((None, None, 1, 2, 3)))
    treatments = (current and current.treatments) or (Treatment("control"),)
    keys = tuple(treatment.key for treatment in treatments)
    makers: tuple[Callable[[], c.Command], ...] = (
        lambda: c.Create(draw(_noun(kind, named[kind], catalog))),
        lambda: c.Replace(draw(_noun(kind, named[kind], catalog))),
        lambda: c.Delete(kind, named[kind]),
        lambda: c.Rename(kind, named[kind], draw(labels)),
        lambda: c.Describe(kind, named[kind], draw(labels)),
        lambda: c.Keep(
            kind, named[kind], draw(st.sampled_from(PATHS)), draw(st.none() | documents)
        ),
        lambda: c.Keep(
            "catalog", "catalog", draw(st.sampled_from(PATHS)), draw(st.none() | documents)
        ),
        lambda: c.SetVariations(flag, draw(flags(flag)).variations[: draw(st.integers(1, 3))], "x"),
        lambda: c.SwitchFlag(flag, draw(st.sampled_from(FlagState))),
        lambda: c.OrderExperiments(flag, (FlagExperiment(experiment),)),
        lambda: c.SetRules(segment, tuple(draw(st.lists(conditions(SEGMENTS), max_size=2)))),
        lambda: c.SetMembers(segment, "user", IdList.of(UNITS[:2]), IdList()),
        lambda: c.SetSample(segment, draw(sample)),
        lambda: c.Reserve(layer, experiment, draw(st.integers(0, 500_000))),
        lambda: c.Release(experiment),
        lambda: c.SetHoldoutShare(holdout, draw(shares)),
        lambda: c.SetUnit(experiment, draw(st.sampled_from(("user", "device")))),
        lambda: c.SetHoldout(experiment, draw(st.sampled_from((None, *HOLDOUTS)))),
        lambda: c.SetOverrides(
            experiment, ((draw(st.sampled_from(UNITS)), draw(st.sampled_from(keys))),)
        ),
        lambda: c.SetKeeping(experiment, draw(st.booleans()), draw(st.booleans())),
        lambda: c.SetIntake(experiment, draw(st.booleans())),
        lambda: c.ArchiveExperiment(experiment),
        lambda: c.RestoreExperiment(experiment),
        lambda: c.DraftIteration(
            experiment,
            draw(iterations(1, State.DRAFT, tuple(f for f, _ in treatments[0].sets), ())),
        ),
        lambda: c.SetTreatments(experiment, treatments[::-1], keys[-1], number),
        lambda: c.SetAllocations(
            experiment, draw(allocations(treatments, SEGMENTS, draft=True)), number
        ),
        lambda: c.SetWeights(
            experiment, _allocation(draw, current), *draw(weights(treatments, draft=True))
        ),
        lambda: c.SetAudience(experiment, draw(audience), number),
        lambda: c.SetEnrolment(experiment, draw(shares), number),
        lambda: c.StartIteration(experiment, draw(st.sampled_from(("", "again"))), draw(instants)),
        lambda: c.PauseIteration(experiment),
        lambda: c.ResumeIteration(experiment),
        lambda: c.EndIteration(
            experiment, draw(st.sampled_from((None, *keys))), "", draw(instants)
        ),
    )
    return draw(st.sampled_from(makers))()


def _key(draw: DrawFn, there: Keyed[object], possible: tuple[str, ...]) -> str:
    missing = tuple(key for key in possible if key not in there)
    rarely = draw(st.integers(0, 9)) == 0 and missing
    key: str = draw(st.sampled_from(missing if rarely or not there else tuple(there)))
    return key


def _allocation(draw: DrawFn, iteration: Iteration | None) -> str:
    keys = [allocation.key for allocation in iteration.allocations] if iteration else []
    key: str = draw(st.sampled_from(keys or ["gone"]))
    return key


def _noun(kind: str, key: str, catalog: Catalog) -> SearchStrategy[c.Noun]:
    made: dict[str, SearchStrategy[c.Noun]] = {
        "experiment": experiments(key, tuple(catalog.flags), tuple(catalog.segments)),
        "flag": flags(key),
        "segment": segments(key, tuple(catalog.segments)),
        "layer": st.just(Layer(key, "")),
        "holdout": shares.map(lambda share: Holdout(key, "", share)),
    }
    return made[kind]
