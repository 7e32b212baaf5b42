"""Every vector of another platform, three ways: the twin, one call of the kernel, and its batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from allotment.compile.recipe import recipe
from allotment.model.profile import PROFILES, Profile
from allotment.reference.profile import bucket
from vectors import OWN, shared_folder, vectors

# (profile, salt, unit, buckets) to the bucket.
BucketOf = Callable[[Profile, str, str, int], int]

WAYS: dict[str, BucketOf] = {
    "twin": bucket,
    "call": lambda profile, salt, unit, count: recipe(profile, salt, count).bucket(unit),
    "batch": lambda profile, salt, unit, count: int(
        recipe(profile, salt, count).buckets([unit])[0]
    ),
}

# Platforms' names of what they drew by, where it is not ours with its version.
NAMES = {
    "growthbook-v1": "growthbook-1",
    "growthbook-v2": "growthbook-2",
    "growthbook-namespace": "growthbook-namespace-1",
    "confidence": "confidence-population-1",
    "split": "split-2",
    "split-legacy": "split-1",
    "flagd-v1": "flagd-1",
    "flagd-v2": "flagd-2",
    "flagd-v3": "flagd-3",
    "flagd-v3-shorthand": "flagd-pair-3",
    "amplitude": "amplitude-allocation-1",
}
# What these call bucket 1 is ours numbered 0.
FROM_ONE = {"split", "split-legacy", "vwo-traffic", "vwo-variation"}


class Asked:
    """One vector, asked one way."""

    def __init__(self, vector: dict[str, Any], way: BucketOf) -> None:
        self.vector = vector
        self.way = way
        name = vector.get("profile") or ""
        self.name = NAMES.get(name, f"{name}-1")
        self.unit = vector.get("unit", "")
        self.salt = vector.get("salt", "")
        if "seed" in vector:
            self.salt = str(vector["seed"])
        for extra in vector.get("extra", {}).values():
            self.salt += {"statsig": ".", "vwo-variation": "_"}[name] + extra

    def bucket(self, name: str = "", count: int = 0, salt: str | None = None) -> int:
        profile = PROFILES[name or self.name]
        salt = self.salt if salt is None else salt
        return self.way(profile, salt, self.unit, profile.buckets or count)

    def fraction(self) -> float:
        """The float that the platform compares."""
        profile = PROFILES[self.name]
        assert profile.divisor is not None
        return self.bucket() / profile.divisor * (profile.factor or 1.0)

    def value(self) -> float:
        """What the platform shows: the float that it compares, or the bucket as it counts."""
        if PROFILES[self.name].divisor is not None:
            return self.fraction()
        return self.bucket() + (self.vector["profile"] in FROM_ONE)

    def choice(self, weights: list[Any], count: int) -> str | None:
        """What the weights, as the profile adds them up, give the bucket."""
        profile = PROFILES[self.name]
        parts = [weight for weight, _ in weights]
        edges = profile.edges(parts, count) or [sum(parts[: i + 1]) for i in range(len(parts))]
        found = self.bucket(count=count)
        return next((weights[i][1] for i, edge in enumerate(edges) if found < edge), None)


def owner(ranges: list[Any], place: float) -> str | None:
    return next((each[2] for each in ranges if each[0] <= place < each[1]), None)


def by_shards(asked: Asked) -> str | None:
    """Eppo: the first split of which every shard has the unit."""
    for split in asked.vector["splits"]:
        if all(
            any(r["start"] <= asked.bucket(salt=shard["salt"]) < r["end"] for r in shard["ranges"])
            for shard in split["shards"]
        ):
            return str(split["variation"])
    return None


def by_exposure(asked: Asked) -> str | None:
    """Eppo's older rules: exposed, and then dealt by another hash."""
    exposed = asked.bucket("eppo-legacy-exposure-1")
    if exposed > asked.vector["exposure"] * asked.vector["n"]:
        return None
    return owner(asked.vector["ranges"], asked.bucket("eppo-legacy-assignment-1"))


