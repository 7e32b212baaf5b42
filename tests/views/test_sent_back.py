"""What a GET answers, sent back by an API: nothing changes, or the refusal names the field.

The catalogs are generated as a file or the native API makes them: most have what no vendor's API
can say. Auth0's own are in tests/auth0/test_sent_back.py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings

import strategies
from allotment.change.commands import Keep
from allotment.change.diff import diff
from allotment.change.kinds import KINDS, nouns_of
from allotment.model.catalog import EMPTY, Catalog
from tenant import Vendor, vendor
from views.world import LAUNCHDARKLY, SEMANTIC

EXPERIMENTS = f"{LAUNCHDARKLY}/environments/production/experiments"
FLAGS = "/api/v2/flags/default"
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def served(catalog: Catalog) -> Iterator[Vendor]:
    with TemporaryDirectory() as folder, vendor(Path(folder)) as api:
        if catalog is not EMPTY and catalog.revision:
            api.apply(*diff(EMPTY, catalog))
            # What is generated under a vendor's path has no shape that its API would have given it.
            gone = [
                Keep(kind, key, path, None)
                for kind in KINDS
                for key, noun in nouns_of(catalog, kind).items()
                for path, _ in noun.kept
            ]
            api.apply(*gone)
        yield api


def sent(api: Vendor, method: str, path: str, body: Any, **headers: str) -> Any:
    """The answer to what was shown; where it is refused, the refusal says where the fault is."""
    before = api.catalog
    answer = api.call(method, path, body, **headers)
    if not answer.is_success:
        assert answer.status_code in (400, 409), answer.text
        assert " - at " in answer.text, f"{method} {path} {body}: {answer.text}"
    else:
        assert api.catalog is before, f"{method} {path} {body} changed something"
    return answer


@FEW
@given(catalog=strategies.catalogs())
def test_a_noun_that_is_put_as_it_was_got_is_no_change(catalog: Catalog) -> None:
    with served(catalog) as api:
        for kind in ("flags", "segments", "layers", "holdouts", "experiments"):
            for key in getattr(api.catalog, kind):
                path = f"/v1/catalog/{kind}/{key}"
                shown = api.get(path)
                answer = sent(api, "PUT", path, shown)
                assert (answer.status_code, answer.json()) == (200, shown), (path, answer.text)


@FEW
@given(catalog=strategies.catalogs())
def test_what_confidence_shows_and_is_sent_back_is_no_change(catalog: Catalog) -> None:
    with served(catalog) as api:
        instances = api.get("/v1/workflows/abtest/instances?pageSize=1000")["abtests"]
        segments = api.get("/v1/segments?pageSize=1000")["segments"]
        for shown in (*instances, *segments):
            path = f"/v1/{shown['name']}"
            for query in ("", "?updateMask=*"):
                answer = sent(api, "PATCH", f"{path}{query}", shown)
                assert (answer.status_code, answer.json()) == (200, shown), (path, answer.text)
            for name in shown:
                sent(api, "PATCH", f"{path}?updateMask={name}", shown)
        for shown in api.get("/v1/flags?pageSize=1000")["flags"]:
            path = f"/v1/{shown['name']}"
            apart = {"variants", "rules", "clients"}  # not set here, and the refusal says so
            for name, value in shown.items():
                answer = sent(api, "PATCH", path, {name: value})
                assert answer.is_success or name in apart, (name, answer.text)
                assert answer.is_success or f"$.{name}" in answer.text
            settable = {name: shown[name] for name in shown.keys() - apart}
            answer = sent(api, "PATCH", path, settable)
            assert (answer.status_code, answer.json()) == (200, shown), (path, answer.text)


@FEW
@given(catalog=strategies.catalogs())
def test_what_launchdarkly_shows_and_is_sent_back_is_no_change(catalog: Catalog) -> None:
    with served(catalog) as api:
        here = {"environmentKey": "production"}
        for key in api.catalog.experiments:
            path = f"{EXPERIMENTS}/{key}"
            shown = api.get(path)
            named = {"updateName": shown["name"], "updateDescription": shown["description"]}
            steps = [{"kind": kind, "value": value} for kind, value in named.items()]
            answer = sent(api, "PATCH", path, {"instructions": steps}, content_type=SEMANTIC)
            assert answer.is_success, answer.text
        for key in api.catalog.flags:
            path = f"{FLAGS}/{key}"
            shown = api.get(path)
            on = shown["environments"]["production"]["on"]
            steps = [
                {"kind": "updateName", "value": shown["name"]},
                {"kind": "updateDescription", "value": shown["description"]},
                *(
                    [{"kind": "turnFlagOn" if on else "turnFlagOff"}]
                    if not shown["archived"]
                    else []
                ),
                {"kind": "addTags", "values": shown["tags"]},
            ]
            answer = sent(
                api, "PATCH", path, {**here, "instructions": steps}, content_type=SEMANTIC
            )
            assert answer.is_success, answer.text
            for name in ("name", "description", "archived", "temporary"):
                patch = [{"op": "replace", "path": f"/{name}", "value": shown[name]}]
                answer = sent(api, "PATCH", path, patch)
                assert answer.is_success, (patch, answer.text)
