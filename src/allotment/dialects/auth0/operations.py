"""The 24 operations of Auth0's experimentation API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from allotment.dialects.auth0.errors import missing
from allotment.dialects.auth0.experiments import (
    advance_ramp,
    create_experiment,
    delete_experiment,
    move_experiment,
    update_experiment,
)
from allotment.dialects.auth0.flags import (
    create_flag,
    create_variation,
    delete_flag,
    delete_variation,
    move_flag,
    update_flag,
    update_variation,
)
from allotment.dialects.auth0.ids import find_experiment, find_flag, find_segment, find_variation
from allotment.dialects.auth0.lists import list_experiments, list_flags, list_segments
from allotment.dialects.auth0.segments import create_segment, delete_segment, update_segment
from allotment.dialects.auth0.views import (
    get_experiment,
    get_flag,
    get_ramp,
    get_segment,
    get_variation,
    list_variations,
    validate_experiment,
)
from allotment.dialects.wire.operation import (
    Changing,
    Find,
    Getting,
    Ids,
    Listing,
    Noun,
    Operation,
    added,
    created,
)
from allotment.model.catalog import Catalog


def _finds(kind: str, find: Callable[[Catalog, str], Any], *, must_be: bool = True) -> Find:
    """Finds the noun of an id; one that may be gone is the noun of no key."""

    def found(ids: Ids, catalog: Catalog) -> Noun:
        noun = find(catalog, ids["id"])
        if noun is None and must_be:
            missing(kind)
        return Noun(kind, noun.key if noun else "")

    return found


_experiment: Final = _finds("experiment", find_experiment)
_flag: Final = _finds("flag", find_flag)
_segment: Final = _finds("segment", find_segment)

# What is not there is no error to a DELETE.
_gone_experiment: Final = _finds("experiment", find_experiment, must_be=False)
_gone_flag: Final = _finds("flag", find_flag, must_be=False)
_gone_segment: Final = _finds("segment", find_segment, must_be=False)


def _variation(ids: Ids, catalog: Catalog) -> Noun:
    flag = find_flag(catalog, ids["id"]) or missing("flag")
    variation = find_variation(flag, ids["variation_id"]) or missing("variation")
    return Noun("flag", flag.key, variation.key)


EXPERIMENT: Final = "/experiments/{id}"
FLAG: Final = "/feature-flags/{id}"
VARIATIONS: Final = f"{FLAG}/variations"
VARIATION: Final = f"{VARIATIONS}/{{variation_id}}"
SEGMENT: Final = "/segments/{id}"

OPERATIONS: Final[tuple[Operation, ...]] = (
    Listing("GET", "/experiments", list_experiments),
    Changing("POST", "/experiments", create_experiment, None, get_experiment, created),
    Getting("GET", EXPERIMENT, get_experiment, _experiment),
    Changing("PATCH", EXPERIMENT, update_experiment, _experiment, get_experiment),
    Changing("DELETE", EXPERIMENT, delete_experiment, _gone_experiment, None),
    Changing("POST", f"{EXPERIMENT}/status", move_experiment, _experiment, get_experiment),
    Getting("POST", f"{EXPERIMENT}/validate", validate_experiment, _experiment, tagged=False),
    Changing("POST", f"{EXPERIMENT}/advance-ramp", advance_ramp, _experiment, get_ramp),
    Listing("GET", "/feature-flags", list_flags),
    Changing("POST", "/feature-flags", create_flag, None, get_flag, created),
    Getting("GET", FLAG, get_flag, _flag),
    Changing("PATCH", FLAG, update_flag, _flag, get_flag),
    Changing("DELETE", FLAG, delete_flag, _gone_flag, None),
    Changing("POST", f"{FLAG}/status", move_flag, _flag, get_flag),
    Getting("GET", VARIATIONS, list_variations, _flag),
    Changing("POST", VARIATIONS, create_variation, _flag, get_variation, added),
    Getting("GET", VARIATION, get_variation, _variation),
    Changing("PATCH", VARIATION, update_variation, _variation, get_variation),
    Changing("DELETE", VARIATION, delete_variation, _flag, None),
    Listing("GET", "/segments", list_segments),
    Changing("POST", "/segments", create_segment, None, get_segment, created),
    Getting("GET", SEGMENT, get_segment, _segment),
    Changing("PATCH", SEGMENT, update_segment, _segment, get_segment),
    Changing("DELETE", SEGMENT, delete_segment, _gone_segment, None),
)
