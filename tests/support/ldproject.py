"""An environment of the LaunchDarkly API: a whole server in this process, ways to ask it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from allotment.change.commands import Create
from allotment.dialects.launchdarkly.ids import id_of
from allotment.model.flag import Flag, FlagState, Variation
from allotment.server.settings import Settings
from tenant import Vendor, node_over

SEMANTIC = "application/json; domain-model=launchdarkly.semanticpatch"
BASE = "/api/v2/projects/default/environments/production"
ALL = "?expand=previousIterations,draftIteration,secondaryMetrics,treatments,analysisConfig"


class Environment(Vendor):
    """Speaks LaunchDarkly's API in `default/production`."""

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """The status and the code of a refusal, which has the body that the vendor gives errors."""
        return refusal(self.call(method, path, body, **headers))

    def flag(self, key: str = "button", *, on: bool = True, default: str = "red") -> None:
        """A flag with the variations red, green and blue, made natively."""
        variations = tuple(Variation(each, f'"{each}"') for each in ("red", "green", "blue"))
        state = FlagState.ON if on else FlagState.OFF
        self.apply(Create(Flag(key, variations, default, state=state)))

    def experiment(self, key: str = "colour", **more: Any) -> Any:
        """A draft of the iteration that `more` says; its experiment as it is shown."""
        own = {name: more.pop(name) for name in [*more] if name in EXPERIMENT}
        body = {"key": key, "name": key.title(), "iteration": iteration(**more), **own}
        return self.post("/experiments", body)

    def instruct(self, key: str, *instructions: Any, **headers: str) -> httpx.Response:
        """The answer to a semantic patch; an instruction may be its kind alone."""
        steps = [{"kind": one} if isinstance(one, str) else one for one in instructions]
        body = {"instructions": steps}
        given = {"content_type": SEMANTIC, **headers}
        return self.call("PATCH", f"/experiments/{key}", body, **given)

    def told(self, key: str, *instructions: Any) -> Any:
        """The experiment after instructions that are followed."""
        return self.done(self.instruct(key, *instructions))

    def fails(self, key: str, *instructions: Any) -> tuple[int, str]:
        """The status and the code of a refused semantic patch, which changes nothing."""
        before = self.catalog
        found = refusal(self.instruct(key, *instructions))
        assert self.catalog is before
        return found

    def shown(self, key: str) -> Any:
        return self.get(f"/experiments/{key}{ALL}")

    def winner(self, key: str, index: int = 0) -> str:
        """The id of a treatment of the current iteration."""
        return str(self.shown(key)["currentIteration"]["treatments"][index]["_id"])

    def running(self, key: str = "colour", **more: Any) -> None:
        self.experiment(key, **more)
        self.told(key, "startIteration")

    def stopped(self, key: str = "colour", **more: Any) -> None:
        self.running(key, **more)
        self.told(key, {"kind": "stopIteration", "winningTreatmentId": self.winner(key)})


EXPERIMENT = (
    *("name", "description", "maintainerId", "holdoutId", "tags", "methodology"),
    *("analysisConfig", "dataSource", "type"),
)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    tree = answer.json()
    assert list(tree) == ["code", "message", "id"], tree
    assert answer.status_code >= 400
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, tree["code"]


def variation(key: str, flag: str = "button") -> str:
    """The id of a variation."""
    return id_of("variation", flag, key)


def treatment(name: str, percent: str, gives: str, flag: str = "button", **more: Any) -> Any:
    parameters = [{"flagKey": flag, "variationId": variation(gives, flag)}]
    said = {"name": name, "baseline": False, "allocationPercent": percent, "parameters": parameters}
    return {**said, **more}


def halves(one: str = "50", other: str = "50") -> list[Any]:
    return [treatment("Control", one, "red", baseline=True), treatment("Green", other, "green")]


def iteration(**more: Any) -> Any:
    """An iteration over the flag `button`."""
    return {
        "hypothesis": "Green sells more",
        "metrics": [{"key": "sales"}, {"key": "errors", "isGroup": False}],
        "primarySingleMetricKey": "sales",
        "treatments": halves(),
        "flags": {"button": {"ruleId": "fallthrough", "flagConfigVersion": 1}},
        **more,
    }


@contextmanager
def environment(tmp_path: Path, settings: Settings | None = None) -> Iterator[Environment]:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        yield Environment(node, runner, BASE, settings)
