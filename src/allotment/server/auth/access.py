"""Who may call: tokens by their digest, and any caller under `insecure_local`."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from allotment.errors import Forbidden, InvalidInput, StoreError, Unauthorized
from allotment.server.auth.ticket import opens, ticket_of, token_named
from allotment.store import Scope, Token
from allotment.store.schema import DEFAULT_SPACE

_PREFIX: Final = b"bearer "
_ANY: Final = "*"
EVERYWHERE: Final = "*/*"
_CALLERS_MAX: Final = 1024
SPACE_NAME: Final = "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"
_SPACE: Final = re.compile(SPACE_NAME[1:-1] + r"\Z")
LOOPBACK: Final = "loopback"


@dataclass(frozen=True, slots=True)
class Caller:
    """`who` is the token's id, or "loopback" for one without, under `insecure_local`.

    `space` is the space of this call; `reach` is the pattern of the spaces that the token may use.
    `name` is the name that the token was given.
    """

    who: str
    scope: Scope
    space: str
    reach: str = "*/*"
    name: str = ""


class Access:
    """The tokens as they were at one moment; replaced whole when one is added or revoked.

    `tokens` None means that they are not known yet: then every call is refused. `now` gives the
    time in seconds since the epoch. With `insecure_local` a caller that sends no token may do
    everything.
    """

    def __init__(
        self,
        tokens: Iterable[Token] | None,
        now: Callable[[], float],
        *,
        insecure_local: bool = False,
    ) -> None:
        self.known = tokens is not None
        self._by_digest = {token.digest: token for token in tokens or ()}
        self._by_id = {token.id: token for token in self._by_digest.values()}
        self._now = now
        self._insecure_local = insecure_local
        # By what was sent and what it was for, for those who may: what that comes to never changes
        # here, but that a token ends.
        self._callers: dict[tuple[bytes | None, bytes | None, Scope], tuple[Token, Caller]] = {}

    def caller(self, authorization: bytes | None, space: bytes | None, needs: Scope) -> Caller:
        """The caller that sent these headers, if it may do what `needs` says.

        Raises Unauthorized for no token or one that does not hold, Forbidden for one that does not
        reach so far, StoreError while the tokens are not known yet.
        """
        asked = (authorization, space, needs)
        known = self._callers.get(asked)
        if known is not None:
            token, caller = known
            if token.expires_at is not None:
                self._check_holds(token)
            return caller
        if not self.known:
            raise StoreError("the tokens are not loaded yet; ask again soon")
        if authorization is None and self._insecure_local:
            wanted = DEFAULT_SPACE if space is None else _space(space)
            return Caller(LOOPBACK, Scope.ADMIN, wanted)
        token = self._token(authorization)
        caller = _caller(token, space, needs)
        if len(self._callers) >= _CALLERS_MAX:
            self._callers.clear()
        self._callers[asked] = (token, caller)
        return caller

    def name_of(self, who: str) -> str:
        """The name of the token whose id it is, or else what it says itself."""
        token = self._by_id.get(who)
        return who if token is None else token.name or who

    def ticket(self, caller: Caller) -> str:
        """What opens a stream of the caller's space without a header; empty if it needs none."""
        token = self._by_id.get(caller.who)
        return "" if token is None else ticket_of(token, caller.space, self._now())

    def holder(self, ticket: str, space: str) -> Caller:
        """The caller that was given a ticket; raises as `caller` does."""
        if not self.known:
            raise StoreError("the tokens are not loaded yet; ask again soon")
        token = self._by_id.get(token_named(ticket))
        if token is None or not opens(ticket, token, space, self._now()):
            raise Unauthorized("this ticket is of another space, or has ended: ask for a new one")
        self._check_holds(token)
        return _caller(token, space.encode(), Scope.ASSIGN)

    def _token(self, authorization: bytes | None) -> Token:
        if not self._by_digest:
            raise Unauthorized("there is no token yet: `allotment token create` makes one")
        if authorization is None:
            raise Unauthorized("this needs a token: `Authorization: Bearer TOKEN`")
        text = authorization.strip()
        if text[: len(_PREFIX)].lower() == _PREFIX:
            text = text[len(_PREFIX) :].strip()
        digest = hashlib.sha256(text).hexdigest()
        token = self._by_digest.get(digest)
        # The lookup is by digest, of which a caller cannot steer a prefix; what is compared is
        # compared in constant time all the same.
        if token is None or not hmac.compare_digest(token.digest, digest):
            raise Unauthorized("this token is not known")
        self._check_holds(token)
        return token

    def _check_holds(self, token: Token) -> None:
        ends = token.expires_at
        if token.revoked_at is not None or (ends is not None and ends <= self._now() * 1000):
            raise Unauthorized("this token is revoked or has expired")


def _caller(token: Token, space: bytes | None, needs: Scope) -> Caller:
    """Who has a token that holds, if the token reaches so far."""
    wanted = None if space is None else _space(space)
    if not token.scope.covers(needs):
        raise Forbidden(f"this needs a token of scope {needs}; this one has {token.scope}")
    space_meant = _within(token.space, wanted)
    return Caller(token.id, token.scope, space_meant, token.space, token.name)


def reaches(pattern: str, space: str) -> bool:
    """Whether all that `space` names, which may be a pattern too, is among what `pattern` names."""
    if pattern == EVERYWHERE:
        return True
    project, _, environment = pattern.partition("/")
    one, _, other = space.partition("/")
    return project in (_ANY, one) and environment in (_ANY, other)


def check_reach(reach: str, spaces: Iterable[str], path: str = "") -> None:
    """Raise Forbidden unless the pattern has every space that a call reads or writes.

    Law: every space that a call touches is checked here: one that a header or a path names, those
    that a vendor's change of a project is made in, and one that a new space is copied from.
    """
    if not all(reaches(reach, space) for space in spaces):
        # The others are not named: the caller may not know of them.
        raise Forbidden(f"this token reaches {reach}, and this is about another space", path)


def _space(name: bytes) -> str:
    space = name.decode("latin-1")
    if not _SPACE.match(space):
        raise InvalidInput("a space is written PROJECT/ENVIRONMENT", "headers.Allotment-Space")
    return space


def _within(pattern: str, wanted: str | None) -> str:
    """The space of a call: the named one, if the pattern has it; else the pattern's own."""
    if wanted is None:
        default = DEFAULT_SPACE.split("/")
        parts = zip(pattern.split("/"), default, strict=True)
        return "/".join(each if part == _ANY else part for part, each in parts)
    check_reach(pattern, (wanted,))
    return wanted
