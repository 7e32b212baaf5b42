"""What the Auth0 API should do, on plain dicts: written from its pages, not from our code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# From a status, where the API's pages let an experiment or a flag go. The same again is no change.
MOVES = {
    "draft": {"active"},
    "active": {"paused", "completed"},
    "paused": {"active", "completed"},
    "completed": {"archived"},
    "archived": set(),
}
FLAG_MOVES = {"draft": {"active", "archived"}, "active": {"archived"}, "archived": set()}


@dataclass
class Tenancy:
    """Everything there should be: flags, variations by flag, segments, experiments, each by id."""

    flags: dict[str, dict[str, Any]] = field(default_factory=dict)
    variations: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    segments: dict[str, dict[str, Any]] = field(default_factory=dict)
    experiments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def names(self, kind: str) -> set[str]:
        return {each["name"] for each in getattr(self, kind).values()}

    def users_of(self, what: str) -> list[dict[str, Any]]:
        """The experiments that are not archived and name this flag, variation or segment."""
        return [
            each
            for each in self.experiments.values()
            if each["status"] != "archived"
            and (
                each["flag"] == what
                or any(
                    what in (item["variation_id"], item.get("segment_id")) for item in each["items"]
                )
            )
        ]

    def may_run(self, experiment: str) -> bool:
        """Whether it is complete, and no other one is active."""
        it = self.experiments[experiment]
        others = [e for e in self.experiments.values() if e is not it and e["status"] == "active"]
        items = it["items"]
        by_segment = any("segment_id" in item for item in items)
        fallbacks = sum(item.get("is_fallback", False) for item in items)
        whole = fallbacks == 1 if by_segment else sum(item["weight"] for item in items) == 100
        return (
            not others
            and whole
            and sum(item["is_control"] for item in items) == 1
            and self.flags[it["flag"]]["status"] == "active"
        )

    def move(self, experiment: str, status: str) -> bool:
        """Move it, if it may; whether it did, or was there already."""
        it = self.experiments[experiment]
        if it["status"] == status:
            return True
        if status not in MOVES[it["status"]]:
            return False
        if status == "active" and not self.may_run(experiment):
            return False
        it["status"] = status
        return True

    def move_flag(self, flag: str, status: str) -> bool:
        it = self.flags[flag]
        if it["status"] == status:
            return True
        if status not in FLAG_MOVES[it["status"]]:
            return False
        if status == "active" and len(self.variations[flag]) < 2:
            return False
        used = (each["status"] for each in self.users_of(flag) if each["flag"] == flag)
        if status == "archived" and {"active", "paused"} & {*used}:
            return False
        it["status"] = status
        return True
