"""ETags and idempotency keys, on the paths of this API."""

from allotment.change.commands import Rename
from workspace import INSTANCES, Workspace, arms

NAMED = {"displayName": "Once"}


def test_an_answer_has_an_etag_that_a_change_may_name(api: Workspace) -> None:
    made = api.draft(5000, 5000)
    tag = api.call("GET", f"/{made['name']}").headers["etag"]
    changed = api.call("PATCH", f"/{made['name']}", NAMED, if_match=tag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    stale = ({"PATCH": NAMED, "POST": {"targetState": "live"}, "DELETE": None}).items()
    for method, body in stale:
        path = f"/{made['name']}{':transition' if method == 'POST' else ''}"
        assert api.refused(method, path, body, if_match=tag) == (412, 10)
    assert api.get(f"/{made['name']}") == changed.json()


def test_other_instances_do_not_make_an_etag_stale(api: Workspace) -> None:
    made = api.draft(5000, 5000)
    tag = api.call("GET", f"/{made['name']}").headers["etag"]
    api.draft(1, 1)
    assert api.call("PATCH", f"/{made['name']}", NAMED, if_match=tag).status_code == 200


def test_a_request_with_a_key_is_answered_again_and_done_once(api: Workspace) -> None:
    first, again = (
        api.call("POST", INSTANCES, NAMED, idempotency_key="create-1") for _ in range(2)
    )
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert list(api.catalog.experiments) == ["once"]
    other = api.refused("POST", INSTANCES, {"displayName": "Other"}, idempotency_key="create-1")
    assert other == (422, 3)


def test_growing_once_under_a_key_is_growing_once(api: Workspace) -> None:
    live = api.live(1000, 1000)
    body = {"abtest": {"treatments": arms(2000, 2000)}}
    first, again = (
        api.call("PATCH", f"/{live['name']}", body, idempotency_key="grow") for _ in range(2)
    )
    assert first.json() == again.json()
    assert first.headers["allotment-revision"] == again.headers["allotment-revision"]


def test_only_one_of_two_with_the_same_tag_gets_through(api: Workspace) -> None:
    live = api.live(1000, 1000)
    tag = api.call("GET", f"/{live['name']}").headers["etag"]
    statuses = [
        api.call(
            "PATCH", f"/{live['name']}", {"abtest": {"treatments": arms(*parts)}}, if_match=tag
        ).status_code
        for parts in ((2000, 2000), (3000, 3000))
    ]
    assert statuses == [200, 412]


def test_a_get_of_what_the_client_has_is_not_answered_again(api: Workspace) -> None:
    name = api.draft(5000, 5000)["name"]
    api.post("/segments?segmentId=swedes", {})
    for path in (
        f"/{name}",
        "/segments/swedes",
        "/flags/button",
        "/flags/button/variants/blue",
    ):
        has = api.call("GET", path).headers["etag"]
        for sent in (has, f"W/{has}", f'"1", {has}', f",{has} ,", "*"):
            answer = api.call("GET", path, if_none_match=sent)
            assert (answer.status_code, answer.content) == (304, b""), (path, sent)
            assert answer.headers["etag"] == has
        for sent in ('"1"', has.replace(".", ".0"), f'{has.partition(".")[0]}"'):
            assert api.call("GET", path, if_none_match=sent).status_code == 200, (path, sent)


def test_a_change_through_another_api_makes_a_get_answer_again(api: Workspace) -> None:
    made = api.draft(5000, 5000)
    path = f"/{made['name']}"
    has = api.call("GET", path).headers["etag"]
    api.apply(Rename("experiment", api.key(made), "Other"))
    answer = api.call("GET", path, if_none_match=has)
    assert (answer.status_code, answer.json()["displayName"]) == (200, "Other")
    assert api.call("PATCH", path, {"owner": "me"}, if_match=has).status_code == 412
