"""What stages draw by: profiles, salts, and shares in whole buckets."""

from __future__ import annotations

from allotment.change.check.label import check_salt
from allotment.change.kinds import noun_path
from allotment.change.references import salt_name
from allotment.errors import Conflict, InvalidInput, did_you_mean
from allotment.model.catalog import Catalog
from allotment.model.profile import PROFILES, Draw, seed_of


def check_profile(profile: str, path: str) -> None:
    """A profile is one that is there."""
    if not isinstance(profile, str) or profile not in PROFILES:
        near = did_you_mean(str(profile), PROFILES)
        raise InvalidInput(f"there is no profile {profile!r}{near}", path)


def bound_of(profile: str, share_ppm: int, path: str) -> int:
    """How many buckets a share is. Raises InvalidInput where it is no whole number of them."""
    try:
        return PROFILES[profile].bound(share_ppm)
    except InvalidInput as fault:
        raise InvalidInput(fault.message, path) from None


def check_draw(draw: Draw, path: str) -> None:
    """A stage draws by a profile that is there, and a salt that it takes."""
    check_profile(draw.profile, f"{path}.profile")
    check_salt(draw.salt, f"{path}.salt")
    if PROFILES[draw.profile].seed is None:
        try:
            seed_of(draw.salt)
        except InvalidInput as fault:
            raise InvalidInput(f"{draw.profile}: {fault.message}", f"{path}.salt") from None


def check_lone_salt(kind: str, key: str, draw: Draw, catalog: Catalog) -> None:
    """Raise Conflict where another noun of the kind draws by the same: both would draw alike."""
    salt = draw.salt
    others = catalog.users.get(f"salt:{kind}:{salt_name(*draw)}", frozenset()) - {key}
    if others:
        raise Conflict(
            f"{kind} {min(others)!r} has the salt {salt!r} too, so both would draw the same; "
            "choose another",
            f"{noun_path(kind, key)}.salt",
        )
