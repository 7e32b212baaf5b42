"""What a change did, for apply and rollback."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.change.commands import Command
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home, Outcome
from allotment.cli.lines import moved_line
from allotment.cli.planned import planned_lines, planned_plain
from allotment.model.catalog import Catalog
from allotment.model.plain import to_plain


def print_done(  # noqa: PLR0913  # each stands for itself
    home: Home,
    base: Catalog,
    commands: Sequence[Command],
    outcome: Outcome,
    *,
    unchanged: str,
    as_json: bool,
) -> None:
    """Print what the commands, made for `base`, did; `unchanged` says that they did nothing."""
    if as_json:
        told, moves = planned_plain(commands, base), to_plain(outcome.moves)
        print_json({"revision": outcome.revision, "commands": told, "moves": moves})
        return
    for line in [*planned_lines(commands, base), *map(moved_line, outcome.moves)]:
        results.print(line, markup=False, highlight=False, soft_wrap=True)
    done = unchanged if outcome.revision == base.revision else "is now at"
    notes.print(f"{home.name} {done} revision {outcome.revision}", markup=False, soft_wrap=True)
