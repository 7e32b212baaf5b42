"""The 24 operations of Auth0's experimentation API."""

from __future__ import annotations

from typing import Final

from allotment.dialects.auth0 import experiments, flags, lifecycle, segments, variations
from allotment.dialects.auth0.names import by_id
from allotment.dialects.wire.operation import (
    Changing,
    Getting,
    Listing,
    Operation,
    added,
    created,
)

_experiment, _flag, _segment = map(by_id, ("experiment", "flag", "segment"))

# What is not there is no error to a DELETE.
_gone_experiment: Final = by_id("experiment", must_be=False)
_gone_flag: Final = by_id("flag", must_be=False)
_gone_segment: Final = by_id("segment", must_be=False)

_EXPERIMENT: Final = "/experiments/{id}"
_FLAG: Final = "/feature-flags/{id}"
_VARIATIONS: Final = f"{_FLAG}/variations"
_VARIATION: Final = f"{_VARIATIONS}/{{variation_id}}"
_SEGMENT: Final = "/segments/{id}"

_show_experiment: Final = experiments.get_experiment
_show_flag: Final = flags.get_flag
_show_variation: Final = variations.get_variation
_show_segment: Final = segments.get_segment

OPERATIONS: Final[tuple[Operation, ...]] = (
    # Experiments.
    Listing("GET", "/experiments", experiments.list_experiments),
    Changing(
        "POST", "/experiments", experiments.create_experiment, None, _show_experiment, created
    ),
    Getting("GET", _EXPERIMENT, _show_experiment, _experiment),
    Changing("PATCH", _EXPERIMENT, experiments.update_experiment, _experiment, _show_experiment),
    Changing("DELETE", _EXPERIMENT, experiments.delete_experiment, _gone_experiment, None),
    Changing(
        "POST",
        f"{_EXPERIMENT}/status",
        lifecycle.move_experiment,
        _experiment,
        _show_experiment,
    ),
    Getting(
        "POST", f"{_EXPERIMENT}/validate", lifecycle.validate_experiment, _experiment, tagged=False
    ),
    Changing(
        "POST",
        f"{_EXPERIMENT}/advance-ramp",
        lifecycle.advance_ramp,
        _experiment,
        lifecycle.get_ramp,
    ),
    # Flags.
    Listing("GET", "/feature-flags", flags.list_flags),
    Changing("POST", "/feature-flags", flags.create_flag, None, _show_flag, created),
    Getting("GET", _FLAG, _show_flag, _flag),
    Changing("PATCH", _FLAG, flags.update_flag, _flag, _show_flag),
    Changing("DELETE", _FLAG, flags.delete_flag, _gone_flag, None),
    Changing("POST", f"{_FLAG}/status", flags.move_flag, _flag, _show_flag),
    Getting("GET", _VARIATIONS, variations.list_variations, _flag),
    Changing("POST", _VARIATIONS, variations.create_variation, _flag, _show_variation, added),
    Getting("GET", _VARIATION, _show_variation, variations.find_by_id),
    Changing(
        "PATCH", _VARIATION, variations.update_variation, variations.find_by_id, _show_variation
    ),
    Changing("DELETE", _VARIATION, variations.delete_variation, _flag, None),
    # Segments.
    Listing("GET", "/segments", segments.list_segments),
    Changing("POST", "/segments", segments.create_segment, None, _show_segment, created),
    Getting("GET", _SEGMENT, _show_segment, _segment),
    Changing("PATCH", _SEGMENT, segments.update_segment, _segment, _show_segment),
    Changing("DELETE", _SEGMENT, segments.delete_segment, _gone_segment, None),
)
