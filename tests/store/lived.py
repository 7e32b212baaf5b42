"""A store with a life behind it, and what was answered from it.

    cd tests && python -m store.lived store/lived

writes `store.sql`, the dump of a SQLite store with a journal of changes through every API, sticky
assignments and tokens, and `answers.ndjson`, what `answers` and `served` found in it. Both were
written by the code of 28 November 2026; who made and changed what, which the journal had, is shown
since. The tests ask the code of today for the same answers.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from allotment.change.commands import Create, SetWeights
from allotment.compile.snapshot import compile_catalog
from allotment.dialects.catalogfile.show import show
from allotment.engine import Engine
from allotment.errors import AllotmentError
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.store import Scope, Store, Token
from laws.views.begin import BEGIN
from laws.views.changes import CHANGES
from laws.views.world import VIEWS, World
from tenant import SPACE, Vendor, vendor

UNITS = [f"user-{number}" for number in range(200)]
KNOWN: list[dict[str, Any]] = [{}, {"country": "SE"}, {"country": "FR", "plan": "pro"}]
KEPT = Experiment(
    "kept",
    (
        Iteration(
            1,
            (Treatment("a"), Treatment("b")),
            (Allocation("everyone", (("a", 50), ("b", 50)), 100),),
            State.RUNNING,
        ),
    ),
    "Kept",
    keeps_assignments=True,
)
SECRETS = {scope: f"secret-of-{scope}" for scope in Scope}


def live(database: Path) -> None:
    """Make every change that can follow on the ones before, through each API in turn."""
    with vendor(database.parent, database=str(database)) as api:
        world = World(api, BEGIN)
        for number, change in enumerate(CHANGES):
            ways = [*change.ways.values()]
            for calls in (*ways[number % 3 :], *ways[: number % 3], None):
                try:
                    if calls is None:
                        api.apply(*change.commands)
                    else:
                        world.do(*calls)
                except (AllotmentError, AssertionError):
                    continue
        api.apply(Create(KEPT))
        for unit in UNITS[:50]:
            _assigned_by(api, unit)
        api.apply(SetWeights("kept", "everyone", (("a", 0), ("b", 1)), 1))
        for scope, secret in SECRETS.items():
            digest = hashlib.sha256(secret.encode()).hexdigest()
            api.node.store.add_token(Token(str(scope), digest, scope, SPACE, "test", 0, None, None))


def answers(database: Path) -> dict[str, Any]:
    """What a store answers, by what was asked."""
    found: dict[str, Any] = {}
    with Store.open(str(database)) as store:
        for revision in range(store.catalog().revision + 1):
            catalog = store.catalog(revision)
            found[f"catalog {revision}"] = _digest(show(catalog))
            found[f"assignments {revision}"] = _digest(json.dumps(list(_assigned(catalog))))
        found["journal"] = [
            (one.revision, one.who, one.dialect, one.comment, len(one.commands))
            for one in store.journal()
        ]
        found["tokens"] = [
            (one.id, one.digest, str(one.scope), one.space) for one in store.tokens()
        ]
    return found


def served(database: Path) -> dict[str, Any]:
    """What a server over a store answers: every API's view of it, and sticky assignments."""
    with vendor(database.parent, database=str(database)) as api:
        api.authorize(SECRETS[Scope.ADMIN])
        found = {name: VIEWS[name](api) for name in ("auth0", "launchdarkly", "confidence")}
        found["sticky"] = [_assigned_by(api, unit) for unit in UNITS[:50]]
        whole: dict[str, Any] = json.loads(json.dumps(found))
    return whole


def _assigned_by(api: Vendor, unit: str) -> Any:
    answer = api.call("POST", "/v1/assign", {"experiments": ["kept"], "unit": unit})
    assert answer.is_success, answer.text
    given = answer.json()["assignments"]["kept"]
    return given["treatment"], given["reason"]


def write(folder: Path) -> None:
    """Write a store and its answers into a folder."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "allotment.db"
        live(database)
        with closing(sqlite3.connect(database)) as connection:
            (folder / "store.sql").write_text("\n".join(connection.iterdump()) + "\n")
        found = {"answers": answers(database), "served": served(database)}
    lines = (json.dumps({name: each}, ensure_ascii=False) for name, each in found.items())
    (folder / "answers.ndjson").write_text("\n".join(lines) + "\n")


def _assigned(catalog: Any) -> Iterator[Any]:
    engine = Engine(compile_catalog(catalog))
    for known in KNOWN:
        for unit in UNITS:
            units = {"user": unit, "device": unit, "account": unit}
            for one in engine.assign_all(units, known).values():
                yield one.experiment, one.treatment, str(one.reason)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    write(Path(sys.argv[1]))
