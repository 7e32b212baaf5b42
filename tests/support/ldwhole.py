"""A project of LaunchDarkly's API: two environments of a whole server in this process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from allotment.engine import Engine
from allotment.model.catalog import Catalog
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from ldproject import BASE, SEMANTIC, Environment, refusal
from tenant import SPACE, Vendor, node_over

STAGING = "default/staging"
UNITS = [f"user-{number}" for number in range(4_000)]


class Project(Vendor):
    """Speaks LaunchDarkly's API of `default`, which has the environments production and staging."""

    def __init__(
        self, node: Node, runner: asyncio.Runner, settings: Settings | None = None
    ) -> None:
        super().__init__(node, runner, "/api/v2", settings)
        self.production = Environment(node, runner, BASE, settings)
        self.staging = Environment(node, runner, BASE.replace("production", "staging"), settings)

    def at(self, space: str) -> Catalog:
        return self.node.served(space).stored.catalog

    def engine_at(self, space: str) -> Engine:
        return self.node.served(space).engine

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """The status and the code of a refusal, which changes nothing."""
        before = [self.at(space) for space in (SPACE, STAGING)]
        found = refusal(self.call(method, path, body, **headers))
        assert [self.at(space) for space in (SPACE, STAGING)] == before
        return found

    # Semantic patches; an instruction may be its kind alone.

    def told(self, path: str, *steps: Any, **more: Any) -> Any:
        """What a patch that is followed is answered with."""
        answer = self.call("PATCH", path, instructions(*steps, **more), content_type=SEMANTIC)
        return self.done(answer)

    def fails(self, path: str, *steps: Any, **more: Any) -> tuple[int, str]:
        """The status and the code of a patch that is refused, which changes nothing."""
        body = instructions(*steps, **more)
        return self.refused("PATCH", path, body, content_type=SEMANTIC)

    # What tests begin with.

    def layer(self, key: str = "page", **more: Any) -> Any:
        body = {"key": key, "name": "A page", "description": "", **more}
        return self.post("/projects/default/layers", body)

    def reserve(self, experiment: str, percent: int, layer: str = "page") -> Any:
        step = reservation(experiment, percent)
        return self.told(f"/projects/default/layers/{layer}", step, environmentKey="production")

    def holdout(self, key: str = "quarter", **more: Any) -> Any:
        body = {"key": key, "name": "A quarter", "holdoutamount": "10", **more}
        return self.production.post("/holdouts", body)

    def flag(self, key: str = "button", **more: Any) -> Any:
        return self.post("/flags/default", {"key": key, "name": "A button", **more})

    def given(self, experiment: str, space: str = SPACE) -> list[str | None]:
        """What the experiment gives each of many units."""
        engine = self.engine_at(space)
        return [engine.assign(experiment, unit).treatment for unit in UNITS]


def instructions(*steps: Any, **more: Any) -> Any:
    kinds = [{"kind": one} if isinstance(one, str) else one for one in steps]
    return {"instructions": kinds, **more}


def reservation(experiment: str, percent: Any) -> Any:
    kind = "updateExperimentReservation"
    return {"kind": kind, "experimentKey": experiment, "reservationPercent": percent}


@contextmanager
def project(tmp_path: Path, settings: Settings | None = None) -> Iterator[Project]:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        node.store.create_space(STAGING, who="test", when=datetime.now(UTC))
        runner.run(node.catch_up())
        yield Project(node, runner, settings)
