"""A flag's value: assign, folded over its experiments. There is no other rule."""

from __future__ import annotations

import json
from collections.abc import Mapping

from allotment.model.assignment import Reason, Resolution
from allotment.model.catalog import Catalog
from allotment.model.flag import Miss
from allotment.reference.assign import assign, is_live


def resolve(
    catalog: Catalog,
    flag: str,
    unit: object,
    attributes: Mapping[str, object] | None = None,
    stored: Mapping[str, str] | None = None,
) -> Resolution:
    """The first treatment that one of the flag's experiments gives, or else the default.

    `stored` has the treatments that were kept for the unit, by experiment.
    Where an experiment gives none, `miss` says whether the next is asked, or the default served or
    what `otherwise` names; an experiment of which it names that is only asked while it is live.
    """
    noun = catalog.flags.get(flag)
    if noun is None:
        return Resolution(flag, None, None, None, None)
    values = {variation.key: json.loads(variation.value) for variation in noun.variations}
    reason = None
    for place in noun.experiments:
        kept = stored.get(place.experiment) if stored else None
        given = assign(catalog, place.experiment, unit, attributes, kept)
        reason = given.reason
        if flag in given.variations:
            variation = given.variations[flag]
            return Resolution(flag, values[variation], variation, place.experiment, reason)
        passed = reason in (Reason.UNKNOWN_EXPERIMENT, Reason.INACTIVE) or (
            reason is Reason.NO_UNIT and not is_live(catalog.experiments[place.experiment], catalog)
        )
        if place.otherwise is not None and passed:
            continue
        if place.miss is Miss.STOP:
            variation = noun.default if place.otherwise is None else place.otherwise
            return Resolution(flag, values[variation], variation, None, reason)
    return Resolution(flag, values[noun.default], noun.default, None, reason)
