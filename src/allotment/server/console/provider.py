"""An OpenID Connect provider, asked by the authorization code flow with PKCE.

What it asks of the network blocks; it is done in a thread. Only RFC 6749, 7636 and OpenID Connect
Core are relied on. Of signatures only those with public keys count.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from allotment.errors import MissingExtra, StoreError, Unauthorized

try:
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet
except ImportError as error:
    raise MissingExtra("OpenID Connect needs joserfc: pip install 'allotment[openid]'") from error

_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
_SECONDS: Final = 5.0
_LEEWAY: Final = 60
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_DISCOVERY: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Person:
    """Who has signed in: the provider's id for them, a name to show, and their groups."""

    subject: str
    name: str
    groups: tuple[str, ...]


@dataclass(slots=True)
class Provider:
    """A provider by its issuer; what it says of itself is asked once, and its keys when needed."""

    issuer: str
    client: str
    secret: str | None
    claim: str = "groups"
    _about: dict[str, Any] = field(default_factory=dict)
    _keys: KeySet | None = None

    def address(self, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to sign in."""
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": redirect,
            "scope": "openid profile email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        at = str(self.about()["authorization_endpoint"])
        return f"{at}{'&' if '?' in at else '?'}{urlencode(asked)}"

    def person(self, code: str, redirect: str, nonce: str, verifier: str) -> Person:
        """Who came back with a code; raises Unauthorized where that is not shown."""
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "client_id": self.client,
            "code_verifier": verifier,
        }
        auth = None if self.secret is None else (self.client, self.secret)
        try:
            answer = httpx.post(
                str(self.about()["token_endpoint"]), data=asked, auth=auth, timeout=_SECONDS
            )
        except httpx.HTTPError as error:
            raise _away(error) from error
        if answer.status_code != 200:
            raise Unauthorized("the provider takes this sign-in for none of its own: try again")
        return self._read(_json(answer).get("id_token"), nonce)

    def about(self) -> Mapping[str, Any]:
        """What the provider says of itself."""
        if not self._about:
            found = self._get(self.issuer.rstrip("/") + _DISCOVERY)
            if found.get("issuer") != self.issuer:
                raise Unauthorized("the provider names another issuer than the settings do")
            if not all(isinstance(found.get(each), str) for each in _ENDPOINTS):
                raise _away(ValueError("an endpoint is missing"))
            self._about = found
        return self._about

    def _read(self, token: object, nonce: str) -> Person:
        if not isinstance(token, str):
            raise Unauthorized("the provider said nothing of who this is")
        try:
            claims = self._claims(token)
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self.client},
                nonce={"essential": True, "value": nonce},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError) as error:
            raise Unauthorized("what the provider said of who this is does not hold") from error
        if claims.get("azp", self.client) != self.client:
            raise Unauthorized("what the provider said is meant for another client")
        named = (claims.get(each) for each in ("name", "preferred_username", "email", "sub"))
        name = next(each for each in named if isinstance(each, str) and each.strip())
        return Person(str(claims["sub"]), name[:200], _groups(claims.get(self.claim)))

    def _claims(self, token: str) -> dict[str, Any]:
        """The claims, once a key of the provider's has signed them; keys are asked for again once,
        as they change."""
        if self._keys is not None:
            try:
                return jwt.decode(token, self._keys, algorithms=_ALGORITHMS).claims
            except (JoseError, ValueError):
                self._keys = None
        found: Any = self._get(str(self.about()["jwks_uri"]))
        try:
            self._keys = KeySet.import_key_set(found)
        except (KeyError, TypeError) as error:
            raise _away(error) from error
        return jwt.decode(token, self._keys, algorithms=_ALGORITHMS).claims

    def _get(self, address: str) -> dict[str, Any]:
        try:
            answer = httpx.get(address, timeout=_SECONDS)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise _away(error) from error
        return _json(answer)


def _groups(claim: object) -> tuple[str, ...]:
    several = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return tuple(each for each in several if isinstance(each, str))


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError as error:
        raise _away(error) from error
    if not isinstance(found, dict):
        raise _away(ValueError("no JSON object"))
    return found


def _away(error: Exception) -> ProviderAway:
    return ProviderAway(f"the provider does not answer: {type(error).__name__}")


class ProviderAway(StoreError):
    """The provider cannot be asked now; a token still signs in."""
