"""LaunchDarkly's own SDK deals an experiment that was made through its API here as the server does.

The SDK is told just what the API shows of the flag.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from allotment.change.commands import Create
from allotment.model.flag import Flag, FlagState, Variation
from allotment.server.settings import Settings
from ldproject import iteration, treatment
from ldrollout import sdk_flag
from ldwhole import Project, project
from peers import asked_of, differences, people
from tenant import SPACE

SDK = ("launchdarkly-server-sdk==9.18.2",)
RESTART = {"kind": "startIteration", "changeJustification": "more units"}


def percents(draw: random.Random, at_most: int = 100_000) -> list[str]:
    """Three percentages of at most three decimals, which may leave some units out."""
    parts = [draw.choice([0, 1, draw.randrange(1, at_most // 3)]) for _ in range(3)]
    parts[0] = max(parts[0], 1)
    return [f"{part // 1000}.{part % 1000:03d}" for part in parts]


def made(api: Project, key: str, draw: random.Random) -> Any:
    """A flag with an experiment that runs, as the API shows it."""
    names = ("red", "green", "blue")
    flag = Flag(
        key, tuple(Variation(each, f'"{each}"') for each in names), "red", state=FlagState.ON
    )
    api.production.apply(Create(flag))
    flags = {key: {"ruleId": "fallthrough", "flagConfigVersion": 1}}

    def dealing(shares: list[str], **more: Any) -> Any:
        arms = [treatment(n, s, n, key) for n, s in zip(names, shares, strict=True)]
        return {"treatments": arms, "flags": flags, **more}

    shares = percents(draw)
    api.production.running(f"of-{key}", **dealing(shares))
    if draw.random() < 0.5:  # grown, so that units stay
        more = percents(draw, 20_000)
        grown = [
            f"{min(float(one) + float(other), 33.3):.3f}"
            for one, other in zip(shares, more, strict=True)
        ]
        new = iteration(**dealing(grown, canReshuffleTraffic=False))
        api.production.post(f"/experiments/of-{key}/iterations", new)
        api.production.told(f"of-{key}", RESTART)
    return api.get(f"/flags/default/{key}")


def test_no_unit_differs(seed: int, tmp_path: Path) -> None:
    draw = random.Random(f"launchdarkly made {seed}")
    units = people(draw)
    keys = [f"flag-{number}" for number in range(12)]
    with project(tmp_path, Settings(vendor_profiles="launchdarkly")) as api:
        shown = {key: sdk_flag(made(api, key, draw)) for key in keys}
        engine = api.engine_at(SPACE)
        mine = [[engine.resolve(key, unit).value for key in keys] for unit, _ in units]
    assert all("rollout" in flag["fallthrough"] for flag in shown.values())
    theirs = asked_of(SDK, "launchdarkly_probe.py", {"flags": shown}, keys, units)
    assert differences(keys, units, theirs, mine) == []
    varied = [len({each[at] for each in theirs}) > 1 for at in range(len(keys))]
    assert sum(varied) >= len(keys) // 2
