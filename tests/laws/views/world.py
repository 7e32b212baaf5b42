"""One server, asked through every API it has; and what each of them shows of all there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final

from allotment.change.commands import Command, Create, Keep
from allotment.change.kinds import KINDS, nouns_of
from allotment.model.catalog import Catalog
from allotment.model.keyed import Keyed
from tenant import Vendor, vendor

LAUNCHDARKLY: Final = "/api/v2/projects/default"
SEMANTIC: Final = "application/json; domain-model=launchdarkly.semanticpatch"

UNITS: Final = [f"user-{number}" for number in range(300)]
KNOWN: Final[list[dict[str, Any]]] = [{}, {"country": "SE"}, {"country": "FR", "plan": "pro"}]

# What decides nothing, and so may be another where the same was done through another API.
LABELS: Final = frozenset(
    {
        *("name", "description", "kept", "justification", "winner", "winning_reason"),
        *("started_at", "ended_at"),
    }
)


# What they, and versions, are called where they are shown.
SHOWN_LABELS: Final = frozenset(
    {
        *("winningTreatmentId", "winningReason", "displayName", "stateHistory", "_version"),
        *("version", "creator", "updater", "owner"),
    }
)


@dataclass(frozen=True)
class Call:
    """A request as a client of one of the APIs sends it."""

    method: str
    path: str
    body: Any = None
    semantic: bool = False

    def sent(self) -> dict[str, str]:
        return {"content_type": SEMANTIC} if self.semantic else {}


class World:
    """A server with a catalog to begin with, in this process."""

    def __init__(self, api: Vendor, begin: tuple[Command, ...]) -> None:
        self.api = api
        api.apply(*begin)

    @property
    def catalog(self) -> Catalog:
        return self.api.catalog

    @property
    def fingerprint(self) -> int:
        return self.api.engine.snapshot.fingerprint

    def do(self, *calls: Call) -> None:
        for call in calls:
            answer = self.api.call(call.method, call.path, call.body, **call.sent())
            assert answer.is_success, f"{call}: {answer.status_code} {answer.text}"

    def seen(self, api: str) -> Any:
        """All that an API shows, without what is another time or place each time."""
        return without_times(VIEWS[api](self.api))

    def assignments(self) -> list[Any]:
        engine = self.api.engine
        given: list[Any] = []
        for known in KNOWN:
            for unit in UNITS:
                given.extend(
                    (one.experiment, one.treatment, one.reason, one.variations)
                    for one in engine.assign_all(_unit(unit), known).values()
                )
                given.extend(engine.resolve(f, _unit(unit), known) for f in self.catalog.flags)
        return given

    def forget(self) -> None:
        """Delete every kept value of every noun, and of the catalog."""
        gone = [Keep("catalog", "catalog", path, None) for path, _ in self.catalog.kept]
        for kind in KINDS:
            for key, noun in nouns_of(self.catalog, kind).items():
                gone.extend(Keep(kind, key, path, None) for path, _ in noun.kept)
        self.api.apply(*gone)


@contextmanager
def world(folder: Path, *begin: Command) -> Iterator[World]:
    folder.mkdir(parents=True, exist_ok=True)
    with vendor(folder) as api:
        yield World(api, begin)


def created(*nouns: Any) -> tuple[Command, ...]:
    return tuple(Create(noun) for noun in nouns)


def bare(value: Any) -> Any:
    """A value of the model without its labels."""
    if isinstance(value, Keyed):
        return {key: bare(each) for key, each in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(bare(each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name for field in fields(value) if field.compare}
        return {name: bare(getattr(value, name)) for name in named - LABELS - {"revision"}}
    return value


def _unit(key: str) -> dict[str, str]:
    return {"user": key, "device": key, "account": key}


def _native(api: Vendor) -> Any:
    return bare(dealt_alike(api.catalog))


def _auth0(api: Vendor) -> Any:
    base = "/api/v2/experimentation"
    shown: dict[str, Any] = {}
    for name, query in (("experiments", ""), ("experiments", "&status=archived")):
        shown[name + query] = api.get(f"{base}/{name}?take=50{query}")[name]
    flags = api.get(f"{base}/feature-flags?take=50")["feature_flags"]
    shown["flags"] = [
        (each, api.get(f"{base}/feature-flags/{each['id']}/variations")) for each in flags
    ]
    shown["segments"] = api.get(f"{base}/segments?take=50")["segments"]
    return shown


def _launchdarkly(api: Vendor) -> Any:
    here = f"{LAUNCHDARKLY}/environments/production"
    expanded = "expand=previousIterations,draftIteration,treatments"
    every = f"{here}/experiments?limit=50&lifecycleState=active,archived&{expanded}"
    return {
        "experiments": api.get(every)["items"],
        "layers": api.get(f"{LAUNCHDARKLY}/layers")["items"],
        "holdouts": api.get(f"{here}/holdouts?limit=50")["items"],
        "flags": [
            api.get(f"/api/v2/flags/default/{flag['key']}")
            for flag in api.get("/api/v2/flags/default")["items"]
        ],
    }


def _confidence(api: Vendor) -> Any:
    flags = api.get("/v1/flags?pageSize=50")["flags"]
    return {
        "instances": api.get("/v1/workflows/abtest/instances?pageSize=50")["abtests"],
        "segments": api.get("/v1/segments?pageSize=50")["segments"],
        "flags": [api.get(f"/v1/{flag['name']}") for flag in flags],
        "variants": [api.get(f"/v1/{flag['name']}/variants") for flag in flags],
    }


VIEWS: Final[Mapping[str, Callable[[Vendor], Any]]] = {
    "native": _native,
    "auth0": _auth0,
    "launchdarkly": _launchdarkly,
    "confidence": _confidence,
}


def without_times(tree: Any) -> Any:
    """A document without its moments, which are others in each world, and without labels."""
    if isinstance(tree, Mapping):
        if "value" in tree and "name" in tree:  # the label of a variation
            tree = {name: each for name, each in tree.items() if name != "name"}
        return {
            name: "a time" if _is_time(name) and each is not None else without_times(each)
            for name, each in tree.items()
            if name not in SHOWN_LABELS
        }
    if isinstance(tree, list | tuple):
        return [without_times(each) for each in tree]
    return tree


def _is_time(name: str) -> bool:
    ends = ("_at", "At", "Time", "Date", "lastModified")
    return isinstance(name, str) and name.endswith(ends)


def differences(one: Any, other: Any, where: str = "$") -> Iterator[str]:
    """Where two trees differ, and how."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for name in sorted(one.keys() | other.keys(), key=str):
            yield from differences(one.get(name), other.get(name), f"{where}.{name}")
    elif (
        isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other)
    ):
        for place, both in enumerate(zip(one, other, strict=True)):
            yield from differences(*both, f"{where}[{place}]")
    elif one != other:
        yield f"{where}: {one!r} != {other!r}"


def dealt_alike(catalog: Catalog) -> Catalog:
    """The catalog with its iterations' fresh salts replaced by the usual ones."""
    experiments = [
        (
            key,
            replace(
                one,
                iterations=tuple(
                    replace(each, salt=f"{key}/{each.number}") for each in one.iterations
                ),
            ),
        )
        for key, one in catalog.experiments.items()
    ]
    return replace(catalog, experiments=Keyed(experiments))
