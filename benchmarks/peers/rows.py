"""The peers that are measured, as data: their packages, their script, what they are not asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

NO_ALL = "no call for all: one for each of the 100"
NO_BATCH = "no call for many units"
TABLE = "it works on tables"


@dataclass(frozen=True)
class Peer:
    """One peer; without packages its script runs where the benchmarks do.

    `told` says of a kind of work what must be known to read its figure, or why there is none.
    """

    name: str
    script: str
    packages: tuple[str, ...] = ()
    told: dict[str, str] = field(default_factory=dict)


_TABLE: Final = {"single": TABLE, "all": TABLE}
_NO_BATCH: Final = {"batch": NO_BATCH}
_NEITHER: Final = {"all": NO_ALL, "batch": NO_BATCH}

PEERS: Final = (
    Peer("Allotment", "allotment_list"),
    Peer("Allotment, columns of Arrow", "allotment_arrow", told=_TABLE),
    Peer("mmh3 by hand", "mmh3_loop", told=_NEITHER),
    Peer("Eppo", "eppo", ("eppo-server-sdk==4.4.1",), _NEITHER),
    Peer("Unleash (Yggdrasil)", "unleash", ("yggdrasil-engine==2.0.0",), _NEITHER),
    Peer("PlanOut", "planout", ("PlanOut==0.6.0", "six"), _NEITHER),
    Peer("GrowthBook", "growthbook", ("growthbook==4.0.0",), _NEITHER),
    Peer("LaunchDarkly", "launchdarkly", ("launchdarkly-server-sdk==9.18.2",), _NO_BATCH),
    Peer("Optimizely", "optimizely", ("optimizely-sdk==5.7.0",), _NO_BATCH),
    Peer("Statsig (Rust core)", "statsig_core", ("statsig-python-core==0.24.2",), _NO_BATCH),
    Peer("Statsig (Python)", "statsig_python", ("statsig==0.72.1",), _NO_BATCH),
    Peer("flagd", "flagd", ("openfeature-flagd-core==2.0.0",), _NEITHER),
    Peer("PostHog", "posthog", ("posthog==7.91.1",), _NO_BATCH),
    Peer(
        "Flagsmith",
        "flagsmith",
        ("flagsmith-flag-engine==11.1.1",),
        {"single": "it answers all features at once", **_NO_BATCH},
    ),
    Peer(
        "Confidence (WASM)",
        "confidence_wasm",
        ("confidence-openfeature-provider==0.15.3",),
        _NO_BATCH,
    ),
    Peer("Polars, an expression", "polars_expression", told=_TABLE),
    Peer("DuckDB, an expression", "duckdb_expression", told=_TABLE),
    Peer("ClickHouse (chdb), an expression", "clickhouse_expression", ("chdb==4.4.0",), _TABLE),
)

KINDS: Final = MappingProxyType(
    {"single": "one call", "all": "all of 100 experiments", "batch": "a unit of a batch"}
)

COUNTRIES: Final = (
    *("SE", "US", "NO", "DE", "FR", "GB", "ES"),
    *("IT", "PL", "NL", "FI", "DK", "BR", "IN"),
)
SHARES: Final = MappingProxyType({"control": 5_000, "blue": 2_500, "green": 2_500})
EXPERIMENTS: Final = MappingProxyType(
    {f"exp_{number}": [COUNTRIES[number % 10], COUNTRIES[number % 10 + 1]] for number in range(100)}
)
