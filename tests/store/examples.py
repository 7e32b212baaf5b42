"""What tests of the store share: nouns to keep, a short way to commit, and a look behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import create_engine, text

from allotment.change.commands import Command, SetWeights
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.segment import Clause, Operator, Segment
from allotment.store import Committed, Once, Origin, Store

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOON_MS = 1_795_262_400_000
NORDICS = Segment("nordics", rules=(Clause(("country",), Operator.IN, ("SE", "NO", 1, True)),))


def experiment(key: str = "checkout") -> Experiment:
    return Experiment(
        key,
        (
            Iteration(
                1,
                treatments=(Treatment("control"), Treatment("green")),
                allocations=(Allocation("everyone", (("control", 50), ("green", 50)), 100),),
                control="control",
            ),
        ),
    )


def weights(control: int) -> SetWeights:
    return SetWeights("checkout", "everyone", (("control", control), ("green", 100 - control)), 100)


def commit(store: Store, *commands: Command, when: datetime = NOON) -> int:
    """Commit, and give the revision that the space has then."""
    done = store.commit(commands, who="ann", when=when, dialect="test", comment="because")
    return done.stored.catalog.revision


def kept_in(database: str) -> str:
    """The database that has a store's sticky assignments."""
    return database if "://" in database else f"{database}.kept"


def together(
    store: Store,
    changes: Mapping[str, Sequence[Command]],
    *,
    who: str = "",
    once: Once | None = None,
) -> dict[str, Committed]:
    """Commit to several spaces of a project at once."""
    origin = Origin(who, NOON, "test")
    return store.change(lambda _states: changes, origin, whole_project=True, once=once)


def sql(database: str, statement: str, **values: object) -> list[tuple[object, ...]]:
    """Ask the database behind the store's back."""
    engine = create_engine(database if "://" in database else f"sqlite:///{database}")
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()
