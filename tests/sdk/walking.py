"""What the probes share: whom they ask, the client, and the steps they walk.

It needs launchdarkly-api alone, in whose environment the probes run.
"""

import argparse
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version

import launchdarkly_api as ld

SEMANTIC = "application/json; domain-model=launchdarkly.semanticpatch"

parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("--token", required=True)
parser.add_argument("--project", default="default")
parser.add_argument("--env", default="production")
ASKED = parser.parse_args()
P, E, RUN = ASKED.project, ASKED.env, secrets.token_hex(3)


def configured(token: str) -> ld.ApiClient:
    configuration = ld.Configuration(host=ASKED.url)
    configuration.api_key["ApiKey"] = token
    return ld.ApiClient(configuration)


CLIENT = configured(ASKED.token)
EXPERIMENTS = ld.ExperimentsApi(CLIENT)
FLAGS = ld.FeatureFlagsApi(CLIENT)
LAYERS = ld.LayersApi(CLIENT)
HOLDOUTS = ld.HoldoutsApi(CLIENT)
STEPS: list[tuple[str, Callable[[], None]]] = []


def step(made: Callable[[], None]) -> Callable[[], None]:
    STEPS.append((made.__name__.replace("_", " "), made))
    return made


def key(word: str) -> str:
    """A key that nobody has."""
    return f"{word}-{RUN}"


@contextmanager
def refused(status: int, code: str = "") -> Iterator[None]:
    """Whatever is done within is answered with that status, and the vendor's body.

    The code is the one given; any, where none is.
    """
    try:
        yield
    except ld.ApiException as error:
        failed = error
    else:
        raise AssertionError(f"this was to be refused with {status}")
    body = json.loads(failed.body)
    assert failed.status == status, (failed.status, body)
    assert {"code", "message", "id"} == body.keys(), body
    assert code in ("", body["code"]), body


def walk() -> int:
    """Take every step and tell of each; the exit code."""
    print(f"launchdarkly-api {version('launchdarkly-api')}, {ASKED.url}")
    failed = 0
    for name, made in STEPS:
        try:
            made()
            print("PASS", name)
        except Exception as error:  # noqa: BLE001  # a probe tells of whatever goes wrong
            failed += 1
            print("FAIL", name, type(error).__name__, str(error)[:600])
    print(f"{len(STEPS) - failed} PASS, {failed} FAIL of {len(STEPS)} steps")
    return 1 if failed else 0
