"""What examples/deploy says is so: by schema, by the code, and by running it without containers."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from allotment.errors import InvalidInput
from allotment.server.settings import OF_OTHERS, PREFIX, Settings
from docs.blocks import HOUSE
from postgres import Postgres, postgres
from serving import PATIENCE, Server, environment

DEPLOY = HOUSE / "examples" / "deploy"
IMAGE = (HOUSE / "Dockerfile").read_text()
PASSWORD = "not in the file"


def documents(name: str) -> list[Any]:
    return [*YAML(typ="safe").load_all((DEPLOY / name).read_text())]


KUBERNETES = {
    (each["kind"], each["metadata"]["name"]): each for each in documents("kubernetes.yaml")
}
POD = KUBERNETES["Deployment", "allotment"]["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]
[COMPOSE] = documents("compose.yaml")
NODE = COMPOSE["services"]["node"]
[SCRAPED] = documents("prometheus.yml")[0]["scrape_configs"]

# What each of the two gives to the process, and how long it waits for its end.
GIVEN: dict[str, tuple[Mapping[str, str], list[str], float]] = {
    "kubernetes": (
        KUBERNETES["ConfigMap", "allotment"]["data"],
        CONTAINER["args"],
        POD["terminationGracePeriodSeconds"],
    ),
    "compose": (NODE["environment"], NODE["command"], float(NODE["stop_grace_period"][:-1])),
}


def settings(given: Mapping[str, str]) -> Settings:
    """The settings that these variables make; raises InvalidInput for one that is unknown."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(given).items():
            patch.setenv(name, value)
        return Settings()


