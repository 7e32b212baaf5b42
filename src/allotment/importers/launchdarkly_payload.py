"""The parts of LaunchDarkly's SDK payload, as its server SDKs read them."""

from __future__ import annotations

from typing import Any

import msgspec

from allotment.importers.launchdarkly_clauses import USER, LdClause
from allotment.importers.payload import PayloadPart


class LdTarget(PayloadPart, frozen=True):
    """Units that are named."""

    values: list[str]
    variation: int = 0
    context_kind: str | None = None

    @property
    def kind(self) -> str:
        """The kind of context that is named."""
        return self.context_kind or USER


class LdWeight(PayloadPart, frozen=True):
    """The weight of a variation; what is untracked gets it, too."""

    variation: int
    weight: int
    untracked: bool | None = None


class LdRollout(PayloadPart, frozen=True):
    """How variations are dealt."""

    variations: list[LdWeight]
    kind: str | None = None
    context_kind: str | None = None
    bucket_by: str | None = None
    seed: int | None = None


class LdServed(PayloadPart, frozen=True):
    """What a fallthrough serves: a variation or a rollout."""

    variation: int | None = None
    rollout: LdRollout | None = None


class LdRule(LdServed, frozen=True):
    """A rule, and what it serves."""

    clauses: list[LdClause] = msgspec.field(default_factory=list)
    id: str | None = None
    ref: str | None = None
    track_events: bool | None = None


class LdFlag(PayloadPart, frozen=True):
    """A flag; the fields after `context_targets` decide nothing."""

    on: bool
    variations: list[Any]
    salt: str
    fallthrough: LdServed | None = None
    off_variation: int | None = None
    rules: list[LdRule] | None = None
    targets: list[LdTarget] | None = None
    context_targets: list[LdTarget] | None = None
    prerequisites: list[Any] | None = None
    deleted: bool = False
    key: str = ""
    version: int = 0
    sel: str | None = None
    client_side: bool | None = None
    client_side_availability: Any = None
    track_events: bool | None = None
    track_events_fallthrough: bool | None = None
    debug_events_until_date: int | None = None
    sampling_ratio: int | None = None
    exclude_from_summaries: bool | None = None
    migration: Any = None


class LdSegmentRule(PayloadPart, frozen=True):
    """A rule of a segment."""

    clauses: list[LdClause] = msgspec.field(default_factory=list)
    id: str | None = None
    weight: int | None = None
    bucket_by: str | None = None
    rollout_context_kind: str | None = None


class LdSegment(PayloadPart, frozen=True):
    """A segment; the salt is for rules with a weight."""

    key: str = ""
    version: int = 0
    included: list[str] | None = None
    excluded: list[str] | None = None
    included_contexts: list[LdTarget] | None = None
    excluded_contexts: list[LdTarget] | None = None
    rules: list[LdSegmentRule] | None = None
    salt: str | None = None
    unbounded: bool | None = None
    unbounded_context_kind: str | None = None
    generation: int | None = None
    deleted: bool = False
