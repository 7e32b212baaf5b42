"""The patterns and versions in a segment's rules, checked before anything of a change is kept.

`change` cannot: it knows no matching. Every write of a server passes here.
"""

from __future__ import annotations

from collections.abc import Sequence

from allotment.change.commands import Command, Create, Replace, SetRules
from allotment.errors import InvalidInput
from allotment.matching.check import check_segment
from allotment.model.segment import Segment


def check_commands(commands: Sequence[Command]) -> None:
    """Raises InvalidInput, with the position of the command, for a rule that cannot be matched."""
    for position, command in enumerate(commands):
        try:
            match command:
                case Create(Segment() as segment) | Replace(Segment() as segment):
                    check_segment(segment)
                case SetRules(key, rules):
                    check_segment(Segment(key, rules=rules))
        except InvalidInput as error:
            error.command = position
            raise