def weighted(asked: Asked) -> str | None:
    choices, weights = asked.vector["choices"], asked.vector["weights"]
    return asked.choice([*zip(weights, choices, strict=True)], sum(weights))


def flagsmith(asked: Asked) -> str:
    return owner(asked.vector["ranges"], asked.fraction()) or "control"


def percent(asked: Asked) -> bool:
    return asked.fraction() <= float(asked.vector["threshold"])


def posthog(asked: Asked) -> object:
    """In the rollout or not, and then one of the variants by another hash."""
    if asked.bucket() >= PROFILES[asked.name].bound(round(asked.vector["rollout"] * 1_000_000)):
        return False
    if "ranges" not in asked.vector:
        return True
    asked.name = "posthog-variant-1"
    percents = [(round((stop - start) * 100), key) for start, stop, key in asked.vector["ranges"]]
    return asked.choice(percents, 100)


KINDS: dict[str, Callable[[Asked], object]] = {
    "value": Asked.value,
    "amplitude": lambda a: [a.bucket(), a.bucket("amplitude-distribution-1")],
    "lt": lambda a: a.bucket() < a.vector["threshold"],
    "le": lambda a: a.bucket() < a.vector["threshold"],  # theirs counts from 1
    "cum_lt": lambda a: a.choice(a.vector["weights"], 100),
    "cum_ge": lambda a: a.choice(a.vector["weights"], sum(w for w, _ in a.vector["weights"])),
    "flagd_v1": lambda a: a.choice(a.vector["weights"], sum(w for w, _ in a.vector["weights"])),
    "flagd_v2": lambda a: a.choice(a.vector["weights"], sum(w for w, _ in a.vector["weights"])),
    "half_open_n": lambda a: owner(
        a.vector["ranges"], a.bucket("confidence-variant-1", a.vector["n"])
    ),
    "flagsmith_mv": flagsmith,
    "flagsmith_split": percent,
    "posthog": posthog,
    "shards": by_shards,
    "eppo_legacy": by_exposure,
    "in_range": lambda a: any(
        PROFILES[a.name].edge(low, 1.0) <= a.bucket() < PROFILES[a.name].edge(high, 1.0)
        for low, high in a.vector["ranges"]
    ),
    "planout_int": lambda a: (
        a.vector["min"] + a.bucket("planout-integer-1", a.vector["max"] - a.vector["min"] + 1)
    ),
    "planout_choice": weighted,
}
# How GrowthBook makes ranges of weights is its importer's, and tested with it.
OF_THE_IMPORTER = {"ranges_of", "choose", "gb_run", "null"}
# A raw hash, of which no rollout makes buckets.
RAW = ("goff", 4_294_967_296)


def wrong(found: list[dict[str, Any]], way: BucketOf) -> tuple[Counter[str], list[Any]]:
    """How many of each profile were asked, and those whose answer is another."""
    asked: Counter[str] = Counter()
    others = []
    for vector in found:
        if vector["kind"] in OF_THE_IMPORTER or (vector.get("profile"), vector.get("n")) == RAW:
            continue
        if vector["unit"] == "":
            continue  # no unit, here as in the API
        answer = KINDS[vector["kind"]](Asked(vector, way))
        expected = vector["expected"]
        asked[vector["profile"]] += 1
        if isinstance(answer, float) and abs(answer - expected) <= vector.get("tol", 0):
            continue
        if answer != expected:
            others.append((vector, answer))
    return asked, others


@pytest.mark.parametrize("way", WAYS)
def test_what_the_platforms_own_clients_gave_is_given(way: str) -> None:
    asked, others = wrong(list(vectors(OWN)), WAYS[way])
    assert others == []
    assert asked.total() == 3_000


@pytest.mark.skipif(shared_folder() is None, reason="these vectors are not shipped")
@pytest.mark.parametrize("way", WAYS)
def test_what_the_platforms_publish_is_given(way: str) -> None:
    folder = shared_folder()
    assert folder is not None
    asked, others = wrong(list(vectors(folder)), WAYS[way])
    assert others == []
    assert len(asked) == 29
    assert asked.total() == 12_771
