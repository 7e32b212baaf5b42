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
    """A bar on a terminal, nothing anywhere else; of what has no known end, how much was read."""
    total = source.total
    far = f"{{task.completed:,}} {source.measure}" if total is None else "{task.percentage:>3.0f} %"
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn(far))
    bar = Progress(
        *columns,
        TimeRemainingColumn(),
        console=notes,
        disable=quiet or not notes.is_terminal,
        transient=True,
    )
    with bar:
        what = doing if total is None else f"{doing} {total:,} {source.measure}"
        task = bar.add_task(what, total=total)
        yield lambda: bar.update(task, completed=source.done())
