"""Treatments: one allocation for everyone, in which each has its percentage.

What the percentages leave of 100 is a gap, whose units are not in the experiment. Growing from it
moves no other unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.fields import ITEMS_MAX, Id, LDBody, Name
from allotment.dialects.launchdarkly.ids import ID_MAX, id_of, id_of_treatment, read_variation
from allotment.dialects.wire.model import NOT_BLANK, Model
from allotment.dialects.wire.source import alike
from allotment.dialects.wire.spelling import slug
from allotment.model.catalog import Catalog
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.limits import KEY_BYTES_MAX, TREATMENTS_MAX
from allotment.model.number import DECIMAL, read_weight, to_parts

_HUNDRED: Final = Decimal(100)
_EVERYONE: Final = "everyone"

# A percentage that no decimal spells is shown with so many.
_DECIMALS: Final = 4
_DECIMALS_MAX: Final = 12


def _percentage(text: str) -> str:
    read_weight(text, "")
    return text


# The id of a variation or a rule; which there are is for the catalog to say.
GivenId = Annotated[str, Field(min_length=1, max_length=ID_MAX), NOT_BLANK]
GivenKey = Annotated[str, Field(min_length=1, max_length=KEY_BYTES_MAX), NOT_BLANK]
Percentage = Annotated[
    str,
    Field(
        min_length=1,
        max_length=37,
        json_schema_extra={"pattern": f"^{DECIMAL}$"},
        description="A percentage as text; together at most 100.",
    ),
    AfterValidator(_percentage),
]


class LDParameterInput(LDBody):
    """What a treatment gives of a flag."""

    flagKey: GivenKey
    variationId: GivenId


class LDTreatmentInput(LDBody):
    """A treatment of an iteration."""

    name: Name
    baseline: bool
    allocationPercent: Percentage
    parameters: Annotated[list[LDParameterInput], Field(max_length=ITEMS_MAX)]


Treatments = Annotated[list[LDTreatmentInput], Field(max_length=TREATMENTS_MAX)]


class LDParameter(Model):
    """What a treatment gives of a flag."""

    flagKey: str
    variationId: Id


class LDTreatment(Model):
    """A treatment of an iteration."""

    id: Id = Field(alias="_id")
    name: str
    baseline: bool
    allocationPercent: str
    parameters: list[LDParameter]


def read_treatments(
    items: Sequence[LDTreatmentInput], path: str, catalog: Catalog, old: Iteration | None
) -> Iteration:
    """An iteration of which the treatments and their parts are said; one at most is the baseline.

    One that has the name of a treatment of the `old` iteration has its key, and the allocation the
    key of the one that served everyone, so that existing units do not move.
    """
    treatments = _read(items, path, catalog, old)
    baselines = [index for index, item in enumerate(items) if item.baseline]
    if len(baselines) > 1:
        raise invalid("one treatment is the baseline, not several", f"{path}[{baselines[1]}]")
    weights = [read_weight(item.allocationPercent, path) for item in items]
    if sum(weights) > _HUNDRED:
        raise invalid("the treatments have more than 100 percent together", path)
    parts, total = to_parts(weights, _HUNDRED)
    shares = tuple((one.key, part) for one, part in zip(treatments, parts, strict=True))
    everyone = (one.key for one in (old.allocations if old else ()) if one.segment is None)
    allocation = Allocation(next(everyone, _EVERYONE), shares, total)
    control = treatments[baselines[0]].key if baselines else None
    return Iteration(0, treatments, (allocation,) if treatments else (), control=control)


def _read(
    items: Sequence[LDTreatmentInput], path: str, catalog: Catalog, old: Iteration | None
) -> tuple[Treatment, ...]:
    known = {one.name or one.key: one.key for one in (old.treatments if old else ())}
    used: dict[str, str] = {}
    treatments: list[Treatment] = []
    for index, item in enumerate(items):
        name, where = item.name, f"{path}[{index}]"
        if name in used:
            raise invalid("another treatment has this name", f"{where}.name")
        taken = {*known.values(), *used.values()}
        key = used[name] = known.get(name) or slug(name, taken.__contains__, "treatment")
        # What came without a name keeps showing its key.
        label = "" if name == key else name
        sets = _read_sets(item.parameters, f"{where}.parameters", catalog)
        treatments.append(Treatment(key, label, sets))
    return tuple(treatments)


def _read_sets(
    items: Sequence[LDParameterInput], path: str, catalog: Catalog
) -> tuple[tuple[str, str], ...]:
    sets: dict[str, str] = {}
    for index, item in enumerate(items):
        where = f"{path}[{index}]"
        flag = catalog.flags.get(item.flagKey)
        if flag is None:
            raise invalid("there is no such flag", f"{where}.flagKey")
        if flag.key in sets:
            raise invalid("the treatment has a parameter for this flag already", where)
        sets[flag.key] = read_variation(flag, item.variationId, f"{where}.variationId").key
    return tuple(sorted(sets.items()))


def show_treatments(experiment: Experiment, iteration: Iteration) -> list[LDTreatment]:
    """The treatments of an iteration, with what each gives of its flags."""
    ids = (id_of_treatment(experiment.key, iteration, one.key) for one in iteration.treatments)
    return [
        LDTreatment.model_validate({"_id": identity, **each})
        for identity, each in zip(ids, said_treatments(iteration), strict=True)
    ]


def said_treatments(iteration: Iteration) -> list[Any]:
    """The treatments of an iteration as a request would say them."""
    return [
        {
            "name": treatment.name or treatment.key,
            "baseline": treatment.key == iteration.control,
            "allocationPercent": show_percent(*_share_of(iteration, treatment.key)),
            "parameters": [
                {"flagKey": flag, "variationId": id_of("variation", flag, variation)}
                for flag, variation in treatment.sets
            ],
        }
        for treatment in iteration.treatments
    ]


def is_as_shown(items: Sequence[LDTreatmentInput], iteration: Iteration) -> bool:
    """Whether a request gives the treatments just as the iteration shows them."""
    return alike([item.plain() for item in items], said_treatments(iteration))


def _share_of(iteration: Iteration, treatment: str) -> tuple[int, int]:
    """What part the treatment has of whom no segment's allocation serves, or else of the first."""
    for allocation in sorted(iteration.allocations, key=lambda one: one.segment is not None):
        return dict(allocation.weights).get(treatment, 0), allocation.total
    return 0, 1


def show_percent(part: int, total: int) -> str:
    """The percentage as text: as exact as decimals are.

    >>> show_percent(335, 1000), show_percent(1, 3), show_percent(1, 2)
    ('33.5', '33.3333', '50')
    """
    digits = range(_DECIMALS_MAX + 1)
    exact = (places for places in digits if part * 100 * 10**places % total == 0)
    places = next(exact, _DECIMALS)
    whole, rest = divmod(part * 100 * 10**places // total, 10**places)
    return f"{whole}.{rest:0{places}}" if places else str(whole)
