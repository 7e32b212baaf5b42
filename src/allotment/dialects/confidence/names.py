"""Names of resources, `flags/KEY/variants/KEY` and the like, and the nouns they name.

A flag, a variant and a segment stand in their names by their keys; an instance by 20 characters
that are a pure function of its experiment's key.
"""

from __future__ import annotations

from typing import Final

from allotment.dialects.confidence.codes import missing
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.spelling import BASE36
from allotment.model.catalog import Catalog, identity
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.segment import Segment

INSTANCES: Final = "workflows/abtest/instances"

# No name is as long.
NAME_MAX: Final = 1_024


def instance_id(key: str) -> str:
    """The last part of an instance's name, by its experiment's key."""
    return BASE36.spell(identity("experiment", key))


def instance_name(key: str) -> str:
    """The name of the experiment's instance."""
    return f"{INSTANCES}/{instance_id(key)}"


def flag_name(key: str) -> str:
    """The name of a flag."""
    return f"flags/{key}"


def variant_name(flag: str, variation: str) -> str:
    """The name of a flag's variant."""
    return f"flags/{flag}/variants/{variation}"


def rule_name(flag: str, experiment: str) -> str:
    """The name of the rule that an experiment is among those of a flag."""
    return f"flags/{flag}/rules/{instance_id(experiment)}"


def segment_name(key: str) -> str:
    """The name of a segment."""
    return f"segments/{key}"


def find_instance(catalog: Catalog, text: str) -> Experiment | None:
    """The experiment whose instance has this id."""
    wanted = BASE36.read(text)
    keys = catalog.users.get(f"id:experiment:{wanted}", frozenset()) if wanted else frozenset()
    return next((catalog.experiments[key] for key in keys), None)


def get_instance(catalog: Catalog, text: str) -> Experiment:
    """The experiment whose instance has this id; raises Refusal, 404."""
    return find_instance(catalog, text) or missing("experiment")


def flag_of(experiment: Experiment, catalog: Catalog) -> str | None:
    """The key of the instance's flag: what its treatments set, else the one that lists it."""
    for treatment in experiment.current.treatments:
        for flag, _ in treatment.sets:
            return flag
    return min(catalog.users.get(f"experiment:{experiment.key}", frozenset()), default=None)


def get_flag(catalog: Catalog, key: str) -> Flag:
    """The flag that a path names; raises Refusal, 404."""
    flag: Flag | None = catalog.flags.get(key)
    return flag or missing("flag")


def get_segment(catalog: Catalog, key: str) -> Segment:
    """The segment that a path names; raises Refusal, 404."""
    segment: Segment | None = catalog.segments.get(key)
    return segment or missing("segment")


def read_flag(place: Place, catalog: Catalog) -> Flag:
    """The flag that a name in a body names; raises InvalidInput where there is none."""
    flag: Flag | None = catalog.flags.get(_key(place, "flags"))
    if flag is None:
        raise place.refusal("there is no such flag")
    return flag


def read_variant(place: Place, catalog: Catalog) -> tuple[Flag, str]:
    """The flag and the key of its variation that a name in a body names."""
    parts = place.text(1, NAME_MAX).split("/")
    if len(parts) != 4 or (parts[0], parts[2]) != ("flags", "variants"):
        raise place.refusal("a name like flags/FLAG/variants/VARIANT belongs here")
    flag: Flag | None = catalog.flags.get(parts[1])
    if flag is None or parts[3] not in (one.key for one in flag.variations):
        raise place.refusal("there is no such variant")
    return flag, parts[3]


def read_segment(place: Place, catalog: Catalog) -> Segment:
    """The segment that a name in a body names; raises InvalidInput where there is none."""
    segment: Segment | None = catalog.segments.get(_key(place, "segments"))
    if segment is None:
        raise place.refusal("there is no such segment")
    return segment


def _key(place: Place, collection: str) -> str:
    parts = place.text(1, NAME_MAX).split("/")
    if len(parts) != 2 or parts[0] != collection:
        raise place.refusal(f"a name like {collection}/ID belongs here")
    return parts[1]
