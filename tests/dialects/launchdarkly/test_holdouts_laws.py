"""Whatever is asked in whatever order: who is held out is in none of a holdout's experiments, and
who is in one experiment of a layer is in no other of it."""

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from allotment.compile import compile_catalog
from allotment.dialects.launchdarkly.experiments import create_experiment
from allotment.dialects.launchdarkly.flag_patch import patch_feature_flag
from allotment.dialects.launchdarkly.holdouts import patch_holdout, post_holdout
from allotment.dialects.launchdarkly.ids import id_of
from allotment.dialects.launchdarkly.instructions import patch_experiment
from allotment.dialects.launchdarkly.iterations import create_iteration
from allotment.dialects.launchdarkly.layers import create_layer, update_layer
from allotment.engine import Engine
from allotment.errors import AllotmentError
from allotment.model.catalog import Catalog
from allotment.reference.draw import bucket, draw
from ldproject import halves, iteration
from ldpure import Dialect
from ldwhole import instructions, reservation

EXPERIMENTS = ("one", "two", "three")
HOLDOUTS = ("spring", "autumn")
LAYERS = ("page", "cart")
UNITS = [f"user-{number}" for number in range(60)]


class Requests(Dialect):
    """Requests one after the other, without a server; what is refused changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.done = 0
        self.flag()
        for key in LAYERS:
            self.ask(create_layer, {"key": key, "name": key, "description": ""})
        for key in HOLDOUTS:
            self.ask(post_holdout, {"key": key, "holdoutamount": "40"})
        assert self.done == 4

    def begin(self, draw: st.DrawFn) -> None:
        """Drafts of all experiments: each under a holdout, in a layer, or neither."""
        for key in EXPERIMENTS:
            body = {"key": key, "name": key, "iteration": iteration()}
            place = draw(st.sampled_from(["holdout", "layer", "neither"]))
            held = {"holdoutId": under(draw)} if place == "holdout" else {}
            self.ask(create_experiment, {**body, **held})
            if place == "layer":
                body = instructions(reservation(key, 30), environmentKey="production")
                self.ask(update_layer, body, layerKey=LAYERS[0])

    def ask(self, read: Any, body: Any, **ids: str) -> None:
        with suppress(AllotmentError):
            self.do(read, body, **ids)
            self.done += 1


def stop(catalog: Catalog, key: str) -> Any:
    """The end of what the experiment runs, which its control wins."""
    number = str(catalog.experiments[key].current.number)
    winner = id_of("treatment", key, number, "control")
    return {"kind": "stopIteration", "winningTreatmentId": winner}


def drafted(draw: st.DrawFn) -> Any:
    shares = draw(st.sampled_from([("50", "50"), ("10", "20"), ("0", "100")]))
    return iteration(treatments=halves(*shares), canReshuffleTraffic=draw(st.booleans()))


def under(draw: st.DrawFn) -> str:
    return id_of("holdout", draw(st.sampled_from(HOLDOUTS)))


def requests(draw: st.DrawFn, catalog: Catalog) -> tuple[Any, Any, dict[str, str]]:
    """The next request about an experiment, which may make sense or not."""
    key = draw(st.sampled_from(EXPERIMENTS))
    at = {"experimentKey": key}
    match draw(st.integers(0, 9)):
        case 0:
            body = {"key": key, "name": key, "iteration": drafted(draw)}
            held = {**body, "holdoutId": under(draw)} if draw(st.booleans()) else body
            return create_experiment, held, {}
        case 1:
            return create_iteration, drafted(draw), at
        case 2:
            moved = {"operation": draw(st.sampled_from(["update", "remove"]))}
            fields = {"holdoutId": {**moved, "value": under(draw)}}
            step = {"kind": "updateExperimentFields", "value": fields}
            return patch_experiment, instructions(step), at
        case 3 | 4 | 5:
            start = {"kind": "startIteration", "changeJustification": "because"}
            return patch_experiment, instructions(start), at
        case 6:
            ends = ["archiveExperiment", "restoreExperiment"]
            if key in catalog.experiments:
                ends.append(stop(catalog, key))
            return patch_experiment, _some(draw, ends), at
        case 7:
            leave = {"kind": "removeExperiment", "value": key}
            rename = {"kind": "updateName", "value": "Another"}
            holdout = draw(st.sampled_from(HOLDOUTS))
            body = _some(draw, [leave, leave, leave, rename, "endHoldout"])
            return patch_holdout, body, {"holdoutKey": holdout}
        case 8:
            grow = reservation(key, draw(st.sampled_from([0, 20, 50, 100])))
            leave = {"kind": "removeExperiment", "experimentKey": key}
            body = {**_some(draw, [grow, grow, leave]), "environmentKey": "production"}
            return update_layer, body, {"layerKey": draw(st.sampled_from(LAYERS))}
        case _:
            body = instructions("turnFlagOn", environmentKey="production")
            return patch_feature_flag, body, {"flagKey": "button"}


def _some(draw: st.DrawFn, steps: list[Any]) -> Any:
    return instructions(*draw(st.lists(st.sampled_from(steps), min_size=1, max_size=2)))


def is_held_out(catalog: Catalog, holdout: str, unit: str) -> bool:
    """As the algorithm has it, asked of nothing that compiles or assigns."""
    noun = catalog.holdouts[holdout]
    return bucket(draw(f"{noun.salt}/holdout", unit)) < noun.share_ppm


def check(catalog: Catalog) -> set[str]:
    """What was seen: that somebody was held out, or got something."""
    engine, seen = Engine(compile_catalog(catalog)), set()
    for unit in UNITS:
        given = {key: engine.assign(key, unit).treatment for key in catalog.experiments}
        inside = [key for key, treatment in given.items() if treatment is not None]
        for key in inside:
            holdout = catalog.experiments[key].holdout
            assert holdout is None or not is_held_out(catalog, holdout, unit), (key, unit)
        layers = [catalog.experiments[key].layer for key in inside]
        shared = [layer for layer in layers if layer is not None]
        assert len(shared) == len(set(shared)), (inside, unit)
        seen.update("given" for _ in inside)
    return seen


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_who_is_held_out_or_in_another_experiment_of_a_layer_is_in_none(
    data: st.DataObject,
) -> None:
    asked = Requests()
    asked.begin(data.draw)
    for _ in range(15):
        before = asked.catalog
        read, body, ids = requests(data.draw, before)
        asked.ask(read, body, **ids)
        if asked.catalog is not before:
            check(asked.catalog)


def test_the_oracle_sees_a_holdout_that_holds_nobody_out() -> None:
    """What ends a holdout puts units into its experiments: the check above looks at somebody."""
    asked = Requests()
    body = {"key": "one", "name": "one", "iteration": iteration()}
    asked.ask(create_experiment, {**body, "holdoutId": id_of("holdout", "spring")})
    asked.ask(patch_experiment, instructions("startIteration"), experimentKey="one")
    held = {unit for unit in UNITS if is_held_out(asked.catalog, "spring", unit)}
    engine = Engine(compile_catalog(asked.catalog))
    assert held == {unit for unit in UNITS if engine.assign("one", unit).treatment is None}
    assert check(asked.catalog) == {"given"}
    asked.ask(patch_holdout, instructions("endHoldout"), holdoutKey="spring")
    assert asked.done == 7
    engine = Engine(compile_catalog(asked.catalog))
    assert held
    assert all(engine.assign("one", unit).treatment for unit in UNITS)