@pytest.mark.parametrize("name", KUBERNETES, ids="/".join)
def test_a_manifest_is_valid_in_an_old_kubernetes_and_in_the_newest(name: tuple[str, str]) -> None:
    for version in ("1.28", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(KUBERNETES[name], version, strict=True)


def test_a_manifest_with_a_misspelt_field_is_refused() -> None:
    wrong = {**KUBERNETES["Deployment", "allotment"], "replica": 2}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        kubernetes_validate.validate(wrong, "1.30", strict=True)


def test_the_compose_file_is_valid() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    compose_spec.PyCompose.from_yaml(text).validate()
    for right, wrong in (("read_only", "readonly"), ("[postgres-password]", "[password]")):
        assert right in text
        with pytest.raises(ValueError, match=wrong.strip("[]")):
            compose_spec.PyCompose.from_yaml(text.replace(right, wrong, 1)).validate()


def promtool(*arguments: object) -> str:
    program = shutil.which("promtool")
    assert program, "promtool is missing: `apt-get install prometheus` (see .ci/run)"
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_scrape_config_and_the_alerts(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("allot_x")
    text = (DEPLOY / "prometheus.yml").read_text()
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace(SCRAPED["authorization"]["credentials_file"], str(token)))
    assert "SUCCESS" in promtool("check", "config", config)
    page = (HOUSE / "docs/production.md").read_text()
    [alerts] = re.findall(r"^```yaml\n(groups:.*?)^```", page, re.DOTALL | re.MULTILINE)
    rules = tmp_path / "alerts.yml"
    rules.write_text(alerts)
    assert "SUCCESS" in promtool("check", "rules", rules)


@pytest.mark.parametrize("kind", GIVEN)
def test_every_variable_is_a_setting_and_the_grace_is_long_enough(kind: str) -> None:
    given, _, grace = GIVEN[kind]
    ours = {name.removeprefix(PREFIX).lower() for name in given if name.startswith(PREFIX)}
    assert "database_url" in ours
    assert ours <= set(Settings.model_fields)
    made = settings(given)
    assert grace >= made.drain_seconds + made.stop_seconds + 10
    assert PASSWORD not in str(given)
    assert not re.search(r"://\w+:", made.database_url), "the password is in the address"


def test_what_is_named_is_what_the_image_and_the_server_have() -> None:
    user = re.search(r"--uid (\d+)", IMAGE)
    assert user
    assert POD["securityContext"]["runAsUser"] == int(user[1])
    port = Settings.model_fields["port"].default
    assert f"EXPOSE {port}\n" in IMAGE
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": port}]
    assert NODE["ports"][0]["target"] == port
    assert SCRAPED["dns_sd_configs"][0]["port"] == port
    [volume] = CONTAINER["volumeMounts"]
    assert f'VOLUME ["{volume["mountPath"]}"]' in IMAGE
    assert f"WORKDIR {volume['mountPath']}\n" in IMAGE
    for given, _, _ in GIVEN.values():
        assert given["TMPDIR"] == volume["mountPath"]
    [name] = SCRAPED["dns_sd_configs"][0]["names"]
    assert KUBERNETES["Service", name]["spec"]["clusterIP"] == "None"
    assert NODE["networks"]["default"]["aliases"] == [name]
    assert 'ENTRYPOINT ["allotment"]' in IMAGE
    readiness = CONTAINER["readinessProbe"]
    noticed = readiness["periodSeconds"] * readiness["failureThreshold"]
    assert settings(GIVEN["kubernetes"][0]).drain_seconds > noticed


def test_the_name_of_the_service_is_no_setting_of_the_server() -> None:
    """For a Service `allotment` Kubernetes sets ALLOTMENT_PORT=tcp://..., unless told not to."""
    links = {"ALLOTMENT_PORT": "tcp://10.0.0.1:80", "ALLOTMENT_SERVICE_HOST": "10.0.0.1"}
    for name, value in links.items():
        with pytest.raises(InvalidInput, match=name):
            settings({name: value})
    assert POD["enableServiceLinks"] is False
    assert "SERVICE_HOST" not in OF_OTHERS


@pytest.fixture(scope="module")
def guarded() -> Iterator[Postgres]:
    """A PostgreSQL that asks the user of the manifests for a password."""
    with postgres() as server:
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE allotment LOGIN PASSWORD '{PASSWORD}'")
        rules = Path(server._data) / "pg_hba.conf"
        rules.write_text(f"local all allotment scram-sha-256\n{rules.read_text()}")
        with server.connect() as connection:
            connection.execute("SELECT pg_reload_conf()")
        yield server


def test_nodes_run_as_they_are_told_and_stop_in_time(guarded: Postgres, tmp_path: Path) -> None:
    """One as Kubernetes runs it, one as compose does: each its command, its environment, its grace.

    Only the database, the port and the folder are this machine's, and the drain is short.
    """
    with guarded.connect() as connection:
        connection.execute("CREATE DATABASE allotment OWNER allotment")
    here = f"@/allotment?host={guarded.folder}"
    server, nodes = Server.program[:-1], {}
    for kind, (given, command, _) in GIVEN.items():
        store = given["ALLOTMENT_DATABASE_URL"]
        assert "@postgres/allotment" in store
        ours = {
            "PGPASSWORD": PASSWORD,
            "ALLOTMENT_DATABASE_URL": store.replace("@postgres/allotment", here),
            "ALLOTMENT_HOST": "127.0.0.1",
            "ALLOTMENT_PORT": "0",
            "ALLOTMENT_DRAIN_SECONDS": "1",
            "TMPDIR": str(tmp_path),
        }
        folder = tmp_path / kind
        folder.mkdir()
        nodes[kind] = Server(
            folder, environment({**given, **ours}), "", program=(*server, *command)
        )
    compose = (DEPLOY / "compose.yaml").read_text()
    [create] = re.findall(r"^# .* (token create .*)$", compose, re.MULTILINE)
    made = subprocess.run(
        [*server, *create.split()],
        env=nodes["compose"].environment,
        capture_output=True,
        text=True,
        check=True,
    )
    try:
        for node in nodes.values():
            node.launch()
        for node in nodes.values():
            for name in ("startupProbe", "livenessProbe", "readinessProbe"):
                until_it_answers(node, CONTAINER[name]["httpGet"]["path"])
            with node.client(token=made.stdout.strip()) as client:
                assert client.get(SCRAPED.get("metrics_path", "/metrics")).status_code == 200
            assert not (node.folder / "allotment.token").exists(), "there was a token already"
            node.process.send_signal(signal.SIGTERM)
        ends = {kind: node.process.wait(GIVEN[kind][2]) for kind, node in nodes.items()}
        assert set(ends.values()) == {0}, ends
    finally:
        for node in nodes.values():
            node.kill()


def until_it_answers(node: Server, path: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not node._answers(0, path):
        assert node.process.poll() is None, node.log
        assert time.monotonic() < deadline, node.log
        time.sleep(0.02)
