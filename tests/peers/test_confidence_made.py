"""The resolver in Confidence's own provider deals instances that were made through its API here.

It is given the rules and segments that the API shows, and the bits of the segments' samples.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from allotment.server.settings import Settings
from confidencestate import encode, packed
from peers import CALLERS, UNITS, asked_of, differences, people
from tenant import node_over
from workspace import INSTANCES, Workspace

SDK = ("confidence-openfeature-provider==0.15.3",)
ACCOUNT = "acme-shop"
FLAGS = [f"flag-{number}" for number in range(10)]
VARIANTS = ("blue", "green", "red")
MILLION = 1_000_000
KEY_BYTES_MAX = 100  # the resolver refuses longer keys


@contextmanager
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with node_over(tmp_path / "allotment.db") as (node, runner):
        settings = Settings(vendor_profiles=f"confidence:{ACCOUNT}")
        yield Workspace(node, runner, "/v1", settings)


def arms(flag: str, weights: list[int]) -> list[dict[str, Any]]:
    names = [f"flags/{flag}/variants/{name}" for name in VARIANTS]
    return [{"variant": name, "weight": each} for name, each in zip(names, weights, strict=True)]


def make(api: Workspace, flag: str, draw: random.Random) -> None:
    """A flag with an instance that is live; its segment may be one of some units, and may grow."""
    variants = [
        {"name": f"flags/{flag}/variants/{name}", "value": {"color": name}} for name in VARIANTS
    ]
    api.post(f"/flags?flagId={flag}", {"variants": variants})
    body: dict[str, Any] = {"displayName": f"Of {flag}"}
    weights = [draw.choice([0, 1, draw.randrange(1, 3_000)]) for _ in VARIANTS]
    weights[0] += 500
    share = draw.randrange(10_000, 900_000)
    kind = draw.choice(["own", "sampled", "tagged"])
    if kind != "own":
        tags = ["search"] if kind == "tagged" else []
        share //= len(FLAGS) if tags else 1
        said = {"proportion": {"value": f"0.{share:06d}"}, "exclusivityTags": tags}
        segment = {"allocation": {**said, "exclusiveTo": tags}}
        api.post(f"/segments?segmentId=of-{flag}", segment)
        body["flags"] = {"segment": f"segments/of-{flag}"}
    instance = api.post(INSTANCES, {**body, "abtest": {"treatments": arms(flag, weights)}})
    api.move(instance, "live")
    if draw.random() < 0.5:  # no unit with a variant moves
        grown = [weight + draw.randrange(300) for weight in weights]
        api.update(instance, {"abtest": {"treatments": arms(flag, grown)}}, "abtest.treatments")


def bits_of(api: Workspace, segment: str) -> dict[str, Any]:
    """The bits of a segment: all, or those of its sample."""
    sample = api.catalog.segments[segment].sample
    if sample is None:
        return {"fullBitset": True}
    flags = np.zeros(MILLION, np.uint8)
    for start, stop in sample.ranges:
        flags[start:stop] = 1
    return {"gzippedBitset": packed(np.packbits(flags, bitorder="little").tobytes())}


def state(api: Workspace) -> bytes:
    """What a resolver of the account is given."""
    shown = [api.get(f"/flags/{flag}") for flag in FLAGS]
    names = {rule["segment"] for flag in shown for rule in flag["rules"]}
    flags = [
        {
            "name": flag["name"],
            "schema": {},
            "state": 1,
            "clients": ["clients/one"],
            "variants": [{"name": one["name"], "value": one["value"]} for one in flag["variants"]],
            "rules": [
                {name: value for name, value in rule.items() if name != "environments"}
                for rule in flag["rules"]
            ],
        }
        for flag in shown
    ]
    keys = {name: name.removeprefix("segments/") for name in sorted(names)}
    return encode(
        ACCOUNT,
        flags=flags,
        segmentsNoBitsets=[{"name": name} for name in keys],
        bitsets=[{"segment": name, **bits_of(api, key)} for name, key in keys.items()],
        clients=[{"name": "clients/one"}],
    )


def test_no_unit_differs(seed: int, tmp_path: Path) -> None:
    draw = random.Random(f"confidence made {seed}")
    units = [one for one in people(draw, UNITS * 2) if len(one[0].encode()) <= KEY_BYTES_MAX]
    units = [(unit, {}) for unit, _ in units[:UNITS]]
    with workspace(tmp_path) as api:
        for flag in FLAGS:
            make(api, flag, draw)
        payload = base64.b64encode(state(api)).decode()
        asked = [[api.engine.resolve(flag, unit) for flag in FLAGS] for unit, _ in units]
    mine = [
        [CALLERS if one.variation not in VARIANTS else one.value["color"] for one in each]
        for each in asked
    ]
    answers = asked_of(SDK, "confidence_probe.py", payload, FLAGS, units)
    theirs = [[one if one == CALLERS else one[1]["color"] for one in each] for each in answers]
    assert differences(FLAGS, units, theirs, mine) == []
    varied = [len({each[at] for each in theirs}) for at in range(len(FLAGS))]
    assert sum(count > 2 for count in varied) >= len(FLAGS) // 2
