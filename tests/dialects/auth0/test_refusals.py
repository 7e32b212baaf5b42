"""What is refused: each documented error, and every field that is not what it has to be."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from allotment.change.lifecycle import Policy, is_among
from allotment.change.obstacles import _RULES, ObstacleCode
from allotment.dialects.auth0.errors import OBSTACLES
from tenant import PARAMETERS, RULES, Tenant, halves, tenant

BODY = (400, "invalid_body")
QUERY = (400, "invalid_query_string")
NOBODY = {"exp": "exp_" + "1" * 22, "flg": "flg_" + "1" * 22, "seg": "seg_" + "1" * 22}
HOSTILE = "<script>alert('x')</script>\u202e"


@dataclass
class Office:
    """A tenant in which every noun is there once."""

    api: Tenant
    flag: str
    control: str
    new: str
    segment: str
    experiment: str

    def path(self, path: str) -> str:
        names = vars(self) | NOBODY
        return path.format(**{name: value for name, value in names.items() if name != "api"})


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with tenant(tmp_path_factory.mktemp("tenant")) as api:
        flag, (control, new) = api.flag()
        one = api.experiment(flag, halves(control, new))
        yield Office(api, flag, control, new, api.segment(), one["id"])


def new_experiment(office: Office, **more: Any) -> dict[str, Any]:
    body = {"name": "Another", "feature_flag_id": office.flag, "authentication_flow": "all"}
    return {name: value for name, value in {**body, **more}.items() if value is not ...}


TEXTS: list[Any] = [
    *("", "ab", " abc", "abc ", "ab\nc", "a\0bc", "a\u2028bc", "x" * 256),
    *(1, True, [], {}),
]


@pytest.mark.parametrize("value", [*TEXTS, None])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in ("/experiments", "/feature-flags", "/segments")),
        ("POST", "/feature-flags/{flag}/variations"),
        *(("PATCH", path) for path in ("/experiments/{experiment}", "/feature-flags/{flag}")),
        *(("PATCH", path) for path in ("/segments/{segment}",)),
        ("PATCH", "/feature-flags/{flag}/variations/{new}"),
    ],
)
def test_a_name_is_one_line_of_3_to_255_characters(
    office: Office, method: str, path: str, value: Any
) -> None:
    rest: dict[str, Any] = {}
    if method == "POST" and path == "/experiments":
        rest = new_experiment(office)
    elif method == "POST":
        needs = {"/feature-flags": "parameters", "/segments": "rules"}.get(path, "overrides")
        rest = {needs: {"parameters": PARAMETERS, "rules": RULES, "overrides": {}}[needs]}
    body = {**rest, "name": value}
    assert office.api.refused(method, office.path(path), body) == BODY


@pytest.mark.parametrize("value", ["ab", "x" * 1025, " x y", "a\nbc", 1])
def test_a_description_is_one_line_of_3_to_1024_characters(office: Office, value: Any) -> None:
    for path in ("/experiments/{experiment}", "/feature-flags/{flag}", "/segments/{segment}"):
        assert office.api.refused("PATCH", office.path(path), {"description": value}) == BODY
    assert (
        office.api.refused(
            "POST", "/segments", {"name": "With text", "rules": RULES, "description": None}
        )
        == BODY
    ), "null clears, and there is nothing to clear"


@pytest.mark.parametrize(
    "path",
    [
        *("/experiments/{experiment}", "/feature-flags/{flag}", "/segments/{segment}"),
        "/feature-flags/{flag}/variations/{new}",
    ],
)
@pytest.mark.parametrize("body", [{}, [], None, "text", {"nope": 1}, {"name": "Fine", "id": "x"}])
def test_a_patch_has_at_least_one_field_and_no_unknown_one(
    office: Office, path: str, body: Any
) -> None:
    sent = body if body is not None else [None]
    assert office.api.refused("PATCH", office.path(path), sent) == BODY


@pytest.mark.parametrize(
    ("more", "refusal"),
    [
        ({"name": ...}, BODY),
        ({"feature_flag_id": ...}, BODY),
        ({"authentication_flow": ...}, BODY),
        ({"feature_flag_id": 7}, BODY),
        ({"feature_flag_id": "flg_" + "1" * 22}, (404, "feature_flag_not_found")),
        ({"feature_flag_id": "nonsense"}, (404, "feature_flag_not_found")),
        ({"name": "Shorter login"}, (409, "experiment_already_exists")),
        ({"authentication_flow": ""}, BODY),
        ({"authentication_flow": None}, BODY),
        ({"allocation_strategy": "halves"}, BODY),
        ({"assignment_config": {"subject": "user"}}, BODY),
        ({"assignment_config": {}}, BODY),
        ({"assignment_config": {"subject": "device", "more": 1}}, BODY),
        ({"default_config": "tenant"}, (400, "default_config_not_supported")),
        ({"levels": []}, BODY),
        ({"levels": [10, 10]}, BODY),
        ({"levels": [50, 10]}, BODY),
        ({"levels": [-1, 10]}, BODY),
        ({"levels": [10, 101]}, BODY),
        ({"levels": [10.5]}, BODY),
        ({"levels": ["10"]}, BODY),
        ({"status": "active"}, BODY),
        ({"allocations": []}, BODY),
        ({"allocations": {}}, BODY),
        ({"allocations": None}, BODY),
    ],
)
def test_a_new_experiment_is_refused_where_a_field_is_wrong(
    office: Office, more: dict[str, Any], refusal: tuple[int, str]
) -> None:
    assert office.api.refused("POST", "/experiments", new_experiment(office, **more)) == refusal


ITEM = {"variation_id": "{control}", "is_control": True}
FALLBACK = {**ITEM, "is_fallback": True}
BY_SEGMENT = {**ITEM, "segment_id": "{segment}"}
FOREIGN = (400, "variation_not_from_flag")
MANY = (400, "experiment_too_many_allocations")


@pytest.mark.parametrize(
    ("strategy", "items", "refusal"),
    [
        ("percentage", [{"is_control": True, "weight": 100}], BODY),
        ("percentage", [{"variation_id": "{control}", "weight": 100}], BODY),
        ("percentage", [{**ITEM, "is_control": "yes"}], BODY),
        ("percentage", [{**ITEM, "variation_id": "var_" + "1" * 22}], FOREIGN),
        ("percentage", [{**ITEM, "variation_id": "{segment}"}], FOREIGN),
        ("percentage", [{**ITEM, "weight": 101}], BODY),
        ("percentage", [{**ITEM, "weight": -1}], BODY),
        ("percentage", [{**ITEM, "weight": "50"}], BODY),
        ("percentage", [{**ITEM, "weight": True}], BODY),
        ("percentage", [{**ITEM, "weight": 1e-13}], BODY),
        ("percentage", [{**ITEM, "weight": None}], BODY),
        ("percentage", [{**ITEM, "more": 1}], BODY),
        ("percentage", [{**ITEM, "weight": 5}] * 21, MANY),
        ("percentage", [{**ITEM, "segment_id": "{segment}"}], BODY),
        ("percentage", [{**ITEM, "priority": 1}], BODY),
        ("percentage", [{**ITEM, "is_fallback": True}], BODY),
        ("segment", [ITEM], BODY),
        ("segment", [{**BY_SEGMENT, "weight": 100}], BODY),
        ("segment", [{**BY_SEGMENT, "priority": 0}], BODY),
        ("segment", [{**BY_SEGMENT, "priority": 1.5}], BODY),
        ("segment", [{**BY_SEGMENT, "priority": 2**31}], BODY),
        ("segment", [{**BY_SEGMENT, "priority": 3}] * 2, BODY),
        ("segment", [{**ITEM, "segment_id": "seg_" + "1" * 22}], (400, "segment_not_found")),
        ("segment", [FALLBACK, FALLBACK], BODY),
        ("segment", [{**FALLBACK, "segment_id": "{segment}"}], BODY),
    ],
)
def test_allocations_are_refused_where_an_item_is_wrong(
    office: Office, strategy: str, items: list[dict[str, Any]], refusal: tuple[int, str]
) -> None:
    filled = [
        {name: office.path(value) if isinstance(value, str) else value for name, value in i.items()}
        for i in items
    ]
    body = new_experiment(office, allocation_strategy=strategy, allocations=filled)
    assert office.api.refused("POST", "/experiments", body) == refusal
    if strategy == "percentage":
        path = f"/experiments/{office.experiment}"
        assert office.api.refused("PATCH", path, {"allocations": filled}) == refusal


@pytest.mark.parametrize(
    "parameters",
    [
        *({}, [], None, {"": {"type": "string", "value": "x"}}),
        {f"p{number}": {"type": "string", "value": "x"} for number in range(11)},
        {"x" * 256: {"type": "string", "value": "x"}},
        *({"a": "text"}, {"a": {"value": 1}}, {"a": {"type": "number"}}),
        *({"a": {"type": kind, "value": value}} for kind, value in (
            *(("string", 1), ("boolean", 0), ("boolean", "true"), ("number", True)),
            *(("number", "1"), ("array", {}), ("object", []), ("object", None), ("null", None)),
            *(("integer", 1), ("string", "x" * 1023), ("array", ["é" * 511])),
        )),
        {"a": {"type": "string", "value": "x", "description": "x" * 256}},
        {"a": {"type": "string", "value": "x", "description": None}},
        {"a": {"type": "string", "value": "x", "more": 1}},
    ],
)  # fmt: skip
def test_parameters_are_refused_where_one_is_wrong(office: Office, parameters: Any) -> None:
    body = {"name": "Parameters", "parameters": parameters}
    assert office.api.refused("POST", "/feature-flags", body) == BODY
    path = f"/feature-flags/{office.flag}"
    assert office.api.refused("PATCH", path, {"parameters": parameters}) == BODY


@pytest.mark.parametrize(
    "overrides",
    [
        *([], None, {"nope": {"value": 1}}, {"show": True}, {"show": {}}),
        *({"show": {"value": "true"}}, {"show": {"value": False}}, {"show": {"value": None}}),
        *({"style": {"value": "x" * 1023}}, {"show": {"value": True, "type": "boolean"}}),
    ],
)
def test_overrides_are_refused_where_one_is_wrong(office: Office, overrides: Any) -> None:
    path = f"/feature-flags/{office.flag}/variations"
    body = {"name": "Overrides", "overrides": overrides}
    assert office.api.refused("POST", path, body) == BODY
    assert office.api.refused("PATCH", f"{path}/{office.new}", {"overrides": overrides}) == BODY


@pytest.mark.parametrize(
    "rules",
    [
        *([], {}, None, [{}], ["text"], [{"match": {}}], [{"match": []}], [{"not_match": {}}]),
        [{"match_type": "all", "conditions": [{"attribute": "country", "operator": "equals"}]}],
        [{"match": {"age": ["7"]}}],
        [{"match": {"anonymous_session_metadata": ["x"]}}],
        *(
            [{"match": {"country": expression}}]
            for expression in (
                *([], {}, "SE", None, [1], [None], ["x" * 1025], {"equals": ["SE"]}),
                *({"contains": []}, {"contains": "SE"}, {"exists": "true"}, {"exists": None}),
                {"contains": ["SE"], "starts_with": ["S"]},
            )
        ),
    ],
)
def test_rules_are_refused_where_one_is_wrong(office: Office, rules: Any) -> None:
    body = {"name": "Rules", "rules": rules}
    assert office.api.refused("POST", "/segments", body) == BODY
    path = f"/segments/{office.segment}"
    assert office.api.refused("PATCH", path, {"rules": rules}) == BODY


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/experiments/{exp}", "experiment_not_found"),
        ("PATCH", "/experiments/{exp}", "experiment_not_found"),
        ("POST", "/experiments/{exp}/status", "experiment_not_found"),
        ("POST", "/experiments/{exp}/validate", "experiment_not_found"),
        ("POST", "/experiments/{exp}/advance-ramp", "experiment_not_found"),
        ("GET", "/experiments/{flag}", "experiment_not_found"),
        ("GET", "/experiments/exp_0", "experiment_not_found"),
        ("GET", "/experiments/{experiment}1", "experiment_not_found"),
        ("GET", "/feature-flags/{flg}", "feature_flag_not_found"),
        ("PATCH", "/feature-flags/{flg}", "feature_flag_not_found"),
        ("POST", "/feature-flags/{flg}/status", "feature_flag_not_found"),
        ("GET", "/feature-flags/{flg}/variations", "feature_flag_not_found"),
        ("POST", "/feature-flags/{flg}/variations", "feature_flag_not_found"),
        ("GET", "/feature-flags/{flag}/variations/{segment}", "variation_not_found"),
        ("PATCH", "/feature-flags/{flag}/variations/{segment}", "variation_not_found"),
        ("DELETE", "/feature-flags/{flg}/variations/{new}", "feature_flag_not_found"),
        ("GET", "/segments/{seg}", "segment_not_found"),
        ("PATCH", "/segments/{seg}", "segment_not_found"),
        ("GET", "/nothing", "not_found"),
        ("GET", "/experiments/a%2Fb%20c", "not_found"),
    ],
)
def test_what_is_not_there_is_404(office: Office, method: str, path: str, code: str) -> None:
    body = None if method in ("GET", "DELETE") else {"name": "Whatever"}
    assert office.api.refused(method, office.path(path), body) == (404, code)


@pytest.mark.parametrize(
    "path", ["/experiments/{exp}", "/feature-flags/{flg}", "/segments/{seg}", "/segments/x"]
)
def test_deleting_what_is_not_there_is_no_error(office: Office, path: str) -> None:
    revision = office.api.catalog.revision
    office.api.delete(office.path(path))
    assert office.api.catalog.revision == revision


@pytest.mark.parametrize(
    "query",
    [
        *("take=0", "take=51", "take=-1", "take=1.5", "take=", "take=1&take=2", "take=٣"),
        *("from=", "from=exp_1", "from=%00", "status=nope", "status=", "nope=1", "Take=1"),
    ],
)
def test_a_list_is_refused_where_its_query_is_wrong(office: Office, query: str) -> None:
    assert office.api.refused("GET", f"/experiments?{query}") == QUERY
    if "status" not in query:
        assert office.api.refused("GET", f"/segments?{query}") == QUERY
    assert office.api.refused("GET", f"/feature-flags?{query}") == QUERY


def test_a_query_where_there_is_none_is_refused(office: Office) -> None:
    api = office.api
    assert api.refused("GET", f"/segments/{office.segment}?fields=name") == QUERY
    assert api.refused("DELETE", f"/segments/{NOBODY['seg']}?force=1") == QUERY


# The vendor's own sentences, each where its documentation has it.
def test_each_documented_error_has_its_sentence(office: Office) -> None:
    api, flag, path = office.api, office.flag, office.path("/experiments/{experiment}")
    item = {"variation_id": office.control, "is_control": True}
    few = api.post("/feature-flags", {"name": "Few", "parameters": PARAMETERS})["id"]

    def said(method: str, at: str, body: Any = None) -> tuple[int, str]:
        tree = api.call(method, at, body).json()
        return tree["statusCode"], tree["message"]

    def begins(answer: tuple[int, str], status: int, sentence: str) -> None:
        assert answer[0] == status
        assert answer[1].startswith(sentence), answer

    begins(
        said("POST", "/experiments", new_experiment(office, allocations=[item] * 21)),
        400,
        "Experiments may have at most 20 allocations",
    )
    alien = {**item, "variation_id": "var_" + "1" * 22}
    begins(
        said("PATCH", path, {"allocations": [alien]}),
        400,
        "Variation does not belong to the referenced feature flag",
    )
    lost = {**item, "segment_id": NOBODY["seg"]}
    begins(
        said(
            "POST",
            "/experiments",
            new_experiment(office, allocation_strategy="segment", allocations=[lost]),
        ),
        400,
        "Segment not found",
    )
    begins(
        said("POST", f"{path}/status", {"status": "completed"}),
        400,
        "Status transition is not allowed",
    )
    begins(
        said("POST", f"/feature-flags/{few}/status", {"status": "active"}),
        400,
        "Feature flag must have at least 2 variations to be activated",
    )
    for body, at, sentence in (
        (new_experiment(office, name="Shorter login"), "/experiments", "An experiment"),
        ({"name": "Few", "parameters": PARAMETERS}, "/feature-flags", "A feature flag"),
        ({"name": "Nordics", "rules": RULES}, "/segments", "A segment"),
        ({"name": "new", "overrides": {}}, f"/feature-flags/{flag}/variations", "A variation"),
    ):
        begins(said("POST", at, body), 409, f"{sentence} with this name already exists")

    one = api.at("draft", flag, [office.control, office.new])
    running = f"/experiments/{one}"
    only = [{**item, "weight": 10}]
    api.patch(running, {"allocations": only})
    begins(
        said("PATCH", running, {"status": "active"}),
        400,
        "Experiment cannot be activated: validation failed",
    )
    api.patch(running, {"allocations": [{**item, "weight": 100}], "status": "active"})
    begins(
        said("PATCH", running, {"allocations": only}),
        400,
        "Cannot modify allocations on an active experiment",
    )
    begins(said("DELETE", running), 400, "Active experiments cannot be deleted")
    api.patch(running, {"status": "completed"})
    begins(
        said("PATCH", running, {"status": "active"}),
        400,
        "Completed experiments cannot be reactivated",
    )
    api.delete(running)


def test_every_obstacle_of_this_api_has_a_code_and_a_sentence() -> None:
    """Whatever the lifecycle asks for under this policy can be said in the API's words."""
    rules = [rule.__name__ for letters, _, rule in _RULES if is_among(Policy.AUTH0, letters)]
    assert not {"_keeps_the_salt", "_reserves_nothing"} & set(rules), "those of another policy"
    codes = set(ObstacleCode) - {ObstacleCode.NOT_RESHUFFLED, ObstacleCode.NO_RESERVATION}
    assert set(OBSTACLES) == codes
    assert all(code and message for code, message in OBSTACLES.values())


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE"])
def test_another_method_is_405(office: Office, method: str) -> None:
    assert office.api.refused(method, "/experiments")[0] == 405


