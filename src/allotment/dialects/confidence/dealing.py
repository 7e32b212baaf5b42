"""What segments declare of their units, and how Confidence's own resolvers deal.

Those deal by a segment's id, and on one axis of buckets an account. An instance that follows them
draws its variants by the id of its segment, so it has one. Samples of segments lie on the axis of
the account, all of them, coordinated or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field

from allotment.change.commands import Command, Create
from allotment.dialects.confidence.codes import precondition
from allotment.dialects.confidence.names import new_id
from allotment.dialects.confidence.protobuf import Message
from allotment.dialects.confidence.targeting import EVERYONE
from allotment.dialects.confidence.treatments import PARTS
from allotment.dialects.wire.model import LEFT_OUT, NOT_BLANK
from allotment.dialects.wire.operation import Call
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Iteration
from allotment.model.layer import Layer
from allotment.model.limits import BUCKETS, TAGS_MAX
from allotment.model.number import read_weight
from allotment.model.profile import NATIVE
from allotment.model.segment import Sample, Segment

DECIMALS: Final = 6


def ppm_of(text: str) -> int:
    """The parts per million that a decimal from 0 to 1 is; raises ValueError for another text."""
    ppm = read_weight(text, "") * BUCKETS
    if ppm > BUCKETS or ppm != int(ppm):
        raise ValueError(f'a decimal from "0" to "1" of at most {DECIMALS} decimals belongs here')
    return int(ppm)


def _proportion(text: str) -> str:
    ppm_of(text)
    return text


# Allocations.


class ConfidenceDecimal(Message):
    """A decimal, as text."""

    whole: ClassVar = True

    value: Annotated[
        str,
        Field(min_length=1, max_length=32, examples=["0.5"]),
        NOT_BLANK,
        AfterValidator(_proportion),
    ]


Tags = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=250), NOT_BLANK]],
    Field(max_length=TAGS_MAX),
]


class ConfidenceAllocation(Message):
    """A share of the units, the tags of the segment, and those it shares no unit with."""

    proportion: ConfidenceDecimal | None = LEFT_OUT
    exclusivityTags: Tags | None = LEFT_OUT
    exclusiveTo: Tags | None = LEFT_OUT


def show_allocation(declared: Sample) -> ConfidenceAllocation:
    """What a segment declares, as an allocation."""
    whole, rest = divmod(declared.share_ppm, BUCKETS)
    text = f"{whole}.{rest:0{DECIMALS}d}".rstrip("0").rstrip(".")
    return ConfidenceAllocation(
        proportion=ConfidenceDecimal(value=text),
        exclusivityTags=[*declared.tags],
        exclusiveTo=[*declared.exclusive_to],
    )


def is_coordinated(declared: Sample) -> bool:
    """Whether it says anything of other segments."""
    return bool(declared.tags or declared.exclusive_to)


def read_allocation(allocation: ConfidenceAllocation | None) -> Sample:
    """What an allocation declares; of what it leaves out, everything or nothing."""
    said = allocation or ConfidenceAllocation()
    share = BUCKETS if said.proportion is None else ppm_of(said.proportion.value)
    tags, exclusive_to = (
        sorted({*(each or ())}) for each in (said.exclusivityTags, said.exclusiveTo)
    )
    return Sample(share, None, tuple(tags), tuple(exclusive_to))


POPULATION: Final = "confidence-population-1"
VARIANT: Final = "confidence-variant-1"

# The layer that segments have their buckets of.
LAYER: Final = "confidence"

_SALT_BYTES: Final = 12


def dealt(
    call: Call[Any], iteration: Iteration, name: str, catalog: Catalog
) -> tuple[list[Command], Iteration]:
    """A new iteration with what it draws by, and before it the commands that need be done.

    Where the vendor deals alike and the iteration is for everyone, that is a segment of its own.
    """
    if call.account is None:
        return [], replace(iteration, salt=call.fresh(_SALT_BYTES), profile=NATIVE)
    commands: list[Command] = []
    segment = iteration.audience
    if segment is None:
        segment = new_id(None, "segment", catalog.segments, call)
        commands.append(Create(Segment(segment, name, rules=EVERYONE)))
    allocations = tuple(_in_parts(one) for one in iteration.allocations)
    iteration = replace(iteration, audience=segment, allocations=allocations)
    return commands, replace(iteration, salt=segment, profile=VARIANT)


def shares_salt(iteration: Iteration) -> bool:
    """Whether another instance may deal alike: the one that has the same segment does."""
    return iteration.profile == VARIANT


def _in_parts(allocation: Allocation) -> Allocation:
    """The allocation with the total that is the vendor's number of buckets, where it divides it."""
    times, rest = divmod(PARTS, allocation.total)
    if rest:
        return allocation
    weights = tuple((treatment, parts * times) for treatment, parts in allocation.weights)
    return replace(allocation, weights=weights, total=PARTS)


def layer_for(account: str | None, catalog: Catalog) -> tuple[str | None, list[Command]]:
    """The layer of new samples that say nothing of others, and the command that makes it.

    It is none where we deal natively: then each of them has a draw of its own.
    """
    return (None, []) if account is None else (LAYER, axis(account, catalog))


def lasting_layer(sample: Sample, catalog: Catalog) -> str | None:
    """The layer of a sample that says nothing of others any more: the axis of an account lasts."""
    layer = sample.layer
    return layer if layer and catalog.layers[layer].profile == POPULATION else None


def axis(account: str | None, catalog: Catalog) -> list[Command]:
    """The command that makes the layer, if it is not there yet.

    Raises Refusal where it is there and does not draw as the account does.
    """
    there = catalog.layers.get(LAYER)
    salt = "" if account is None else f"MegaSalt-{account}"
    if there is None:
        profile = NATIVE if account is None else POPULATION
        return [Create(Layer(LAYER, salt, profile=profile))]
    if account is not None and (there.profile, there.salt) != (POPULATION, salt):
        raise precondition(
            f"the layer {LAYER!r} was made before and does not draw as account {account!r} does; "
            "delete it with its segments, or use another space"
        )
    return []
