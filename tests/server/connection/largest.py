"""For each operation that takes a body, the largest one that is accepted.

`largest` asks them in an order in which each finds what it needs. How large a text or a list may be
is taken from the code, so that a body grows with its limit.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import httpx
import pyarrow as pa

from allotment.dialects.auth0.experiments import ITEMS_MAX as ALLOCATIONS_MAX
from allotment.dialects.launchdarkly.fields import ITEMS_MAX, TEXT_MAX
from allotment.dialects.launchdarkly.patch import INSTRUCTIONS_MAX
from allotment.model.limits import (
    KEPT_CHARACTERS_MAX,
    LISTED_IDS_MAX,
    NAME_CHARACTERS_MAX,
    OVERRIDES_MAX,
    TEXT_CHARACTERS_MAX,
    TREATMENTS_MAX,
)
from allotment.server.http.limits import BATCH_BYTES_MAX, BODY_BYTES_MAX, LISTS_BYTES_MAX
from allotment.server.sticky.rows import UNITS_MAX
from allotment.server.writes.preview import UNITS_MAX as PREVIEWED_MAX

AUTH0: Final = "/api/v2/experimentation"
PROJECT: Final = "/api/v2/projects/{projectKey}"
SPACE: Final = f"{PROJECT}/environments/{{environmentKey}}"
INSTANCES: Final = "/v1/workflows/abtest/instances"
SEMANTIC: Final = "application/json; domain-model=launchdarkly.semanticpatch"
SPARE: Final = 2_000  # bytes of a body for its other fields


class Ask(NamedTuple):
    """An operation, as the document names it, with the ids of its path, and what it is sent."""

    operation: str
    body: Any
    ids: Mapping[str, str] = MappingProxyType({})
    query: str = ""
    kind: str = "application/json"

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode()

    def send(self, client: httpx.Client) -> httpx.Response:
        method, path = self.operation.split(" ", 1)
        ids = {"projectKey": "default", "environmentKey": "production", **self.ids}
        url = path.format(**ids) + self.query
        headers = {"content-type": self.kind}
        return client.request(method, url, content=self.content, headers=headers)


def name(mark: str, most: int = NAME_CHARACTERS_MAX) -> str:
    return mark.ljust(most, "n")


def nested(size: int, depth: int = 24) -> Any:
    """A value of so many characters as JSON, nested so deep."""
    tree: Any = list(range(max(1, (size - 6 * depth) // 6)))
    tree = [f"{each % 1000:03d}" for each in tree]
    for _ in range(depth):
        tree = {"k": tree}
    return tree


def kept(room: int) -> dict[str, Any]:
    """Kept values that fill so many bytes."""
    each = KEPT_CHARACTERS_MAX - 200
    count = max(1, room // KEPT_CHARACTERS_MAX)
    return {f"test/k{number}": {"value": nested(each)} for number in range(count)}


def largest(client: httpx.Client, part: int = 1) -> Iterator[tuple[Ask, httpx.Response]]:
    """Each operation with its largest body, and its answer; the longest lists have a `part`-th."""
    secret = client.headers["authorization"].removeprefix("Bearer ")
    every = (
        native(part),
        auth0(),
        launchdarkly(),
        confidence(),
        assigned(part, secret),
    )
    for asking in every:
        try:
            ask = next(asking)
            while True:
                answer = ask.send(client)
                yield ask, answer
                ask = asking.send(answer)
        except StopIteration:
            pass


Asks = Any  # a generator of Ask, which is sent each answer


def native(part: int) -> Asks:
    room = BODY_BYTES_MAX - SPARE
    value = nested(TEXT_CHARACTERS_MAX - 100)
    count = room // (TEXT_CHARACTERS_MAX + 50)
    flag = {"default": "v0", "variations": {f"v{n}": {"value": value} for n in range(count)}}
    yield Ask("PUT /v1/catalog/flags/{key}", flag, {"key": "large"})
    ids = [f"{number:050d}" for number in range(LISTED_IDS_MAX // part)]
    yield Ask("PUT /v1/catalog/segments/{key}", {"include": ids}, {"key": "listed"})
    yield Ask("PUT /v1/catalog/layers/{key}", {"kept": kept(room)}, {"key": "large"})
    yield Ask("PUT /v1/catalog/holdouts/{key}", {"share": "1%", "kept": kept(room)}, {"key": "h"})
    arms = [f"t{number}".ljust(100, "a") for number in range(TREATMENTS_MAX)]
    experiment = {
        "state": "running",
        "overrides": {f"unit-{n:060d}": arms[n % 7] for n in range(min(OVERRIDES_MAX, 5_000))},
        "treatments": {arms[0]: {"control": True}, **{arm: {} for arm in arms[1:]}},
        "allocations": [{"of": TREATMENTS_MAX, "weights": dict.fromkeys(arms, 1)}],
    }
    yield Ask("PUT /v1/catalog/experiments/{key}", experiment, {"key": "large"})
    flag = {"default": "on", "variations": {"on": True, "off": False}}
    yield Ask("PUT /v1/catalog/flags/{key}", flag, {"key": "renamed"})
    commands = [
        {"is": "Rename", "kind": "flag", "key": "renamed", "name": f"{number:07d}"}
        for number in range(800_000 // part)
    ]
    yield Ask("POST /v1/preview", {"commands": commands})
    fewer = {"is": "SetEnrolment", "experiment": "x0000", "share_ppm": 500_000}
    asked = [f"{number:040d}" for number in range(PREVIEWED_MAX)]
    known = [{"list": [f"v{number}w"]} for number in range(PREVIEWED_MAX)]
    yield Ask("POST /v1/preview", {"commands": [fewer], "units": asked, "attributes": known})
    yield Ask("POST /v1/commands", {"commands": commands})
    yield Ask("POST /v1/spaces", {"name": "default/copied", "copy_from": "default/production"})
    yield Ask("POST /v1/tokens", {"scope": "assign", "name": name("t"), "days": 1})
    rows = [
        {"experiment": "keeps", "unit": f"{number:036d}", "treatment": "a"}
        for number in range(LISTS_BYTES_MAX // 90 // part // 4)
    ]
    yield Ask("POST /v1/kept", {"rows": rows})
    lines = b"\n".join(json.dumps(row).encode() for row in rows)
    yield Ask("POST /v1/kept", lines, kind="application/x-ndjson")
    units = [f"{number:01000d}" for number in range(UNITS_MAX)]
    asked = json.dumps({"experiment": "keeps", "iteration": 1, "units": units}).encode()
    yield Ask("POST /v1/kept/read", asked.ljust((LISTS_BYTES_MAX - SPARE) // part))


def auth0() -> Asks:
    parameters = {
        f"p{number}": {"type": "string", "value": "v" * 1_000, "description": "d" * 255}
        for number in range(10)
    }
    flags, text = f"{AUTH0}/feature-flags", "d" * 1_024
    described = {"name": "f" * 255, "description": text, "parameters": parameters}
    flag = (yield Ask(f"POST {flags}", described)).json()["id"]
    at = {"id": flag}
    overrides = {each: {"value": "w" * 1_000} for each in parameters}
    variations = []
    for number in range(ALLOCATIONS_MAX):
        arm = {"name": f"{number:02d}".ljust(255, "v"), "description": text, "overrides": overrides}
        made = yield Ask(f"POST {flags}/{{id}}/variations", arm, at)
        variations.append(made.json()["id"])
    arm = {"name": "w" * 255, "description": text + "", "overrides": overrides}
    one = {"id": flag, "variation_id": variations[0]}
    yield Ask(f"PATCH {flags}/{{id}}/variations/{{variation_id}}", arm, one)
    yield Ask(f"PATCH {flags}/{{id}}", {"name": "g" * 255, "parameters": parameters}, at)
    yield Ask(f"POST {flags}/{{id}}/status", {"status": "active"}, at)
    match = {"user_agent": ["u" * 1_000] * 3}
    segment = {"name": "s" * 255, "description": text, "rules": [{"match": match}] * 3}
    made = yield Ask(f"POST {AUTH0}/segments", segment)
    segment["name"] = "r" * 255
    yield Ask(f"PATCH {AUTH0}/segments/{{id}}", segment, {"id": made.json()["id"]})
    experiments = f"{AUTH0}/experiments"
    experiment = {
        "name": "e" * 255,
        "description": text,
        "authentication_flow": "a" * 255,
        "levels": [*range(1, 101)],
        "allocations": [
            {"variation_id": each, "weight": 5, "is_control": each == variations[0]}
            for each in variations
        ],
    }
    drafted = {**experiment, "feature_flag_id": flag}
    at = {"id": (yield Ask(f"POST {experiments}", drafted)).json()["id"]}
    yield Ask(f"PATCH {experiments}/{{id}}", {**experiment, "name": "x" * 255}, at)
    yield Ask(f"POST {experiments}/{{id}}/status", {"status": "active"}, at)
    yield Ask(f"POST {experiments}/{{id}}/advance-ramp", {"target_level": 2}, at)


def launchdarkly() -> Asks:
    text = "d" * TEXT_MAX
    tags = [f"{number:03d}".ljust(64, "t") for number in range(ITEMS_MAX)]
    units = [
        {"randomizationUnit": f"u{number}", "standardRandomizationUnit": "user"}
        for number in range(ITEMS_MAX)
    ]
    units[0] = {"randomizationUnit": "user", "default": True}
    yield Ask(f"PUT {PROJECT}/experimentation-settings", {"randomizationUnits": units})
    layer = {"key": "l" * 256, "name": name("l", 256), "description": text}
    yield Ask(f"POST {PROJECT}/layers", layer)
    steps = [
        {"kind": "updateDescription", "description": f"{number}{text}"[:TEXT_MAX]}
        for number in range(INSTRUCTIONS_MAX)
    ]
    patch = {"comment": text, "environmentKey": "production", "instructions": steps}
    at = {"layerKey": "l" * 256}
    yield Ask(f"PATCH {PROJECT}/layers/{{layerKey}}", patch, at, kind=SEMANTIC)
    value = "v" * 3_900
    flag = {
        "key": "ld-flag",
        "name": name("f", 256),
        "description": text,
        "tags": tags,
        "variations": [
            {"value": f"{number}{value}", "name": text} for number in range(TREATMENTS_MAX - 60)
        ],
    }
    made = yield Ask("POST /api/v2/flags/{projectKey}", flag)
    variations = [each["_id"] for each in made.json()["variations"]]
    steps = [
        {"kind": "updateDescription", "value": f"{number}{text}"[:TEXT_MAX]}
        for number in range(INSTRUCTIONS_MAX)
    ]
    patch = {"comment": text, "instructions": steps}
    at = {"flagKey": "ld-flag"}
    yield Ask("PATCH /api/v2/flags/{projectKey}/{flagKey}", patch, at, kind=SEMANTIC)
    on = {"environmentKey": "production", "instructions": [{"kind": "turnFlagOn"}]}
    yield Ask("PATCH /api/v2/flags/{projectKey}/{flagKey}", on, at, kind=SEMANTIC)
    metric = {
        "key": "sales",
        "kind": "custom",
        "eventKey": text,
        "description": text,
        "tags": tags,
        "filters": {
            "type": "eventProperty",
            "attribute": "a",
            "op": "in",
            "values": [text] * 40,
            "negate": False,
        },
    }
    metrics = "POST /api/v2/metrics/{projectKey}"
    yield Ask(metrics, metric)
    keys = [f"m{number}" for number in range(ITEMS_MAX)]
    for key in keys:
        yield Ask(metrics, {"key": key, "kind": "custom", "eventKey": key})
    group = {
        "key": "group",
        "name": name("g", 256),
        "kind": "standard",
        "description": text,
        "maintainerId": text,
        "tags": tags,
        "metrics": [{"key": key} for key in keys],
    }
    yield Ask(f"POST {PROJECT}/metric-groups", group)
    named = [{"key": key, "isGroup": False} for key in keys]
    holdout = {
        "key": "kept-out",
        "name": name("h", 256),
        "description": text,
        "holdoutamount": "5",
        "metrics": named,
        "randomizationunit": "user",
        "attributes": tags,
    }
    yield Ask(f"POST {SPACE}/holdouts", holdout)
    steps = [
        {"kind": "updateDescription", "value": f"{number}{text}"[:TEXT_MAX]}
        for number in range(INSTRUCTIONS_MAX)
    ]
    patch = {"comment": text, "instructions": steps}
    at = {"holdoutKey": "kept-out"}
    yield Ask(f"PATCH {SPACE}/holdouts/{{holdoutKey}}", patch, at, kind=SEMANTIC)
    arms = [
        {
            "name": f"{number:03d}".ljust(256, "n"),
            "baseline": number == 0,
            "allocationPercent": "1",
            "parameters": [{"flagKey": "ld-flag", "variationId": variations[number]}],
        }
        for number in range(100)
    ]
    iteration = {
        "hypothesis": text,
        "metrics": named,
        "primarySingleMetricKey": "m0",
        "treatments": arms,
        "attributes": tags,
        "flags": {"ld-flag": {"ruleId": "fallthrough", "flagConfigVersion": 1}},
    }
    experiment = {
        "key": "ld",
        "name": name("e", 256),
        "description": text,
        "tags": tags,
        "iteration": iteration,
    }
    yield Ask(f"POST {SPACE}/experiments", experiment)
    at = {"experimentKey": "ld"}
    yield Ask(f"PATCH {SPACE}/experiments/{{experimentKey}}", patch, at, kind=SEMANTIC)
    yield Ask(f"POST {SPACE}/experiments/{{experimentKey}}/iterations", iteration, at)


def confidence() -> Asks:
    room = BODY_BYTES_MAX - SPARE
    text = "d" * TEXT_CHARACTERS_MAX
    segment = {
        "displayName": name("s"),
        "targeting": {
            "criteria": {
                "a": {
                    "attribute": {
                        "attributeName": "country",
                        "setRule": {"values": [{"stringValue": f"{n:040d}"} for n in range(1_000)]},
                    }
                }
            },
            "expression": {"ref": "a"},
        },
        "allocation": {
            "proportion": {"value": "0.01"},
            "exclusivityTags": [f"{n:03d}".ljust(250, "t") for n in range(100)],
            "exclusiveTo": [f"{n:03d}".ljust(250, "t") for n in range(100)],
        },
    }
    yield Ask("POST /v1/segments", segment, query="?segmentId=conf")
    at = {"segment": "conf"}
    yield Ask("PATCH /v1/segments/{segment}", {**segment, "displayName": name("r")}, at)
    yield Ask("POST /v1/segments/{segment}:allocate", {}, at)
    value = {f"k{number}": "v" * 1_000 for number in range(60)}
    count = min(100, room // 62_000)
    variants = [
        {"name": f"flags/conf/variants/v{number}", "value": value, "description": "d" * 100}
        for number in range(count)
    ]
    schema = {"schema": {each: {"stringSchema": {}} for each in value}}
    flag = {"description": text, "schema": schema, "variants": variants}
    yield Ask("POST /v1/flags", flag, query="?flagId=conf")
    at = {"flag": "conf"}
    more = {"description": "e" * TEXT_CHARACTERS_MAX, "labels": {"k": "l" * 1_000}}
    yield Ask("PATCH /v1/flags/{flag}", more, at)
    variant = {"value": value, "description": text}
    yield Ask("POST /v1/flags/{flag}/variants", variant, at, "?variantId=last")
    one = {"flag": "conf", "variant": "last"}
    yield Ask("PATCH /v1/flags/{flag}/variants/{variant}", {"value": {"k0": "x" * 2_000}}, one)
    arms = [
        {
            "variant": f"flags/conf/variants/v{number % count}",
            "weight": 10,
            "description": text[:60],
        }
        for number in range(TREATMENTS_MAX)
    ]
    instance = {
        "displayName": name("i"),
        "jobQueue": nested(KEPT_CHARACTERS_MAX - 200),
        "surfaces": [f"{number:04d}" for number in range(9_000)],
        "abtest": {"flag": "flags/conf", "treatments": arms},
        "flags": {
            "flag": "flags/conf",
            "segment": "segments/conf",
            "targetingKeySelector": "targeting_key",
        },
    }
    made = yield Ask(f"POST {INSTANCES}", instance)
    yield Ask("POST /v1/workflows/abtest", instance)
    at = {"instance": made.json()["name"].rsplit("/", 1)[1]}
    yield Ask(f"PATCH {INSTANCES}/{{instance}}", {**instance, "displayName": name("j")}, at)
    yield Ask(f"POST {INSTANCES}/{{instance}}:clone", {"displayName": name("c")}, at)
    yield Ask(f"POST {INSTANCES}/{{instance}}:transition", {"targetState": "live"}, at)
    yield Ask("POST /v1/segments", {**segment, "allocation": {}}, query="?segmentId=bare")
    yield Ask("POST /v1/segments/{segment}:archive", {}, {"segment": "bare"})
    yield Ask("POST /v1/flags", flag | {"variants": []}, query="?flagId=bare")
    yield Ask("POST /v1/flags/{flag}:archive", {}, {"flag": "bare"})


def large_flags(count: int) -> tuple[list[str], list[dict[str, Any]]]:
    """The keys of flags with the largest values, and the commands that make them."""
    keys = [f"large{number:04d}" for number in range(count)]
    value = json.dumps("v" * (TEXT_CHARACTERS_MAX - 8))
    on = [{"is": "Variation", "key": "on", "value": value}]
    made: list[dict[str, Any]] = [
        {
            "is": "Create",
            "noun": {"is": "Flag", "key": key, "default": "on", "variations": on},
        }
        for key in keys
    ]
    return keys, made + [{"is": "SwitchFlag", "flag": key, "state": "on"} for key in keys]


def assigned(part: int, secret: str) -> Asks:
    keys, made = large_flags(800 // part)
    yield Ask("POST /v1/commands", {"commands": made})
    attributes = {"list": [f"{number:05d}" for number in range(8_000)]}
    unit = {"unit": "u" * 1_024, "attributes": attributes}
    for flag in keys[:2]:
        yield Ask("POST /v1/resolve", {"unit": "u", "flag": flag})
    yield Ask("POST /v1/resolve", {"unit": "u", "flags": keys})
    yield Ask("POST /v1/resolve", unit)
    yield Ask("POST /v1/resolve", {"unit": "u"})
    asked = {"context": {"targetingKey": "u" * 1_024, **attributes}}
    flags = "/ofrep/v1/evaluate/flags"
    for prefix in ("", "/projects/{projectKey}/environments/{environmentKey}"):
        for body in ({"context": {"targetingKey": "u"}}, asked):
            yield Ask(f"POST {prefix}{flags}/{{key}}", body, {"key": keys[0]})
            yield Ask(f"POST {prefix}{flags}", body)
    yield Ask("POST /v1/assign", unit)
    yield Ask("POST /v1/assign", {"unit": "u"})
    yield Ask("POST /v1/explain", {**unit, "experiment": "x0000", "revision": 1})
    context = {"targeting_key": "u" * 1_024, "list": attributes["list"]}
    named = [f"flags/{key}" for key in keys] + [f"flags/f{n:04d}" for n in range(100)]
    resolved = {"clientSecret": secret, "evaluationContext": context, "flags": named}
    token = (yield Ask("POST /v1/flags:resolve", resolved)).json()["resolveToken"]
    applied = [{"flag": each, "applyTime": "2026-01-02T03:04:05.678Z"} for each in named]
    apply = {"clientSecret": secret, "resolveToken": token, "flags": applied}
    yield Ask("POST /v1/flags:apply", {**apply, "sendTime": "2026-01-02T03:04:05.678Z"})
    units = [f"{number:058d}" for number in range(BATCH_BYTES_MAX // 61 // part - 10)]
    batch = "POST /v1/assign/batch"
    yield Ask(batch, {"units": units, "experiments": ["x0000", "x0001"]})
    lines = b"\n".join(b'{"unit":"%b"}' % unit.encode() for unit in units)
    yield Ask(batch, lines, query="?experiment=x0000", kind="application/x-ndjson")
    table = pa.table({"unit": units})
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=65_536)
    arrow = "application/vnd.apache.arrow.stream"
    yield Ask(batch, stream.getvalue(), query="?experiment=x0000", kind=arrow)
