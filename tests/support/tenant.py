"""A tenant of the Auth0 API: a whole server in this process, and short ways to ask it."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute
from jsonschema import Draft202012Validator

from allotment.change.commands import Command
from allotment.engine import Engine
from allotment.model.catalog import Catalog
from allotment.server import auth0, launchdarkly
from allotment.server.app import create_app
from allotment.server.confidence import resolve
from allotment.server.confidence import routes as confidence
from allotment.server.exposure_log import ExposureLog
from allotment.server.openapi import document
from allotment.server.settings import Settings
from allotment.server.sync.node import Node
from allotment.store import Store

BASE = "/api/v2/experimentation"

_APP = FastAPI()
for _vendor in (auth0, launchdarkly, confidence, resolve):
    _APP.router.routes.extend(_vendor.router.routes)
DOCUMENT = document(_APP)
SCHEMAS = DOCUMENT["components"]["schemas"]
SPACE = "default/production"

PARAMETERS = {
    "show": {"type": "boolean", "value": False, "description": "whether it is shown"},
    "style": {"type": "string", "value": "inline"},
}
RULES = [{"match": {"country": ["SE", "NO"]}}]


T = TypeVar("T")


class Vendor:
    """Asks a whole server in this process; what it answers is as the OpenAPI document says.

    `base` stands before every path. What a method makes is answered with 200 or 201, or the test
    fails.
    """

    def __init__(
        self, node: Node, runner: asyncio.Runner, base: str = "", settings: Settings | None = None
    ) -> None:
        settings = settings or Settings()
        app = create_app(node, settings, ExposureLog.of(settings, node.threads))
        asgi = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.node = node
        self.base = base
        self._client = httpx.AsyncClient(transport=asgi, base_url="http://localhost")
        self._runner = runner

    def authorize(self, token: str) -> None:
        """Send a token with every request from now on."""
        self._client.headers["authorization"] = f"Bearer {token}"

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    @property
    def engine(self) -> Engine:
        return self.node.served(SPACE).engine

    @property
    def catalog(self) -> Catalog:
        return self.node.served(SPACE).stored.catalog

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """The whole answer, once it is one that the OpenAPI document describes."""
        answer = self.run(self.ask(method, path, body, **headers))
        _check(method, f"{self.base}{path}".partition("?")[0], body, answer)
        return answer

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {} if body is None else {"json": body}
        return await self._client.request(method, f"{self.base}{path}", headers=named, **sent)

    def send(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        """The answer to exactly these bytes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.base}{path}"
        return self.run(self._client.request(method, url, headers=named, content=content))

    def get(self, path: str) -> Any:
        return self.done(self.call("GET", path))

    def post(self, path: str, body: Any = None) -> Any:
        return self.done(self.call("POST", path, body))

    def patch(self, path: str, body: Any) -> Any:
        return self.done(self.call("PATCH", path, body))

    def delete(self, path: str) -> None:
        assert self.call("DELETE", path).status_code == 204

    @staticmethod
    def done(answer: httpx.Response) -> Any:
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def apply(self, *commands: Command, space: str = SPACE) -> None:
        """Change the catalog natively."""
        self.run(self.node.write(space, lambda _stored: commands, dialect="native", who="test"))


class Tenant(Vendor):
    """Speaks Auth0's API."""

    _made = 0

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
        """The status and the code of a refusal, which has the body that Auth0 gives errors."""
        answer = self.call(method, path, body, **headers)
        tree = answer.json()
        assert list(tree) == ["statusCode", "error", "message", "errorCode"], tree
        assert tree["statusCode"] == answer.status_code >= 400
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        return answer.status_code, tree["errorCode"]

    def flag(self, name: str = "Login box", *, active: bool = True) -> tuple[str, list[str]]:
        """A flag with two variations, `control` and `new`, and their ids."""
        flag = self.post("/feature-flags", {"name": name, "parameters": PARAMETERS})["id"]
        made = [
            self.post(f"/feature-flags/{flag}/variations", {"name": each, "overrides": overrides})
            for each, overrides in (("control", {}), ("new", {"show": {"value": True}}))
        ]
        if active:
            self.patch(f"/feature-flags/{flag}", {"status": "active"})
        return flag, [each["id"] for each in made]

    def segment(self, name: str = "Nordics", rules: Any = None) -> str:
        made = self.post("/segments", {"name": name, "rules": rules or RULES})
        return str(made["id"])

    def experiment(self, flag: str, allocations: Any = None, **more: Any) -> Any:
        """A draft, by percentage unless `more` says otherwise."""
        body = {
            "name": "Shorter login",
            "feature_flag_id": flag,
            "authentication_flow": "authentication",
            **({} if allocations is None else {"allocations": allocations}),
            **more,
        }
        return self.post("/experiments", body)

    def at(self, status: str, flag: str, variations: list[str], **more: Any) -> str:
        """An experiment at that status, with a ramp unless `more` says otherwise."""
        self._made += 1
        body = {"name": f"At {status} {self._made}", "levels": [10, 50, 100], **more}
        one = str(self.experiment(flag, halves(*variations), **body)["id"])
        for step in _STEPS[status]:
            self.patch(f"/experiments/{one}", {"status": step})
        return one


_STEPS = {
    "draft": (),
    "active": ("active",),
    "paused": ("active", "paused"),
    "completed": ("active", "completed"),
    "archived": ("active", "completed", "archived"),
}


def _check(method: str, path: str, body: Any, answer: httpx.Response) -> None:
    """Answers, and bodies that were taken, are what the OpenAPI document says they are."""
    for route in _APP.routes:
        is_ours = isinstance(route, APIRoute) and method in route.methods
        if not is_ours or not route.path_regex.match(path):
            continue
        said = DOCUMENT["paths"][route.path][method.lower()]
        described = said["responses"][str(answer.status_code)]
        if "content" in described:
            is_valid(answer.json(), described["content"]["application/json"]["schema"])
        if body is not None and answer.is_success:
            is_valid(body, said["requestBody"]["content"]["application/json"]["schema"])
        return


def is_valid(tree: Any, schema: Any) -> None:
    """Fails where the tree does not have the form that the OpenAPI document has a schema of."""
    Draft202012Validator({"components": {"schemas": SCHEMAS}, **schema}).validate(tree)


def halves(*variations: str, weights: tuple[float, ...] = (50, 50)) -> list[dict[str, Any]]:
    """Items by percentage, the first of them the control."""
    return [
        {"variation_id": one, "weight": weight, "is_control": one == variations[0]}
        for one, weight in zip(variations, weights, strict=True)
    ]


@contextmanager
def node_over(database: str | Path) -> Iterator[tuple[Node, asyncio.Runner]]:
    """A node over a store, and what runs its work."""
    node = Node(Store.open(database), insecure_local=True)
    with asyncio.Runner() as runner:
        runner.run(node.start())
        yield node, runner
        runner.run(node.stop())


@contextmanager
def vendor(
    tmp_path: Path, base: str = "", database: str | None = None, settings: Settings | None = None
) -> Iterator[Vendor]:
    """Any vendor's API under `base`."""
    with node_over(database or tmp_path / "allotment.db") as (node, runner):
        yield Vendor(node, runner, base, settings)


@contextmanager
def tenant(tmp_path: Path, database: str | None = None) -> Iterator[Tenant]:
    with node_over(database or tmp_path / "allotment.db") as (node, runner):
        yield Tenant(node, runner, BASE)
