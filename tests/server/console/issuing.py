"""A small OpenID Connect provider on loopback, which does what it is told to people's claims."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "console", "a secret"


@dataclass
class Issuer:
    """The provider: `claims` are put over those of the one who signs in, `key` signs them."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048))
    shown_key: RSAKey | None = None  # another one to publish than signs
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    is_away: bool = False
    asked: list[str] = field(default_factory=list)

    def about(self) -> dict[str, Any]:
        ends = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "keys",
        }
        return {"issuer": self.url, **{name: f"{self.url}/{end}" for name, end in ends.items()}}

    def back(self, address: str) -> str:
        """Someone signs in at the address that the console gave: where they are sent back to."""
        asked = {name: each[0] for name, each in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?code={code}&state={asked['state']}&session_state=more"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, str] | None:
        """What a code is good for, once; None where it is not."""
        asked = self.codes.pop(form.get("code", ""), None)
        given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if asked is None or authorization != f"Basic {given}":
            return None
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        same = form["redirect_uri"] == asked["redirect_uri"]
        if not same or challenge != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "42",
            "exp": now + 60,
            "iat": now,
            "nonce": asked["nonce"],
            "name": "Ada L.",
            "groups": ["shop", "staff"],
            **self.claims,
        }
        said = {name: each for name, each in claims.items() if each is not None}
        return {"id_token": jwt.encode({"alg": "RS256", "kid": self.kid}, said, self.key)}

    @property
    def kid(self) -> str:
        return self.key.thumbprint()

    def keys(self) -> dict[str, Any]:
        shown = self.shown_key or self.key
        return {"keys": [{**shown.as_dict(private=False), "kid": self.kid, "use": "sig"}]}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """A provider that runs."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            known = {"/.well-known/openid-configuration": issuer.about, "/keys": issuer.keys}
            self.say(known[self.path]() if self.path in known else None)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: each[0] for name, each in parse_qs(body).items()}
            self.say(issuer.token(form, self.headers.get("authorization", "")))

        def say(self, tree: object) -> None:
            self.send_response(503 if issuer.is_away else 200 if tree is not None else 400)
            text = json.dumps(tree).encode()
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
