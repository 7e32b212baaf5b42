"""A page as a route of FastAPI: what its endpoint declares is checked before anything is shown.

    router = APIRouter(route_class=PageRoute)

    @router.get("/{project}/{environment}/layers")
    async def get_layers(request: Request, visitor: Looking) -> Response:
        return await shown(request, visitor, "layers.html", lambda stored: {...})

The visitor comes first, as the caller does in the native API. A visitor whose token does not hold
gets the page to sign in, with the status 401.
"""

# No postponed annotations: FastAPI reads those of the dependencies here.

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints
from urllib.parse import quote

from fastapi import Depends
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from allotment.dialects.wire.model import Body
from allotment.errors import AllotmentError, Unauthorized
from allotment.server.auth.access import reaches
from allotment.server.console.page import html
from allotment.server.console.session import (
    FORM,
    Visitor,
    at_of,
    cookie,
    form_of,
    form_token,
    take_cookie,
    visitor_of,
)
from allotment.server.http.answer import Answer, respond
from allotment.server.http.requests import query_of
from allotment.server.sync.spaces import Served
from allotment.server.writes.change import node_of
from allotment.store import Scope

_SPACES_MAX = 200


class SignInQuery(Body):
    """Where to go once signed in."""

    next: str = ""


@dataclass(frozen=True, slots=True)
class Visits:
    """The dependency that knows the visitor: the token needs the scope."""

    scope: Scope

    async def __call__(self, request: Request) -> Visitor:
        """The visitor; raises Unauthorized, Forbidden, NotFound."""
        return await visitor_of(request, self.scope)


Looking = Annotated[Visitor, Depends(Visits(Scope.READ))]
Changing = Annotated[Visitor, Depends(Visits(Scope.WRITE))]
Governing = Annotated[Visitor, Depends(Visits(Scope.ADMIN))]

Form = Annotated[Mapping[str, str], Depends(form_of)]


async def no_query(request: Request) -> None:
    """The dependency of a page that has no query."""
    query_of(request)


class PageRoute(APIRoute):
    """FastAPI's route, whose visitor may have the token in a cookie. `needs` is the scope of it."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        hints = get_type_hints(endpoint, include_extras=True).values()
        declared = [
            each.dependency
            for hint in hints
            for each in getattr(hint, "__metadata__", ())
            if isinstance(each, Dependency)
        ]
        self.needs = next((each.scope for each in declared if isinstance(each, Visits)), None)
        options |= {"include_in_schema": False, "response_model": None}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        answer = super().get_route_handler()

        async def shown(request: Request) -> Response:
            take_cookie(request)
            try:
                response = await answer(request)
            except Unauthorized as error:
                response = respond(sign_in_page(request, error))
            if secret := getattr(request.state, "fresh_form", ""):
                name, value = cookie(request, FORM, secret)
                response.raw_headers.append((name.encode(), value.encode()))
            return response

        return shown


def sign_in_page(request: Request, error: AllotmentError, wanted: str = "") -> Answer:
    """The page to sign in, with why it is shown; `wanted` is where to go then."""
    # A browser sends a strict cookie with no request that a page of another site made, so a link
    # from there arrives without one. The page asks again, by itself, as a page of this site.
    by_cookie = getattr(request.state, "by_cookie", False)
    gets = request.method == "GET"
    again = gets and not by_cookie and request.headers.get("sec-fetch-site") == "cross-site"
    said = "" if gets and not by_cookie else error.message
    headers = (("www-authenticate", 'Bearer realm="allotment"'),)
    return html(
        "sign_in.html",
        error.status_hint,
        headers if error.status_hint == 401 else (),
        at=at_of(request),
        visitor=None,
        form=form_token(request),
        said=said,
        wanted=wanted or here(request),
        again=here(request) if again else "",
        openid=request.app.state.settings.openid_issuer,
    )


def here(request: Request) -> str:
    """The path and the query that were asked for."""
    query = request.scope["query_string"].decode("latin-1")
    return quote(request.scope["path"]) + (f"?{query}" if query else "")


async def shown(
    request: Request,
    visitor: Visitor,
    template: str,
    make: Callable[[Served], Mapping[str, Any]],
    status: int = 200,
) -> Response:
    """A page of the visitor's space. `make` and the template work off the event loop."""
    node = node_of(request)
    served = node.served(visitor.caller.space)

    def page() -> Answer:
        around = _around(request, visitor, served.space)
        more: dict[str, Any] = {"revision": served.revision, "age": node.age_seconds}
        return html(template, status, **around, **more, **make(served))

    return respond(await node.run(page))


async def unspaced(
    request: Request,
    visitor: Visitor,
    template: str,
    page: Mapping[str, Any],
    status: int = 200,
) -> Response:
    """A page that is about no space."""
    node = node_of(request)
    near = home_of(request, visitor)  # its links lead there
    return respond(
        await node.run(lambda: html(template, status, **_around(request, visitor, near), **page))
    )


def home_of(request: Request, visitor: Visitor) -> str:
    """The space to begin with: the token's own, or else the first there is that it reaches."""
    served, own = node_of(request).spaces, visitor.caller.space
    if own in served:
        return own
    return next((each for each in sorted(served) if _reaches(visitor, each)), own)


def _reaches(visitor: Visitor, space: str) -> bool:
    return reaches(visitor.caller.reach, space)


def _around(request: Request, visitor: Visitor, space: str) -> dict[str, Any]:
    """What every page shows around itself."""
    at, served = at_of(request), node_of(request).spaces
    spaces = [each for each in sorted(served) if _reaches(visitor, each)][:_SPACES_MAX]
    return {
        "at": at,
        "here": f"{at}/{space}",
        "visitor": visitor,
        "space": space,
        "spaces": spaces,
    }


def moved(to: str, *headers: tuple[str, str]) -> Response:
    """Go and see this page."""
    return respond(Answer(303, (("location", to), ("cache-control", "no-store"), *headers), b""))


def wanted_page(request: Request, said: str) -> str:
    """Where to go then: a page of the console, or else its first."""
    at = at_of(request)
    inside = said == at or said.startswith((f"{at}/", f"{at}?"))
    plain = said.isascii() and said.isprintable() and not {"\\", '"', " "} & set(said)
    return said if inside and plain and "//" not in said and "/.." not in said else at
