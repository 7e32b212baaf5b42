"""The console's routes: what there is under its path, and signing in and out."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from allotment.errors import AllotmentError, Forbidden, Unauthorized
from allotment.server.api.route import Query
from allotment.server.console import (
    changing,
    comparison,
    experiment,
    experiments,
    flags,
    history,
    layers,
    nodes,
    observed,
    openid,
    segments,
    tokens,
    undoing,
    why,
)
from allotment.server.console.openid import end_session
from allotment.server.console.page import static_answer
from allotment.server.console.route import (
    Form,
    Looking,
    PageRoute,
    SignInQuery,
    home_of,
    moved,
    no_query,
    sign_in_page,
    wanted_page,
)
from allotment.server.console.session import SESSION, at_of, cookie, sign_in
from allotment.server.http.answer import respond
from allotment.server.http.refusals import NoSuchPath
from allotment.server.settings import Settings

router: Final = APIRouter(route_class=PageRoute)

# A page of a fixed path comes before one that takes any key there.
_MODULES: Final = (
    *(experiments, experiment, observed, changing, why, layers, segments, flags),
    *(history, comparison, undoing, tokens, nodes, openid),
)
_ROUTERS: Final = (router, *(each.router for each in _MODULES))


def routes(at: str) -> list[PageRoute]:
    """The routes of the console that begins at this path."""
    return [
        PageRoute(
            at + each.path, each.endpoint, methods=each.methods, dependencies=each.dependencies
        )
        for one in _ROUTERS
        for each in one.routes
        if isinstance(each, PageRoute)
    ]


def prepare(app: FastAPI, settings: Settings) -> None:
    """Give an application what pages ask it for; raises MissingExtra as `provider_of`."""
    app.state.observing = observed.Reading()
    app.state.provider = openid.provider_of(settings)


@router.get("", dependencies=[Depends(no_query)])
async def get_console(request: Request, visitor: Looking) -> Response:
    """The experiments of the space that the token reaches."""
    return moved(f"{at_of(request)}/{home_of(request, visitor)}/experiments")


@router.get("/static/{digest}/{name}", dependencies=[Depends(no_query)])
async def get_static(digest: str, name: str) -> Response:
    """A file that pages load."""
    found = static_answer(digest, name)
    if found is None:
        raise NoSuchPath
    return respond(found)


@router.get("/sign-in")
async def get_sign_in(
    request: Request, query: Annotated[SignInQuery, Query(SignInQuery)]
) -> Response:
    """The form that takes a token."""
    page = sign_in_page(request, _Asked(), wanted_page(request, query.next))
    return respond(page)


@router.post("/sign-in", dependencies=[Depends(no_query)])
async def post_sign_in(request: Request, form: Form) -> Response:
    """Put the token into a cookie, if it opens pages."""
    wanted = wanted_page(request, form.get("next", ""))
    token = form.get("token", "").strip()
    try:
        sign_in(request, token)
    except (Unauthorized, Forbidden) as error:
        return respond(sign_in_page(request, error, wanted))
    return moved(wanted, cookie(request, SESSION, token))


@router.post("/sign-out", dependencies=[Depends(no_query)])
async def post_sign_out(request: Request, _form: Form) -> Response:
    """End the session in this browser; a token that was made for it, too."""
    await end_session(request)
    return moved(f"{at_of(request)}/sign-in", cookie(request, SESSION, ""))


class _Asked(AllotmentError):
    """Nothing is wrong: the form to sign in was asked for."""

    status_hint = 200

    def __init__(self) -> None:
        super().__init__("")
