"""A catalog to begin with, and lines to try against the server that serves it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from allotment.cli.changes import commands_of
from allotment.cli.local import login
from allotment.dialects.auth0.names import id_of
from allotment.dialects.confidence.names import instance_name
from allotment.model.catalog import Catalog
from allotment.model.experiment import Experiment, State
from allotment.sources import checked_change
from allotment.store import Store
from allotment.store.schema import DEFAULT_SPACE

_AUTH0: Final = "auth0/"
_EXPERIMENTS: Final = "/api/v2/experimentation/experiments"
_LAUNCHDARKLY: Final = "/api/v2/projects/{}/environments/{}/experiments"
_JSON: Final = "application/json"
_SEMANTIC: Final = f"{_JSON}; domain-model=launchdarkly.semanticpatch"

# By what an experiment is now: the word that this API has for what the line makes of it.
_NEXT: Final = {State.RUNNING: "paused", State.PAUSED: "active"}


def begin_with(file: Path, store: Store) -> Catalog:
    """Put a catalog file into a store that has held nothing yet; what the store holds then."""
    catalog = store.catalog()
    if catalog.revision:
        return catalog
    commands = commands_of(file, catalog)
    checked_change(commands, catalog)  # before anything is written
    when = datetime.now(UTC)
    store.commit(commands, who=login(), when=when, dialect="catalogfile", comment="the example")
    return store.catalog()


def lines_to_try(catalog: Catalog, url: str, *, with_token: bool) -> Iterator[str]:
    """What can be typed as it stands: an assignment, a change by each vendor's API, another status.

    They are about the first experiment that has Auth0's marks and is running or paused, or else the
    first that is either. `with_token` has them send the token in ALLOTMENT_TOKEN.
    """
    experiment = _shown(catalog)
    if experiment is None:
        return
    token = ['-H "Authorization: Bearer $ALLOTMENT_TOKEN"'] if with_token else []
    address = f"{url}{_EXPERIMENTS}/{id_of('experiment', experiment.key)}"
    yield _line([f"{url}/v1/assign/{quote(experiment.key)}/{experiment.unit}-1", *token])
    described = {"description": "Changed by a PATCH"}
    yield _line(["-X PATCH", address, *token, *_json(described)])
    update = {"kind": "updateDescription", "value": "Changed by a semantic patch"}
    semantic = {"comment": "A first try", "instructions": [update]}
    there = f"{url}{_LAUNCHDARKLY.format(*DEFAULT_SPACE.split('/'))}/{quote(experiment.key)}"
    yield _line(["-X PATCH", there, *token, *_json(semantic, _SEMANTIC)])
    hypothesis = {"hypothesis": {"text": "Changed by a PATCH under a mask"}}
    instance = f"'{url}/v1/{instance_name(experiment.key)}?updateMask=hypothesis.text'"
    yield _line(["-X PATCH", instance, *token, *_json(hypothesis)])
    status = {"status": _NEXT[experiment.current.state]}
    yield _line([f"{address}/status", *token, *_json(status)])


def _shown(catalog: Catalog) -> Experiment | None:
    live = [one for one in catalog.experiments.values() if one.current.state in _NEXT]
    marked = [one for one in live if any(path.startswith(_AUTH0) for path, _ in one.kept)]
    return next(iter(marked or live), None)


def _json(body: dict[str, Any], kind: str = _JSON) -> list[str]:
    return [f"-H 'Content-Type: {kind}'", f"-d {shlex.quote(json.dumps(body))}"]


def _line(parts: list[str]) -> str:
    return " ".join(["curl -s", *parts])
