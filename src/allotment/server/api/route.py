"""A route of the native API: what its endpoint declares is checked, and documented.

    router = APIRouter(route_class=Route)

    @router.post("/v1/tokens", status_code=201, summary="Make a token", response_model=NewToken)
    async def create_token(
        request: Request, caller: Admin, body: Annotated[TokenBody, Json(TokenBody)]
    ) -> Response:

The caller comes first: FastAPI resolves the dependencies in their order, and nothing of a request
is read before its caller is known. A query parameter that is not declared is refused.
"""

# No postponed annotations: FastAPI reads those of the dependencies here.

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar, get_type_hints

import msgspec
from fastapi import Depends, Request, Security
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from allotment.dialects.wire.model import Body, read
from allotment.dialects.wire.source import DEPTH_MAX
from allotment.server.api.operation import (
    CONDITIONS,
    HEADERS,
    READING,
    SPACE,
    WRITING,
    headers_taken,
    ref,
)
from allotment.server.auth.access import Caller
from allotment.server.http.answer import JSON
from allotment.server.http.limits import BODY_BYTES_MAX
from allotment.server.http.requests import query_of
from allotment.server.writes.change import admit, authenticated, tree_of
from allotment.store import Scope

M = TypeVar("M", bound=Body)

# The answer to a conditional GET, for `responses`.
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "It has not changed."}}

_REFERENCE: Final = "#/components/schemas/{name}"
# The scheme is named "token" in the OpenAPI document; `admit` reads the header.
BEARER: Final = HTTPBearer(
    scheme_name="token",
    description="A token; `Authorization: TOKEN` without `Bearer` does as well.",
    auto_error=False,
)


@dataclass(frozen=True, slots=True)
class Needs:
    """The dependency that knows the caller: a token needs the scope.

    spaced       whether the operation is about one space
    conditional  whether conditions and idempotency keys are honoured
    """

    scope: Scope
    spaced: bool = True
    conditional: bool = False

    async def __call__(
        self, request: Request, _token: Annotated[object, Security(BEARER)]
    ) -> Caller:
        """The caller; raises Unauthorized, Forbidden, and what `Node.at_least` raises."""
        if self.spaced:
            return await admit(request, self.scope)
        return authenticated(request, self.scope)


Reader = Annotated[Caller, Depends(Needs(Scope.READ))]
Writer = Annotated[Caller, Depends(Needs(Scope.WRITE))]
Editor = Annotated[Caller, Depends(Needs(Scope.WRITE, conditional=True))]
Admin = Annotated[Caller, Depends(Needs(Scope.ADMIN, spaced=False))]
Monitor = Annotated[Caller, Depends(Needs(Scope.READ, spaced=False))]


@dataclass(frozen=True, slots=True)
class _Query(Generic[M]):
    model: type[M]

    async def __call__(self, request: Request) -> M:
        """The query as a model."""
        return read_query(request, self.model)


@dataclass(frozen=True, slots=True)
class _Body(Generic[M]):
    model: type[M]
    limit: int
    depth: int

    async def __call__(self, request: Request) -> M:
        """The body as a model; raises InvalidInput with the path of the first fault."""
        return read(self.model, await tree_of(request, self.limit, self.depth))


@dataclass(frozen=True, slots=True)
class Content:
    """The body of an operation that reads it itself, by media type; a class gives its schema."""

    media: dict[str, Any]
    example: object = None


def Query(model: type[M]) -> Any:  # noqa: N802  # as FastAPI's own
    """The dependency that reads the query."""
    return Depends(_Query(model))


def Json(model: type[M], limit: int = BODY_BYTES_MAX, depth: int = DEPTH_MAX) -> Any:  # noqa: N802
    """The dependency that reads a JSON body of at most `limit` bytes."""
    return Depends(_Body(model, limit, depth))


def read_query(request: Request, model: type[M]) -> M:
    """The query as a model; raises InvalidInput for an unknown or repeated parameter."""
    known = [field.alias or name for name, field in model.model_fields.items()]
    return read(model, dict(query_of(request, known)), "query")


async def _no_query(request: Request) -> None:
    query_of(request)


