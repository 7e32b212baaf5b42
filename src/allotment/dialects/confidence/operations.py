"""The operations of Confidence's API, subject by subject."""

from __future__ import annotations

from typing import Final

from allotment.dialects.confidence import (
    flags,
    instance_views,
    instances,
    names,
    segments,
    variants,
)
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


def _variant(ids: Ids, catalog: Catalog) -> Noun:
    flag = names.noun_at("flag", catalog.flags, ids)
    return Noun("flag", flag.key, variants.variant_at(flag, ids["variant"]).key)


_flag, _segment = map(names.by_key, ("flag", "segment"))
_show_flag, _show_variant = flags.get_flag, variants.get_variant
_show_instance: Final = instance_views.get_instance
_show_segment: Final = segments.get_segment

OPERATIONS: Final[tuple[Operation, ...]] = (
    # Flags.
    Listing("GET", _FLAGS, flags.list_flags),
    Creating("POST", _FLAGS, flags.create_flag, None, _show_flag, created),
    Getting("GET", _FLAG, _show_flag, _flag),
    Changing("PATCH", _FLAG, flags.update_flag, _flag, _show_flag),
    Changing("POST", f"{_FLAG}:archive", flags.archive_flag, _flag, _show_flag),
    Getting("GET", _VARIANTS, variants.list_variants, _flag),
    Creating("POST", _VARIANTS, variants.create_variant, _flag, _show_variant, added),
    Getting("GET", _VARIANT, _show_variant, _variant),
    Changing("PATCH", _VARIANT, variants.update_variant, _variant, _show_variant),
    Changing("DELETE", _VARIANT, variants.delete_variant, _flag, variants.show_nothing),
    # Segments.
    Listing("GET", _SEGMENTS, segments.list_segments),
    Creating("POST", _SEGMENTS, segments.create_segment, None, _show_segment, created),
    Getting("GET", _SEGMENT, _show_segment, _segment),
    Changing("PATCH", _SEGMENT, segments.update_segment, _segment, _show_segment),
    Changing("POST", f"{_SEGMENT}:allocate", segments.allocate_segment, _segment, _show_segment),
    Changing("POST", f"{_SEGMENT}:archive", segments.archive_segment, _segment, _show_segment),
    # Instances.
    Listing("GET", _INSTANCES, instance_views.list_instances),
    # The vendor's pages name both paths.
    Creating("POST", _INSTANCES, instances.create_instance, None, _show_instance, created),
    Creating("POST", _WORKFLOW, instances.create_abtest, None, _show_instance, created),
    Getting("GET", _INSTANCE, _show_instance, _instance),
    Changing("PATCH", _INSTANCE, instances.update_instance, _instance, _show_instance),
    Changing("DELETE", _INSTANCE, instances.delete_instance, _instance, None),
    Creating("POST", f"{_INSTANCE}:clone", instances.clone_instance, None, _show_instance, created),
    Changing("POST", f"{_INSTANCE}:transition", transition_instance, _instance, _show_instance),
)
