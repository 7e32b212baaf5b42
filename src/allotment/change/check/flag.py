"""What a flag must satisfy."""

from __future__ import annotations

from allotment.change.check.label import check_json, check_labels
from allotment.change.check.reference import check_sets
from allotment.change.kinds import iteration_path, noun_path
from allotment.change.references import answering, flags_set
from allotment.errors import InvalidChange, InvalidInput, NotFound, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagExperiment, FlagState, Miss, Variation
from allotment.model.text import check_description, check_key, check_name


def check_flag(flag: Flag, old: Flag | None, catalog: Catalog) -> None:
    """Check the flag, and where variations are gone the experiments that set it."""
    path = noun_path("flag", flag.key)
    check_labels(flag, path)
    if not isinstance(flag.state, FlagState):
        raise InvalidInput("a flag is on, off or archived", f"{path}.state")
    keys = _check_variations(flag.variations, f"{path}.variations")
    if flag.default not in keys:
        near = did_you_mean(flag.default, keys)
        raise NotFound(f"the default {flag.default!r} is not a variation{near}", f"{path}.default")
    _check_listed(flag, catalog, path)
    if flag.state is FlagState.ARCHIVED and (old is None or old.state is not flag.state):
        _check_is_free(flag, catalog, path)
    if old and not keys.issuperset(variation.key for variation in old.variations):
        for key in sorted(catalog.users.get(f"flag:{flag.key}", ())):
            check_sets(catalog.experiments[key], catalog)


def _check_is_free(flag: Flag, catalog: Catalog, path: str) -> None:
    """Raise InvalidChange where what runs or is paused sets the flag: archiving is final, so it
    would assign nothing any more, and could not be resumed. `check_archived_sets` is the other way
    round."""
    for key in sorted(catalog.users.get(f"flag:{flag.key}", ())):
        live = catalog.experiments[key].live
        if live is not None and flag.key in flags_set(live):
            message = f"experiment {key!r} uses this flag and is not over; stop it first"
            raise InvalidChange(message, path, code="flag_in_use")


def _check_variations(variations: tuple[Variation, ...], path: str) -> set[str]:
    keys: set[str] = set()
    for variation in variations:
        here = f"{path}.{variation.key}"
        check_key(variation.key, here)
        check_name(variation.name, f"{here}.name")
        check_description(variation.description, f"{here}.description")
        check_json(variation.value, f"{here}.value")
        if variation.key in keys:
            raise InvalidChange(f"two variations are called {variation.key!r}; rename one", here)
        keys.add(variation.key)
    if not keys:
        raise InvalidChange("a flag has at least one variation", path)
    return keys


def _check_listed(flag: Flag, catalog: Catalog, path: str) -> None:
    seen: set[str] = set()
    for index, item in enumerate(flag.experiments):
        here = f"{path}.experiments[{index}]"
        if not isinstance(item.miss, Miss):
            raise InvalidInput("a miss is next or stop", here)
        if item.experiment in seen:
            raise InvalidChange(f"experiment {item.experiment!r} is listed twice", here)
        seen.add(item.experiment)
        _check_otherwise(item, flag, here)
        experiment = catalog.experiments.get(item.experiment)
        if experiment is None:
            near = did_you_mean(item.experiment, catalog.experiments)
            raise NotFound(f"there is no experiment {item.experiment!r}{near}", here)
        check_sets_listed(flag.key, item.experiment, catalog, here)


def _check_otherwise(item: FlagExperiment, flag: Flag, path: str) -> None:
    if item.otherwise is None:
        return
    known = [variation.key for variation in flag.variations]
    if item.otherwise not in known:
        near = did_you_mean(item.otherwise, known)
        raise NotFound(
            f"{item.otherwise!r} is not a variation of the flag{near}", f"{path}.otherwise"
        )
    if item.miss is not Miss.STOP:
        raise InvalidChange("who goes on at a miss ends with nothing else", f"{path}.otherwise")


def check_sets_listed(
    flag: str, experiment: str, catalog: Catalog, path: str | None = None
) -> None:
    """Raise InvalidChange unless every treatment of a listed experiment sets the flag.

    `path` is the place in the list; without one the fault is at the treatment.
    """
    listed = catalog.experiments[experiment]
    for iteration in answering(listed):
        for treatment in iteration.treatments:
            if not any(set_flag == flag for set_flag, _ in treatment.sets):
                # A slip in what it sets explains more than what is missing.
                check_sets(listed, catalog)
                here = f"{iteration_path(listed, iteration)}.treatments.{treatment.key}"
                raise InvalidChange(
                    f"flag {flag!r} lists experiment {experiment!r}, whose treatment "
                    f"{treatment.key!r} does not set it",
                    path or f"{here}.sets",
                )
