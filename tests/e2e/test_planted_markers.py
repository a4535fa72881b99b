"""
A planted-marker run: secrets and personal values through events, answers, refusals, actions and settings of a running
installation; then every byte that it shows or writes is searched for them.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import psycopg
import pytest
import redis
from psycopg import sql

from tests.e2e import planted
from tests.e2e.planted import PLANTED, TOKENS, Planted
from tests.e2e.tree import ROOT, Tree, running_tree
from webhooks.api.routes import CALLS
from worker.core import signature
from worker.embedded.servers import connect_existing
from worker.sandbox.server import SandboxServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
TARGETS = ("rompslomp", "recras", "workspace")


def plant_credentials(sandbox: SandboxServer) -> None:
    """Give the simulated vendors other credentials, which the settings then carry."""
    vendors: dict[str, Any] = dict(sandbox.simulators)
    given = planted.CREDENTIALS
    vendors["robaws"].password = given["robaws password"]
    vendors["rompslomp"].tokens = {given["rompslomp token"]: next(iter(vendors["rompslomp"].tokens.values()))}
    vendors["recras"].access.keys = {given["recras key"]: next(iter(vendors["recras"].access.keys.values()))}
    vendors["workspace"].access.token = given["workspace token"]
    vendors["routix"].client_secret = given["routix secret"]


def send(tree: Tree, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """A request of any kind; the status and the text of its answer."""
    request = urllib.request.Request(f"{tree.address}{path}", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status), answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return int(error.code), error.read().decode(errors="replace")


def webhook(tree: Tree, body: bytes) -> int:
    """A signed webhook."""
    signed = signature.sign(tree.secret, int(time.time()), body)
    headers = {"Content-Type": "application/json", "Robaws-Signature": signed, "User-Agent": planted.AGENT}
    return send(tree, "/webhooks/robaws", body, **headers)[0]


def event(event_id: str, source_id: str, kind: str = "client.updated", **data: Any) -> bytes:
    return json.dumps({"id": event_id, "event": kind, "data": {**data, "id": source_id}}).encode()


def ask(tree: Tree, path: str, role: str = "operator", body: Any = None) -> tuple[int, str]:
    """A call of the API."""
    headers = {"Authorization": f"Bearer {TOKENS[role]}"}
    return send(tree, f"/api/v1{path}", None if body is None else json.dumps(body).encode(), **headers)


def items(tree: Tree, path: str) -> list[dict[str, Any]]:
    status, text = ask(tree, path)
    assert status == 200, text
    listed: list[dict[str, Any]] = json.loads(text)["items"]
    return listed


def refuse(sandbox: SandboxServer) -> None:
    """From now on each vendor refuses, with strangers, bank data and our own credential in what it says."""
    given = planted.CREDENTIALS
    echo = f"{planted.STRANGER} has this number ({planted.IBAN_IN_AN_ANSWER}); you sent Bearer "
    rompslomp = {"error": {"type": "client.validation", "message": echo + given["rompslomp token"]}}
    recras = {
        "message": f"{echo}{given['recras key']}",
        "duplicate": {"naam": planted.STRANGER, "adres": planted.STRANGERS_STREET, "iban": [planted.IBAN_IN_AN_ANSWER]},
    }
    page = f"<h1>{planted.STRANGERS_PAGE}</h1><pre>{planted.CREDENTIALS['workspace token']}</pre>"
    basic = base64.b64encode(f"token:{given['workspace token']}".encode()).decode()
    writes = {"method": "POST", "times": -1}
    sandbox.simulators["rompslomp"].fail("status", status=422, body=json.dumps(rompslomp), **writes)
    sandbox.simulators["recras"].fail("status", status=406, body=json.dumps(recras), **writes)
    sandbox.simulators["workspace"].fail(
        "status", status=400, body=f"{page}<p>Basic {basic}</p>", content_type="text/html", **writes
    )


def state(tree: Tree, source_id: str) -> dict[str, str]:
    """The links of a client, none while it is not known."""
    shown = json.loads(ask(tree, f"/contacts/{source_id}")[1])
    return {link["system"]: link["state"] for link in shown.get("links", [])}


def is_stuck(tree: Tree, source_id: str) -> bool:
    found = state(tree, source_id)
    return set(found) >= set(TARGETS) and set(found.values()) <= {"dead", "waiting", "review", "unknown"}


def play(tree: Tree) -> dict[str, str]:
    """The story; returns what requests that are refused were answered with."""
    sandbox = tree.sandbox
    vendors: dict[str, Any] = dict(sandbox.simulators)
    vendors["workspace"].add_record(name="Iemand anders", email=planted.STRANGERS_MAIL)
    good = tree.robaws.add_client(**planted.ORGANISATION)
    tree.robaws.set_extra_field(good, "Rompslomp-id", f"{planted.FREE_TEXT}, {planted.IBAN_WITH_BLANKS}")
    assert webhook(tree, event("planted-1", good, **planted.EVENT_DATA)) == 202
    tree.wait_for(lambda: set(state(tree, good).values()) == {"synced"} and len(state(tree, good)) == 3, 60)

    refuse(sandbox)
    bad = tree.robaws.add_client(**planted.PERSON)
    assert webhook(tree, event("planted-2", bad)) == 202
    tree.wait_for(lambda: is_stuck(tree, bad), 60)
    assert webhook(tree, event("planted-3", "77", planted.ODD_KIND)) == 202
    assert webhook(tree, json.dumps({"text": planted.QUARANTINED}).encode()) == 400

    act(tree, good)
    return {"errors": attack(tree)}


def act(tree: Tree, source_id: str) -> None:
    """People act, and type names into their reasons."""
    [line, *_] = [one["id"] for one in items(tree, "/retries?system=rompslomp")]
    done = [
        ask(tree, "/systems/recras/pause", body={"reason": planted.PAUSE}),
        ask(tree, f"/contacts/{source_id}/sync", body={"reason": planted.SYNC}),
        ask(tree, f"/retries/{line}/discard", body={"reason": planted.DISCARD}),
        ask(
            tree,
            "/bulk",
            body={"action": "retry", "filter": {"query": planted.QUERY}, "reason": planted.BULK, "expect": 0},
        ),
    ]
    assert [status for status, _ in done] == [200, 202, 200, 202], done


def attack(tree: Tree) -> str:
    """Strangers and a viewer knock where they may not; what they are answered."""
    guess = {"Authorization": f"Bearer {planted.GUESS}"}
    words = urllib.parse.quote(planted.SEARCH)
    requests: list[tuple[str, bytes | None, dict[str, str]]] = [
        ("/api/v1/contacts", None, guess),
        (f"/api/v1/contacts?token={planted.GUESS}-q", None, {}),
        ("/", None, {"Authorization": f"Basic {base64.b64encode(f'x:{planted.GUESS}'.encode()).decode()}"}),
        (f"/webhooks/robaws?token={planted.GUESS}-q", b"{}", {"Robaws-Signature": f"t=1,v1={planted.GUESS}"}),
        ("/webhooks/robaws", event("planted-9", "1", note=planted.SEARCH), {"Content-Type": "application/json"}),
        (f"/api/v1/retries/{planted.GUESS}-q", None, {}),
    ]
    viewer = {"Authorization": f"Bearer {TOKENS['viewer']}"}
    own = [
        (f"/api/v1/contacts?query={words}", None, viewer),
        ("/api/v1/contacts?query=Vanplanteghem", None, viewer),
        ("/api/v1/systems/recras/resume", b"{}", viewer),
        ("/api/v1/contacts/1/exclude", b"{", viewer),
        ("/api/v1/events/not-there", None, viewer),
    ]
    answers = [send(tree, path, body, **headers) for path, body, headers in (*requests, *own)]
    assert max(status for status, _ in answers) < 500
    return "\n".join(text for _, text in answers)


def crawl(tree: Tree, role: str) -> str:
    """Every answer of every GET of the API, with all ids that there are."""
    ids = {
        "source_id": [one["source_id"] for one in items(tree, "/contacts")],
        "retry_id": [one["id"] for one in items(tree, "/retries")],
        "review_id": [one["id"] for one in items(tree, "/reviews")],
        "event_id": [urllib.parse.quote(one["id"], safe="") for one in items(tree, "/events")],
        "number": [str(one["id"]) for one in items(tree, "/events/rejected")],
        "bulk_id": [str(number) for number in range(1, 12)],
    }
    texts = []
    for call in CALLS:
        if call.method != "GET":
            continue
        name = next((name for name in ids if f"{{{name}" in call.path), "")
        for known in ids[name] if name else [""]:
            path = call.path.replace(f"{{{name}}}", known).replace(f"{{{name}:path}}", known)
            status, text = ask(tree, path, role)
            left = name == "retry_id" and status == 404  # it was delivered meanwhile
            assert status == 200 or left or name == "bulk_id", (path, status, text)
            texts.append(text)
    return "\n".join(texts)


def database(url: str) -> str:
    """Every row of every table, bytes as text."""
    lines: list[str] = []
    with psycopg.connect(url) as connection:
        listed = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        for (table,) in connection.execute(listed).fetchall():
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table))):
                lines += [cell.decode(errors="replace") if isinstance(cell, bytes) else repr(cell) for cell in row]
    return "\n".join(lines)


def broker(url: str) -> str:
    """Every key of Redis with its value."""
    with redis.Redis.from_url(url) as client:
        dumps = [key + b" " + (client.dump(key) or b"") for key in client.scan_iter()]
    return b"\n".join(dumps).decode(errors="replace")


def processes(tree: Tree) -> str:
    """What `ps` shows of the tree."""
    mine = psutil.Process(tree.process.pid)
    lines = []
    for process in (mine, *mine.children(recursive=True)):
        try:
            lines.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return "\n".join(lines)


def commands(home: Path) -> str:
    """What the commands that report say, all of them with the settings at hand."""
    env = {**os.environ, "CONTACTSYNC_CONFIG": str(home / "contactsync.toml"), "CONTACTSYNC_HOME": str(home / "home")}
    texts = []
    for words in (["status", "--json"], ["check"], ["systems", "list"], ["contacts", "show", "not-there"]):
        command = [sys.executable, "-m", "worker.cli", *words]
        run = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
        texts += [run.stdout, run.stderr]
    return "\n".join(texts)


def files(home: Path) -> str:
    """Whatever else stands in the home: not the logs and the database, and not the configuration of our Valkey."""
    folders = ("logs", "postgres")
    found = [path for path in home.rglob("*") if path.is_file() and path.relative_to(home).parts[0] not in folders]
    kept = [path for path in found if path.suffix not in (".conf", ".acl")]
    return "\n".join(f"{path.name}: {path.read_bytes().decode(errors='replace')}" for path in kept)


class Run(NamedTuple):
    """The text of every place, and the passwords of the bundled servers."""

    places: dict[str, str]
    passwords: list[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What the product shows and writes, after the story."""
    home = tmp_path_factory.mktemp("planted")
    with (home / "stderr").open("w+") as stderr:
        settings: dict[str, Any] = {
            "retry": {"ladder_seconds": [0.2, 0.2]},
            "sync": {"private_status": ["Particulier"]},
        }
        with running_tree(home, tokens=TOKENS, prepare=plant_credentials, stderr=stderr, **settings) as tree:
            answers = play(tree)
            servers = connect_existing(home / "home")
            assert servers is not None
            urls = (servers.database_url, servers.database_owner_url, servers.redis_url)
            passwords = [password for url in urls if (password := urllib.parse.urlsplit(url).password)]
            viewer = {"Authorization": f"Bearer {TOKENS['viewer']}"}
            page = base64.b64encode(f"x:{TOKENS['viewer']}".encode()).decode()
            made = {
                **answers,
                planted.VIEWER: crawl(tree, "viewer"),
                planted.OPERATOR: crawl(tree, "operator"),
                planted.DATABASE: database(servers.database_owner_url),
                "Redis": broker(servers.redis_url),
                "metrics": send(tree, "/metrics", None, **viewer)[1] + send(tree, "/readyz", None, **viewer)[1],
                "page": send(tree, "/", Authorization=f"Basic {page}")[1],
                "processes": processes(tree),
                planted.COMMANDS: commands(home),
            }
            assert tree.stop() == 0
            assert tree.process.stdout is not None
            made["standard output"] = tree.process.stdout.read()
        stderr.seek(0)
        made["standard output"] += stderr.read()
    logs = sorted((home / "home" / "logs").iterdir())
    assert len(logs) >= 5
    made["logs"] = "\n".join(log.read_text(errors="replace") for log in logs)
    made["other files"] = files(home / "home")
    return Run(made, passwords)


@pytest.fixture
def places(run: Run) -> dict[str, str]:
    return run.places


def test_nothing_planted_is_anywhere_but_where_it_may_be(places: dict[str, str]) -> None:
    allowed: dict[str, Planted] = {one.name: one for one in PLANTED}

    leaks = [
        f"{name} in {place}: {around!r}"
        for place, names in planted.found(places).items()
        for name, around in names.items()
        if place not in allowed[name].may
    ]

    assert not leaks, "\n".join(leaks)


def test_what_was_planted_did_arrive(places: dict[str, str]) -> None:
    seen = planted.found(places)

    missing = [(one.name, place) for one in PLANTED for place in one.must if one.name not in seen.get(place, {})]
    assert missing == []
    assert len(PLANTED) >= 40


def test_the_passwords_of_the_bundled_servers_are_nowhere(run: Run) -> None:
    assert len(run.passwords) == 3
    assert [place for place, text in run.places.items() for password in run.passwords if password in text] == []


def test_every_place_holds_something(places: dict[str, str]) -> None:
    assert [place for place, text in places.items() if len(text) < 20] == []
    assert planted.VIEWER in places
    assert '"total"' in places[planted.VIEWER]
