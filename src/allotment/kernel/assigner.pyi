from collections.abc import Callable, Mapping
from types import GenericAlias
from typing import Generic, Protocol, TypedDict, TypeVar, type_check_only

from typing_extensions import disjoint_base

from allotment.kernel.answers import Answers
from allotment.kernel.plan import Plan

_A = TypeVar("_A")

@type_check_only
class _Shards(Protocol):
    @property
    def shards(self) -> tuple[dict[str, Plan], ...]: ...

@type_check_only
class Trace(TypedDict):
    """What every check said.

    outcome  (reason code, treatment index or -1)
    stages   (name, whether the plan has this check, draw, bucket, how many buckets there are,
             detail in words, decided)
    members  whether each of the plan's segments matches
    pick     the allocation whose slots were read, by position; past the last one, the fallback
    """

    outcome: tuple[int, int]
    stages: list[tuple[str, bool, int | None, int | None, int | None, str, bool]]
    members: list[bool]
    pick: int | None

@disjoint_base
class Assigner(Generic[_A]):
    """The one slot that holds the current plans; _A is the type of their answers.

    A call sees the plans that were published when it began, whole. Nothing raises for the sake of
    data: the answer says why. Only `attributes` that are no mapping raise InvalidInput.
    """

    def __init__(self, unknown: Callable[[str], _A]) -> None:
        """`unknown` gives the answer for an experiment that does not exist."""
    @classmethod
    def __class_getitem__(cls, answer: object) -> GenericAlias: ...
    def publish_plans(self, plans: _Shards) -> None:
        """Puts `plans` into the slot: 256 dicts, a key's shard is hash(key) & 255."""
    def assign(
        self,
        experiment: str,
        unit: str | int | Mapping[str, str | int],
        attributes: Mapping[str, object] | None = None,
        stored: str | None = None,
    ) -> _A:
        """The answer for one unit in one experiment.

        `stored` is the treatment kept for the unit; one that the plan does not have is ignored.
        """
    def assign_all(
        self,
        unit: str | int | Mapping[str, str | int],
        attributes: Mapping[str, object] | None = None,
    ) -> Answers[_A]:
        """The answers for one unit in all experiments: a read-only mapping from their keys.

        It is sorted by key. All of it is decided before this returns.
        """
    def trace(
        self,
        experiment: str,
        unit: str | int | Mapping[str, str | int],
        attributes: Mapping[str, object] | None = None,
        stored: str | None = None,
    ) -> Trace | None:
        """What `assign` decides, check by check; None for an unknown experiment."""