def test_nothing_that_was_sent_stands_in_a_refusal(office: Office) -> None:
    """Keys that are no plain words and values come back in no error, wherever they stood."""
    bodies: list[Any] = [
        {HOSTILE: 1},
        {"name": HOSTILE * 20},
        {"name": [HOSTILE]},
        {"description": f" {HOSTILE}"},
        {"status": HOSTILE},
        {"authentication_flow": [HOSTILE]},
        {"allocations": [{HOSTILE: HOSTILE}]},
        {"allocations": [{"variation_id": HOSTILE, "is_control": True}]},
        {"assignment_config": {"subject": HOSTILE}},
        {"levels": [HOSTILE]},
        {"parameters": {HOSTILE: {"type": HOSTILE, "value": 1}}},
        {"overrides": {HOSTILE: {"value": 1}}},
        {"rules": [{"match": {HOSTILE: [HOSTILE]}}]},
    ]
    paths = ("/experiments/{experiment}", "/feature-flags/{flag}", "/segments/{segment}")
    for path in (*paths, "/feature-flags/{flag}/variations/{new}"):
        for body in bodies:
            answer = office.api.call("PATCH", office.path(path), body)
            if not answer.is_success:
                assert "alert" not in answer.text, (path, body)
    for query in ("from", "take", "status", HOSTILE):
        answer = office.api.call("GET", f"/experiments?{query}={HOSTILE}")
        assert answer.status_code == 400
        assert "alert" not in answer.text