class Route(APIRoute):
    """FastAPI's route, whose operation has the caller, the query and the body in the document.

    `content` is the body of an endpoint that reads it itself; `refused` has more statuses of
    refusals, `headers` the names of more headers that are read.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        hints = get_type_hints(endpoint, include_extras=True)
        declared = [
            each.dependency
            for hint in hints.values()
            for each in getattr(hint, "__metadata__", ())
            if isinstance(each, Dependency)
        ]
        caller = next((each for each in declared if isinstance(each, Needs)), None)
        query = next((each for each in declared if isinstance(each, _Query)), None)
        body = next((each for each in declared if isinstance(each, _Body)), None)
        given = options.get("openapi_extra") or {}
        content: Content | None = given.pop("content", None)
        if body is not None:
            content = Content({JSON: body.model})
        refused, headers = given.pop("refused", ()), given.pop("headers", ())
        self.body_models = [] if content is None else list(_classes(content))
        options["openapi_extra"] = _said(caller, query, content, refused, options) | given
        options["openapi_extra"]["parameters"] += headers_taken(headers)
        options["operation_id"] = options["operation_id"] or endpoint.__name__
        options["response_description"] = (
            "Done." if options["status_code"] == 204 else "What was asked for."
        )
        if query is None:
            # These are resolved before the endpoint's own; the caller, first, only once.
            first = [] if caller is None else [Depends(caller)]
            options["dependencies"] = [*first, Depends(_no_query)]
        super().__init__(path, endpoint, **options)


def _said(
    caller: Needs | None,
    query: _Query[Any] | None,
    content: Content | None,
    refused: Iterable[int],
    options: dict[str, Any],
) -> dict[str, Any]:
    """What the document says of an operation, beside what FastAPI does."""
    shared = (
        *(SPACE if caller is not None and caller.spaced else ()),
        *(CONDITIONS if caller is not None and caller.conditional else ()),
    )
    parameters = headers_taken(shared)
    if query is not None:
        parameters += query_parameters(query.model)
    refusals = _refusals(caller, options["methods"], has_body=content is not None)
    responses: dict[str, Any] = {
        str(status): {"$ref": "#/components/responses/Problem"} for status in (*refusals, *refused)
    }
    if caller is not None and caller.spaced:
        responses[str(options["status_code"] or 200)] = {"headers": HEADERS}
    said: dict[str, Any] = {
        "x-allotment-scope": "none" if caller is None else str(caller.scope),
        "parameters": parameters,
        "responses": responses,
    }
    if caller is None:
        said["security"] = []
    if content is not None:
        media = {
            name: {"schema": ref(each.__name__) if isinstance(each, type) else each}
            for name, each in content.media.items()
        }
        if content.example is not None:
            media[JSON]["example"] = content.example
        said["requestBody"] = {"required": True, "content": media}
    return said


def _refusals(
    caller: Needs | None, methods: Iterable[str] | None, *, has_body: bool
) -> tuple[int, ...]:
    """The statuses of what may go wrong, of an operation that reads or one that changes."""
    if caller is None:
        return (400,)
    if caller.scope is not Scope.READ and set(methods or ("GET",)) != {"GET"}:
        return WRITING
    return (*READING, 413, 415) if has_body else READING


def query_parameters(model: type[Body]) -> list[dict[str, Any]]:
    """The parameters of a query, each with its description beside its schema."""
    properties = model.model_json_schema()["properties"]
    parameters = []
    for name, schema in properties.items():
        said = {"description": schema.pop("description")} if "description" in schema else {}
        parameters.append(
            {"name": name, "in": "query", "required": False, **said, "schema": schema}
        )
    return parameters


def _classes(content: Content) -> Iterator[type]:
    return (each for each in content.media.values() if isinstance(each, type))


def body_schemas(routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """The schemas of all bodies of routes by name; FastAPI finds those of the answers itself."""
    return schemas_of(
        model for route in routes if isinstance(route, Route) for model in route.body_models
    )


def schemas_of(models: Iterable[type]) -> dict[str, Any]:
    """The schemas of pydantic models and msgspec structs, and of what they refer to, by name."""
    known = dict.fromkeys(models)
    structs = [each for each in known if issubclass(each, msgspec.Struct)]
    _, made = models_json_schema(
        [(each, "validation") for each in known if issubclass(each, Body)],
        ref_template=_REFERENCE.replace("{name}", "{model}"),
    )
    _, more = msgspec.json.schema_components(structs, ref_template=_REFERENCE)
    return {**made.get("$defs", {}), **more}
