"""docker-compose.yml and the Dockerfile keep their promises. No Docker engine is needed to read them."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import tomllib
from importlib.resources import files
from pathlib import Path, PurePosixPath

import jsonschema
import psycopg
import pytest

from tests.ground.compose import ONE_SHOT, OURS, ROOT, SERVERS, flags, load, services
from worker.config import load_settings
from worker.embedded.binaries import NEWEST_POSTGRES
from worker.sandbox.settings import as_toml
from worker.sandbox.world import World
from worker.store.roles import Login

SECRETS = {
    *("postgres_password", "database_admin_url", "database_owner_url", "database_url"),
    *("redis_conf", "redis_url"),
}
TOKENS = '[{"name": "an.peeters", "token": "Zq3v9XkT2mWb8RjY5nPdL7sHc4FgA1eU6oKi", "role": "viewer"}]\n'


@pytest.mark.parametrize("name", ["docker-compose.yml", "deploy/docker-compose.vendors.yml"])
def test_the_file_is_valid_by_the_compose_specification(name: str) -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())

    jsonschema.validate(load(name), schema)


def test_there_is_one_service_for_each_part_and_each_server() -> None:
    assert set(services()) == OURS | SERVERS
    assert [name for name, service in services().items() if "profiles" in service] == ["sandbox"]


def test_only_the_receiver_publishes_a_port_and_only_on_this_machine_unless_told_otherwise() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}

    assert published == {"receiver": ["127.0.0.1:8080:8080"]}
    assert not any(service.get("network_mode") for service in services().values())


def test_only_what_calls_vendors_has_a_way_out() -> None:
    networks = load()["networks"]

    assert networks["inside"] == {"internal": True}
    assert networks["entry"]["driver_opts"] == {"com.docker.network.bridge.enable_ip_masquerade": "false"}
    assert {name for name, service in services().items() if "outside" in service["networks"]} == {"worker", "sandbox"}
    assert services()["receiver"]["networks"] == ["inside", "entry"]
    assert {name for name, service in services().items() if service["networks"] == ["inside"]} == {
        "migrate",
        "scheduler",
        *SERVERS,
    }


def test_everything_that_keeps_running_is_started_again_and_watched() -> None:
    for name, service in services().items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "unless-stopped", name
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"]), name
        assert re.fullmatch(r"\d+s", service["stop_grace_period"]), name


def test_no_part_starts_before_the_database_has_its_newest_schema() -> None:
    ours = services()

    assert ours["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in OURS - {"migrate", "sandbox"}:
        assert ours[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert "redis" not in ours["receiver"]["depends_on"], "events are accepted while Redis is away"


def test_logs_cannot_fill_the_disk() -> None:
    for service in services().values():
        assert service["logging"] == {"driver": "json-file", "options": {"max-size": "10m", "max-file": "5"}}


def test_no_container_can_change_its_files_or_gain_rights() -> None:
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert all(re.search(r":size=\d+m$", one) for one in service["tmpfs"]), name
    # Ours run as 10001, as the image says; the images of the servers begin as root unless they are told.
    assert {name: service.get("user") for name, service in services().items() if name in SERVERS} == {
        "postgres": "postgres",
        "redis": "redis",
    }


def test_no_container_takes_the_whole_machine() -> None:
    for name, service in services().items():
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert 0 < service["pids_limit"] <= 400, name
    assert services()["receiver"]["ulimits"] == {"nofile": 65536}


def test_each_image_can_be_given_by_digest() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    dockerfile = (ROOT / "Dockerfile").read_text()

    for name in SERVERS:
        assert f"image: ${{SYNC_{name.upper()}_IMAGE:-{services()[name]['image']}}}" in text
    default = services()["worker"]["build"]["args"]["PYTHON_IMAGE"]
    assert f"ARG PYTHON_IMAGE={default}\n" in dockerfile
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_redis_keeps_what_it_has_and_refuses_rather_than_evicts() -> None:
    command = services()["redis"]["command"]

    assert command[:2] == ["redis-server", "/run/secrets/redis_conf"]
    assert flags(command) == {
        "--dir": "/data",
        "--appendonly": "yes",
        "--appendfsync": "everysec",
        "--maxmemory": "256mb",
        "--maxmemory-policy": "noeviction",
        "--maxclients": "1000",
        "--client-output-buffer-limit": "normal",
    }
    assert command[-4:] == ["normal", "32mb", "8mb", "30"], "a client that does not read is disconnected"
    assert services()["redis"]["volumes"] == ["redis:/data"]


def test_postgresql_is_of_the_version_that_the_tests_run_on() -> None:
    image = services()["postgres"]["image"]

    assert re.fullmatch(rf"postgres:{NEWEST_POSTGRES}(\.\d+)?-\w+", image)


@pytest.mark.slow
def test_postgresql_has_the_settings_of_the_one_that_the_tests_run_on(database_url: str) -> None:
    given = [one for one in services()["postgres"]["command"][1:] if one != "-c"]
    with psycopg.connect(database_url) as connection:
        for name, value in (one.split("=") for one in given):
            row = connection.execute("SELECT setting FROM pg_settings WHERE name = %s", (name,)).fetchone()
            assert row == (value,)


@pytest.mark.slow
def test_postgresql_sorts_and_compares_as_the_one_that_the_tests_run_on(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datlocprovider::text, datlocale"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()

    arguments = services()["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert row == ("UTF8", "C", "b", "C.UTF-8")
    assert {"--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"} <= set(arguments)


def test_every_secret_is_a_file_and_none_stands_in_the_environment() -> None:
    document = load()

    assert {name: entry["file"] for name, entry in document["secrets"].items()} == {
        name: f"./deploy/secrets/{name}" for name in SECRETS
    }
    for service in document["services"].values():
        mounted = set(service.get("secrets", []))
        for name, value in service.get("environment", {}).items():
            if name.endswith("_FILE"):
                assert PurePosixPath(value) in {PurePosixPath("/run/secrets", secret) for secret in mounted}
            else:
                assert not re.search(r"(?i)password|secret|token|url", name)
    assert {secret for service in document["services"].values() for secret in service.get("secrets", [])} == SECRETS


def test_each_part_gets_the_secrets_that_it_needs() -> None:
    given = {name: set(service["secrets"]) for name, service in services().items() if "secrets" in service}
    for name, service in load("deploy/docker-compose.vendors.yml")["services"].items():
        given[name] |= set(service["secrets"])

    servers = {"database_url", "redis_url"}
    vendors = {"robaws_password", "rompslomp_token", "recras_api_key", "workspace_token", "routix_client_secret"}
    assert given == {
        "postgres": {"postgres_password"},
        "redis": {"redis_conf"},
        "migrate": {"database_url", "database_owner_url", "database_admin_url"},
        "receiver": {*servers, "robaws_webhook_secrets", "ops_tokens"},
        "scheduler": {*servers, "database_owner_url"},
        "worker": {*servers, *vendors, "robaws_webhook_secrets"},
    }


def test_the_secrets_that_are_made_are_random_and_readable_by_the_containers_only(tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]

    for folder in folders:
        subprocess.run([ROOT / "deploy/make-secrets", folder], check=True, capture_output=True)

    first, second = ({path.name: path.read_text() for path in folder.iterdir()} for folder in folders)
    assert first.pop("robaws_webhook_secrets") == second.pop("robaws_webhook_secrets") == ""
    assert set(first) == set(second) == SECRETS
    assert not set(first.values()) & set(second.values())
    password = first["postgres_password"].strip()
    assert first["database_admin_url"] == f"postgresql://contactsync:{password}@postgres:5432/contactsync\n"
    logins = {name: Login.of(text.strip()) for name, text in first.items() if name.startswith("database_")}
    assert {name: login.name for name, login in logins.items()} == {
        "database_admin_url": "contactsync",
        "database_owner_url": "contactsync_owner",
        "database_url": "contactsync_app",
    }
    assert len({login.password for login in logins.values()}) == 3
    password = first["redis_conf"].removeprefix("requirepass ").strip()
    assert first["redis_url"] == f"redis://default:{password}@redis:6379/0\n"
    assert stat.S_IMODE(folders[0].stat().st_mode) == 0o700
    webhook = folders[0] / "robaws_webhook_secrets"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders[0].iterdir() if path != webhook} == {0o444}
    assert stat.S_IMODE(webhook.stat().st_mode) == 0o644


def test_secrets_that_exist_are_kept_and_a_lost_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    def make_secrets() -> subprocess.CompletedProcess[str]:
        return subprocess.run([ROOT / "deploy/make-secrets", tmp_path], capture_output=True, text=True, check=False)

    make_secrets()
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    again = make_secrets()
    assert again.returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before

    (tmp_path / "redis_url").unlink()
    halved = make_secrets()
    assert halved.returncode == 1
    assert "redis_url" in halved.stderr
    assert not (tmp_path / "redis_url").exists()


@pytest.mark.parametrize("service", sorted(OURS - {"sandbox"}))
def test_every_part_takes_the_addresses_that_are_made_for_it(service: str, tmp_path: Path) -> None:
    subprocess.run([ROOT / "deploy/make-secrets", tmp_path], check=True, capture_output=True)
    written: dict[str, str] = services()[service]["environment"]
    environ = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in written.items()}
    del environ["CONTACTSYNC_CONFIG"]

    settings = load_settings(environ=environ, cwd=tmp_path)

    assert settings.database.allow_insecure
    assert settings.redis.allow_insecure == (settings.redis.url is not None) == (service != "migrate")
    assert load()["networks"]["inside"] == {"internal": True}, "they go through a network that nobody else is in"


def test_the_secrets_of_an_installation_with_one_database_user_get_two_more(tmp_path: Path) -> None:
    before = "postgresql://contactsync:made-up@postgres:5432/contactsync\n"
    (tmp_path / "postgres_password").write_text("made-up\n")
    (tmp_path / "database_url").write_text(before)

    subprocess.run([ROOT / "deploy/make-secrets", tmp_path], check=True, capture_output=True)

    assert (tmp_path / "postgres_password").read_text() == "made-up\n"
    assert (tmp_path / "database_admin_url").read_text() == before
    assert Login.of((tmp_path / "database_url").read_text().strip()).name == "contactsync_app"


def test_an_address_of_a_server_elsewhere_is_kept(tmp_path: Path) -> None:
    elsewhere = "postgresql://hub:made-up@db.example:5432/hub?sslmode=verify-full\n"
    (tmp_path / "database_url").write_text(elsewhere)

    subprocess.run([ROOT / "deploy/make-secrets", tmp_path], check=True, capture_output=True)

    assert (tmp_path / "database_url").read_text() == elsewhere


@pytest.mark.parametrize("service", ["receiver", "worker"])
def test_the_overlay_names_credentials_that_the_settings_know(tmp_path: Path, service: str) -> None:
    overlay = load("deploy/docker-compose.vendors.yml")
    secrets = {f"/run/secrets/{name}": tmp_path / name for name in overlay["services"][service]["secrets"]}
    for path in secrets.values():
        path.write_text(f"made-up-{path.name}\n")
    (tmp_path / "ops_tokens").write_text(TOKENS)
    given = overlay["services"][service]["environment"]

    settings = load_settings(environ={name: str(secrets[value]) for name, value in given.items()}, cwd=tmp_path)

    assert set(given.values()) == set(secrets), "each secret is read"
    robaws = settings.systems.robaws
    assert [one.get_secret_value() for one in robaws.webhook_secrets] == ["made-up-robaws_webhook_secrets"]
    assert (robaws.password is not None) == (service == "worker")
    assert bool(settings.ops.tokens) == (service == "receiver")


def test_the_sandbox_settings_are_those_that_the_sandbox_prints() -> None:
    world = World()
    world.url = "http://sandbox:9000"
    printed = tomllib.loads(as_toml(world.settings()))["systems"]

    written = tomllib.loads((ROOT / "deploy/contactsync.sandbox.toml").read_text())

    # Without TLS, as nothing leaves the machine: that alone is not printed.
    assert written["systems"] == {name: {**one, "allow_http": True} for name, one in printed.items()}


def test_the_image_runs_as_nobody_in_particular_and_holds_what_runs_and_nothing_else() -> None:
    text = (ROOT / "Dockerfile").read_text()
    copied = {name for line in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE) for name in line.split()}
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["10001:10001"]
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    assert {"alembic", "models", "webhooks", "worker"} <= copied
    assert "--require-hashes" in text


FAKE_DOCKER = """#!/bin/sh
[ "$1 $2 $3" = "buildx imagetools inspect" ] || exit 9
echo "{digest}"
"""


def pin_images(folder: Path, digest: str) -> subprocess.CompletedProcess[str]:
    """`deploy/pin-images` beside a registry that knows one digest."""
    program = folder / "docker"
    program.write_text(FAKE_DOCKER.format(digest=digest))
    program.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run([ROOT / "deploy/pin-images"], env=environment, capture_output=True, text=True, check=False)


def test_the_images_are_pinned_by_the_digests_that_the_registry_gives(tmp_path: Path) -> None:
    digest = f"sha256:{'0a' * 32}"

    ran = pin_images(tmp_path, digest)

    assert ran.returncode == 0, ran.stderr
    pinned = dict(line.split("=", 1) for line in ran.stdout.splitlines())
    assert pinned == {
        "SYNC_POSTGRES_IMAGE": f"{services()['postgres']['image']}@{digest}",
        "SYNC_PYTHON_IMAGE": f"{services()['worker']['build']['args']['PYTHON_IMAGE']}@{digest}",
        "SYNC_REDIS_IMAGE": f"{services()['redis']['image']}@{digest}",
    }


def test_a_registry_that_gives_no_digest_pins_nothing(tmp_path: Path) -> None:
    ran = pin_images(tmp_path, "<no value>")

    assert ran.returncode == 1
    assert "gave no digest" in ran.stderr
    assert ran.stdout == ""
