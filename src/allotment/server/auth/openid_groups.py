"""What the groups of an OpenID Connect provider may do in the console, as a setting says it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from allotment.server.auth.access import EVERYWHERE
from allotment.store import Scope

EVERYONE: Final = "*"

_PART: Final = r"(?:\*|[A-Za-z0-9][A-Za-z0-9._-]*)"
_RULE: Final = re.compile(rf"([^=,]+)=(read|write|admin)(?::({_PART}/{_PART}))?")


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Who is in the group gets tokens of the scope, for the spaces that a pattern names."""

    group: str
    scope: Scope
    spaces: str


def read_groups(text: str) -> tuple[GroupRule, ...]:
    """The rules in their order; raises ValueError for what is none."""
    rules = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        match = _RULE.fullmatch(part)
        if match is None:
            raise ValueError("lists GROUP=SCOPE or GROUP=SCOPE:PROJECT/ENVIRONMENT with commas")
        rules.append(GroupRule(match[1].strip(), Scope(match[2]), match[3] or EVERYWHERE))
    return tuple(rules)


def rule_for(rules: Collection[GroupRule], groups: Collection[str]) -> GroupRule | None:
    """The first rule that is about one of someone's groups, or about everyone."""
    return next((each for each in rules if each.group in (EVERYONE, *groups)), None)
