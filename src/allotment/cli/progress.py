"""A bar while a file is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from allotment.cli.console import notes

if TYPE_CHECKING:
    from allotment.frames.rows import RowSource


@contextmanager
def progress(doing: str, source: RowSource, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, nothing anywhere else."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
    )
    bar = Progress(
        *columns,
        TimeRemainingColumn(),
        console=notes,
        disable=quiet or not notes.is_terminal,
        transient=True,
    )
    with bar:
        task = bar.add_task(f"{doing} {source.total:,} {source.measure}", total=source.total)
        yield lambda: bar.update(task, completed=source.done())
