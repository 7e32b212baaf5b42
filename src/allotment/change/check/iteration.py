"""What an iteration must satisfy in itself, its weights included."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, TypeAlias

from allotment.change.check.draw import bound_of, check_draw
from allotment.change.check.label import check_share
from allotment.change.fields import differing
from allotment.change.reallocate import counts, exact_counts
from allotment.errors import InvalidChange, InvalidInput, NotFound, did_you_mean
from allotment.model.experiment import Allocation, Iteration, State
from allotment.model.limits import (
    ALLOCATIONS_MAX,
    INSTANT_END,
    RANGES_MAX,
    TREATMENTS_MAX,
    WHOLE_MAX,
)
from allotment.model.profile import Draw, Profile
from allotment.model.slots import is_orderly
from allotment.model.stage import profile_of
from allotment.model.text import check_description, check_key, check_name

# New iterations of one change that are sound, by the identity of their allocations: what reads only
# what another one shares with them holds of that one too.
Sound: TypeAlias = dict[int, Iteration]


def check_iteration(iteration: Iteration, old: Iteration | None, path: str, sound: Sound) -> None:
    """Check treatments, allocations, slots and the rest of one iteration that was `old` before.

    A check is made where it reads what changed, or of a new one what no sound one has.
    """
    dealt = id(iteration.allocations)
    changed = differing(sound.get(dealt) if old is None else old, iteration)
    for reads, check in CHECKS:
        if not reads.isdisjoint(changed):
            check(iteration, old, path)
    if old is None:
        sound[dealt] = iteration


def _check_place(iteration: Iteration, _old: Iteration | None, path: str) -> None:
    if type(iteration.number) is not int or not 1 <= iteration.number <= WHOLE_MAX:
        raise InvalidInput(f"iterations are numbered from 1, to at most {WHOLE_MAX:,}", path)
    if not isinstance(iteration.state, State):
        raise InvalidInput("an iteration is draft, running, paused or stopped", f"{path}.state")


def _check_draws(iteration: Iteration, _old: Iteration | None, path: str) -> None:
    check_draw(Draw(iteration.profile, iteration.salt), path)
    check_share(iteration.enrolment_ppm, f"{path}.enrolment")
    draw = iteration.enrolment_draw
    if draw is not None:
        check_draw(draw, f"{path}.enrolment_draw")
        bound_of(draw.profile, iteration.enrolment_ppm, f"{path}.enrolment")


def _check_account(iteration: Iteration, _old: Iteration | None, path: str) -> None:
    if type(iteration.reshuffle) is not bool:
        raise InvalidInput("reshuffle is true or false", f"{path}.reshuffle")
    check_description(iteration.justification, f"{path}.justification")
    check_description(iteration.winning_reason, f"{path}.winning_reason")


def _check_named(iteration: Iteration, _old: Iteration | None, path: str) -> None:
    keys = {treatment.key for treatment in iteration.treatments}
    for word, key in (("control", iteration.control), ("winner", iteration.winner)):
        if key is not None and key not in keys:
            near = did_you_mean(key, keys)
            raise NotFound(f"the {word} {key!r} is not a treatment{near}", f"{path}.{word}")


def _check_buckets(iteration: Iteration, old: Iteration | None, path: str) -> None:
    profile = profile_of(iteration)
    if profile.buckets is None:
        _check_totals(iteration, old, f"{path}.allocations")
    known = old.allocations if old and _deals_alike(old, iteration) else ()
    for index, allocation in enumerate(iteration.allocations):
        if any(allocation is one for one in known):
            continue
        here = f"{path}.allocations[{index}]"
        if not is_over(allocation):
            check_owns_buckets(allocation, profile, f"{here}.weights")
        if allocation.slots or iteration.state is not State.DRAFT:
            _check_slots(allocation, profile, f"{here}.slots")


def _deals_alike(one: Iteration, other: Iteration) -> bool:
    """Whether what the one may have of slots, the other may have."""
    drafts = [iteration.state is State.DRAFT for iteration in (one, other)]
    return one.profile == other.profile and drafts[0] == drafts[1]


def _check_totals(iteration: Iteration, old: Iteration | None, path: str) -> None:
    """Where the total of the weights is how many buckets there are, it is one, and stays it."""
    totals = {allocation.total for allocation in iteration.allocations}
    if len(totals) > 1:
        raise InvalidChange(
            f"with {iteration.profile} all allocations have weights of one total, which is how "
            "many buckets there are",
            path,
        )
    if old is not None and old.state is not State.DRAFT and iteration.state is not State.DRAFT:
        was = {allocation.total for allocation in old.allocations}
        if totals != was:
            raise InvalidChange(
                f"with {iteration.profile} the total of the weights is how many buckets there are;"
                f" it stays {max(was):,}",
                path,
            )


def _check_times(iteration: Iteration, _old: Iteration | None, path: str) -> None:
    for word, at in (("started_at", iteration.started_at), ("ended_at", iteration.ended_at)):
        if at is not None and (type(at) is not int or not 0 <= at < INSTANT_END):
            raise InvalidInput(
                "a time is whole milliseconds since 1970, before the year 10000", f"{path}.{word}"
            )
    if iteration.state is State.DRAFT and iteration.started_at is not None:
        raise InvalidChange("a draft has not started yet", f"{path}.started_at")
    if iteration.state is not State.STOPPED and iteration.ended_at is not None:
        message = f"an iteration that is {iteration.state} has not ended"
        raise InvalidChange(message, f"{path}.ended_at")


def _check_count(iteration: Iteration, word: str, count: int, most: int, path: str) -> None:
    """A draft may have none yet."""
    if count > most or (count == 0 and iteration.state is not State.DRAFT):
        raise InvalidChange(
            f"an iteration has 1 to {most} {word}, not {count:,}",
            path,
            code="" if count else f"no_{word.removesuffix('s')}",
        )


def _check_treatments(iteration: Iteration, _old: Iteration | None, path: str) -> None:
    treatments, path = iteration.treatments, f"{path}.treatments"
    _check_count(iteration, "treatments", len(treatments), TREATMENTS_MAX, path)
    keys: set[str] = set()
    for treatment in treatments:
        here = f"{path}.{treatment.key}"
        check_key(treatment.key, here)
        check_name(treatment.name, f"{here}.name")
        if treatment.key in keys:
            raise InvalidChange(f"two treatments are called {treatment.key!r}; rename one", here)
        keys.add(treatment.key)
        flags = [flag for flag, _ in treatment.sets]
        if len(set(flags)) < len(flags):
            raise InvalidChange("a treatment sets each flag once", f"{here}.sets")


def _check_allocations(iteration: Iteration, _old: Iteration | None, path: str) -> None:
    allocations, path = iteration.allocations, f"{path}.allocations"
    _check_count(iteration, "allocations", len(allocations), ALLOCATIONS_MAX, path)
    keys: set[str] = set()
    priorities: dict[int, str] = {}
    order = {treatment.key: index for index, treatment in enumerate(iteration.treatments)}
    for index, allocation in enumerate(allocations):
        here = f"{path}[{index}]"
        check_key(allocation.key, f"{here}.key")
        if allocation.key in keys:
            raise InvalidChange(f"two allocations are called {allocation.key!r}", f"{here}.key")
        keys.add(allocation.key)
        _check_rank(allocation, here)
        if allocation.priority in priorities:
            raise InvalidChange(
                "there is at most one fallback"
                if allocation.fallback
                else f"allocation {priorities[allocation.priority]!r} has priority "
                f"{allocation.priority} too; each has its own",
                f"{here}.{'fallback' if allocation.fallback else 'priority'}",
            )
        priorities[allocation.priority] = allocation.key
        draft = iteration.state is State.DRAFT
        check_weights(allocation, order, f"{here}.weights", draft=draft)
        named = [order[treatment] for treatment, _ in allocation.weights]
        if named != sorted(named):
            raise InvalidChange("weights stand in the order of the treatments", f"{here}.weights")


def _check_rank(allocation: Allocation, path: str) -> None:
    if type(allocation.fallback) is not bool:
        raise InvalidInput("fallback is true or false", f"{path}.fallback")
    if type(allocation.priority) is not int:
        raise InvalidInput("a priority is a whole number", f"{path}.priority")
    if not allocation.fallback:
        if not 1 <= allocation.priority <= WHOLE_MAX:
            message = f"a priority is 1 to {WHOLE_MAX:,}"
            raise InvalidChange(message, f"{path}.priority")
    elif allocation.priority != 0:
        raise InvalidChange("the fallback has priority 0", f"{path}.priority")
    elif allocation.segment is not None:
        raise InvalidChange("the fallback serves everyone; it has no segment", f"{path}.segment")


def _check_slots(allocation: Allocation, profile: Profile, path: str) -> None:
    slots = allocation.slots
    buckets = profile.count(allocation.total)
    owned: dict[str, int] = {}
    for start, stop, owner in slots:
        if type(start) is not int or type(stop) is not int:
            raise InvalidInput("the edges of a slot are whole numbers", path)
        owned[owner] = owned.get(owner, 0) + stop - start
    if not is_orderly(slots, buckets):
        raise InvalidInput(
            f"slots are not empty, ascend without overlap and lie within 0 and {buckets:,}", path
        )
    if len(slots) > RANGES_MAX:
        raise InvalidChange(f"an allocation has at most {RANGES_MAX:,} slots", path)
    if is_over(allocation):
        raise InvalidChange("no slots are laid for weights above their total", path)
    if owned == exact_counts(allocation.weights, allocation.total, buckets):
        return
    for treatment, count in counts(allocation.weights, allocation.total, profile).items():
        if treatment and owned.pop(treatment, 0) != count:
            raise InvalidChange(
                f"by the weights {treatment!r} owns {count:,} buckets; the slots give it another "
                "number",
                path,
            )
    if owned:
        raise InvalidChange(f"the slots name {min(owned)!r}, which has no weight", path)


def is_over(allocation: Allocation) -> bool:
    """Whether the weights sum to more than their total, so that no slots can be laid."""
    left = allocation.total
    for _, part in allocation.weights:
        left -= part
    return left < 0


def check_weights(
    allocation: Allocation, treatments: Collection[str], path: str, *, draft: bool
) -> None:
    """Raise InvalidChange unless the weights are whole parts of the total, one a treatment.

    A draft may have them above the total for a while.
    """
    total = allocation.total
    if type(total) is not int or not 1 <= total <= WHOLE_MAX:
        raise InvalidChange(f"the total is a whole number, 1 to {WHOLE_MAX:,}", path)
    seen: set[str] = set()
    parts = 0
    for treatment, part in allocation.weights:
        if treatment not in treatments:
            near = did_you_mean(treatment, treatments)
            raise NotFound(f"there is no treatment {treatment!r} to give a weight{near}", path)
        if treatment in seen:
            raise InvalidChange(f"treatment {treatment!r} has two weights; keep one", path)
        if type(part) is not int or part < 0:
            raise InvalidChange(
                f"the weight of {treatment!r} is not a whole number, 0 or more", path
            )
        seen.add(treatment)
        parts += part
    if parts > WHOLE_MAX:
        raise InvalidChange(f"the weights sum to at most {WHOLE_MAX:,}, not to {parts:,}", path)
    if parts > total and not draft:
        raise InvalidChange(
            f"the weights sum to {parts:,}, which is {parts - total:,} above their total of "
            f"{total:,}; lower one, or raise the total",
            path,
            code="weights",
        )


def check_owns_buckets(allocation: Allocation, profile: Profile, path: str) -> None:
    """Raise InvalidChange where a treatment has a weight and yet no bucket."""
    total = allocation.total
    buckets = profile.count(total)
    if profile.divisor is None and total <= buckets:
        return  # each part is a bucket or more
    owned = counts(allocation.weights, total, profile)
    for treatment, part in allocation.weights:
        if part and not owned[treatment]:
            raise InvalidChange(
                f"the weight of {treatment!r}, {part:,} of {total:,}, is less than one bucket of "
                f"{buckets:,}, so that no unit would get it; make it 0, or "
                f"{-(-total // buckets):,} or more",
                path,
                code="weights",
            )


_Check: TypeAlias = Callable[[Iteration, Iteration | None, str], None]

# Each check of an iteration, after the fields that it reads.
CHECKS: Final[tuple[tuple[frozenset[str], _Check], ...]] = (
    (frozenset({"number", "state"}), _check_place),
    (frozenset({"profile", "salt", "enrolment_ppm", "enrolment_draw"}), _check_draws),
    (frozenset({"reshuffle", "justification", "winning_reason"}), _check_account),
    (frozenset({"started_at", "ended_at", "state"}), _check_times),
    (frozenset({"treatments", "state"}), _check_treatments),
    (frozenset({"treatments", "control", "winner"}), _check_named),
    (frozenset({"allocations", "treatments", "state"}), _check_allocations),
    (frozenset({"allocations", "state", "profile"}), _check_buckets),
)
