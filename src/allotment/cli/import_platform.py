"""`allotment import PLATFORM FILE`: flags of another platform, with which no unit moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from allotment.change.commands import Command, Noun
from allotment.change.diff import diff
from allotment.change.kinds import KINDS, kind_of, nouns_of
from allotment.cli.apply import Comment, Who, commit_and_print
from allotment.cli.consent import Yes, ask
from allotment.cli.console import notes, print_json, results
from allotment.cli.home import Home
from allotment.cli.options import AsJson, base_of, existing
from allotment.dialects import catalogfile
from allotment.errors import Conflict, InvalidInput
from allotment.importers import IMPORTERS, decoded
from allotment.importers.rules import Imported
from allotment.model.catalog import EMPTY, Catalog
from allotment.sources import checked_change
from allotment.words.commands import planned_lines, planned_plain
from allotment.words.counts import counted

# How many keys that are there already are named.
_SHOWN_MAX: Final = 10

File = Annotated[Path, typer.Argument(metavar="FILE", help="What the platform's own SDK reads.")]
OverwriteNouns = Annotated[
    bool, typer.Option("--replace", help="Change what has the same key already, too.")
]
Output = Annotated[
    Path | None,
    typer.Option("--output", help="A catalog file to write, instead of changing a catalog."),
]


def command_of(platform: str) -> Callable[..., None]:
    """The command for one platform."""

    def run(  # noqa: PLR0913  # each is an option
        file: File,
        *,
        home: Home,
        replace: OverwriteNouns = False,
        output: Output = None,
        yes: Yes = False,
        comment: Comment = "",
        who: Who = None,
        as_json: AsJson = False,
    ) -> None:
        imported = _read(platform, file)
        base = EMPTY if output else base_of(home)
        commands = _commands(imported, base, replace=replace)
        changed = checked_change(commands, base).catalog
        if not as_json:
            for line in [*planned_lines(commands, base), *_report(imported)]:
                results.print(line, markup=False, highlight=False, soft_wrap=True)
        elif output:
            print_json({"commands": planned_plain(commands, base), "notes": _plain(imported)})
        if output:
            _write(output, changed)
            return
        if commands and not yes:
            what = f"this makes {counted(len(commands), 'change')} in {home.name}"
            ask(what, "Make them?", can_ask=not as_json)
        commit_and_print(
            home,
            base,
            commands,
            comment=comment or f"imported from {platform}",
            who=who,
            yes=True,
            refused="imported; import again",
            unchanged="is already as the file says, at",
            as_json=as_json,
            is_shown=not as_json,
            extra={"notes": _plain(imported)},
        )

    run.__doc__ = f"""Import flags of {platform}, and deal every unit what {platform} deals it.

    Shows what each becomes, and asks before anything is changed. What cannot be said exactly is
    left out whole, and a note says where it stands in the file and why.
    """
    return run


def _read(platform: str, file: Path) -> Imported:
    try:
        return IMPORTERS[platform](decoded(platform, existing(file).read_bytes()))
    except msgspec.DecodeError as error:
        raise InvalidInput(f"{file} is not JSON: {error}", "$") from None
    except RecursionError:
        raise InvalidInput(f"{file} is nested too deep", "$") from None


def _commands(imported: Imported, base: Catalog, *, replace: bool) -> tuple[Command, ...]:
    """The commands that add what was imported to `base`; raises Conflict for keys in use."""
    added: dict[str, dict[str, Noun]] = {kind: {} for kind in KINDS}
    for noun in imported.nouns():
        added[kind_of(noun)][noun.key] = noun
    taken = [
        f"{kind} {key}" for kind in KINDS for key in added[kind] if key in nouns_of(base, kind)
    ]
    if taken and not replace:
        shown = [*taken[:_SHOWN_MAX], f"{len(taken) - _SHOWN_MAX:,} more"][: len(taken)]
        raise Conflict(
            f"{', '.join(shown)} is there already, so nothing was imported; say --replace if these "
            "are to become what the file says"
        )
    shelves: dict[str, Any] = {
        f"{kind}s": nouns_of(base, kind).change(added[kind]) for kind in KINDS
    }
    return diff(base, Catalog(base.revision, **shelves, kept=base.kept))


def _report(imported: Imported) -> Iterator[str]:
    """How much was read, and every note with its place."""
    nouns = (
        (imported.flags, "flag"),
        (imported.experiments, "experiment"),
        (imported.segments, "segment"),
        (imported.layers, "layer"),
        (imported.holdouts, "holdout"),
    )
    said = [counted(len(some), word) for some, word in nouns if some]
    yield f"in all: {', '.join(said) or 'nothing'}; {counted(len(imported.notes), 'note')}"
    for note in imported.notes:
        yield f"  {note.path}: {note.message}"


def _plain(imported: Imported) -> list[dict[str, str]]:
    return [note._asdict() for note in imported.notes]


def _write(output: Path, catalog: Catalog) -> None:
    try:
        with output.open("x", encoding="utf-8") as opened:
            opened.write(catalogfile.show(catalog))
    except FileExistsError:
        raise InvalidInput(f"{output} is there already; name another file") from None
    notes.print(f"{output} is written", markup=False, soft_wrap=True)
