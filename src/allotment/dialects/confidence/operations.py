"""The operations of Confidence's API, subject by subject."""

from __future__ import annotations

from typing import Final

from allotment.dialects.confidence import flags, instances, names, segments, views
from allotment.dialects.confidence.transitions import transition_instance
from allotment.dialects.wire.operation import (
    Changing,
    Getting,
    Ids,
    Listing,
    Noun,
    Operation,
    added,
    created,
)
from allotment.model.catalog import Catalog

_FLAGS: Final = "/flags"
_FLAG: Final = f"{_FLAGS}/{{flag}}"
_VARIANTS: Final = f"{_FLAG}/variants"
_VARIANT: Final = f"{_VARIANTS}/{{variant}}"
_SEGMENTS: Final = "/segments"
_SEGMENT: Final = f"{_SEGMENTS}/{{segment}}"


_WORKFLOW: Final = "/workflows/abtest"
_INSTANCES: Final = f"{_WORKFLOW}/instances"
_INSTANCE: Final = f"{_INSTANCES}/{{instance}}"


class Creating(Changing):
    """A creation, which this API answers as any change."""

    @property
    def status(self) -> int:  # noqa: D102
        return 200


def _instance(ids: Ids, catalog: Catalog) -> Noun:
    return Noun("experiment", names.instance_at(catalog, ids["instance"]).key)


def _flag(ids: Ids, catalog: Catalog) -> Noun:
    return Noun("flag", names.flag_at(catalog, ids["flag"]).key)


def _variant(ids: Ids, catalog: Catalog) -> Noun:
    flag = names.flag_at(catalog, ids["flag"])
    return Noun("flag", flag.key, flags.variant_of(flag, ids["variant"]).key)


def _segment(ids: Ids, catalog: Catalog) -> Noun:
    return Noun("segment", names.segment_at(catalog, ids["segment"]).key)


_show_flag, _show_variant = flags.get_flag, flags.get_variant
_show_instance: Final = views.get_instance
_show_segment: Final = segments.get_segment

FLAGS: Final[tuple[Operation, ...]] = (
    Listing("GET", _FLAGS, flags.list_flags),
    Creating("POST", _FLAGS, flags.create_flag, None, _show_flag, created),
    Getting("GET", _FLAG, _show_flag, _flag),
    Changing("PATCH", _FLAG, flags.update_flag, _flag, _show_flag),
    Changing("POST", f"{_FLAG}:archive", flags.archive_flag, _flag, _show_flag),
    Getting("GET", _VARIANTS, flags.list_variants, _flag),
    Creating("POST", _VARIANTS, flags.create_variant, _flag, _show_variant, added),
    Getting("GET", _VARIANT, _show_variant, _variant),
    Changing("PATCH", _VARIANT, flags.update_variant, _variant, _show_variant),
    Changing("DELETE", _VARIANT, flags.delete_variant, _flag, flags.show_nothing),
)
SEGMENTS: Final[tuple[Operation, ...]] = (
    Listing("GET", _SEGMENTS, segments.list_segments),
    Creating("POST", _SEGMENTS, segments.create_segment, None, _show_segment, created),
    Getting("GET", _SEGMENT, _show_segment, _segment),
    Changing("PATCH", _SEGMENT, segments.update_segment, _segment, _show_segment),
    Changing("POST", f"{_SEGMENT}:allocate", segments.allocate_segment, _segment, _show_segment),
    Changing("POST", f"{_SEGMENT}:archive", segments.archive_segment, _segment, _show_segment),
)
INSTANCES: Final[tuple[Operation, ...]] = (
    Listing("GET", _INSTANCES, views.list_instances),
    # The vendor's pages name both paths.
    Creating("POST", _INSTANCES, instances.create_instance, None, _show_instance, created),
    Creating("POST", _WORKFLOW, instances.create_abtest, None, _show_instance, created),
    Getting("GET", _INSTANCE, _show_instance, _instance),
    Changing("PATCH", _INSTANCE, instances.update_instance, _instance, _show_instance),
    Changing("DELETE", _INSTANCE, instances.delete_instance, _instance, None),
    Creating("POST", f"{_INSTANCE}:clone", instances.clone_instance, None, _show_instance, created),
    Changing("POST", f"{_INSTANCE}:transition", transition_instance, _instance, _show_instance),
)

OPERATIONS: Final = (*FLAGS, *SEGMENTS, *INSTANCES)
