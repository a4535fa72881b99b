"""`contactsync demo` as a person starts it: it keeps its promises, sees when it does not, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.command import Command
from tests.cli.processes import running
from worker.cli import demo_home, demo_play
from worker.cli.demo import Teller
from worker.cli.demo_screen import Screen
from worker.config import Settings
from worker.sandbox.server import SandboxServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder with settings of somebody's own, which are wrong, so that whoever reads them fails.

    The environment holds one too.
    """
    (tmp_path / "contactsync.toml").write_text("this is no settings file")
    monkeypatch.setenv("CONTACTSYNC_DATABASE__URL", "postgresql://127.0.0.1:1/somebody-elses")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def home(folder: Path) -> Iterator[Path]:
    """Where the demo lives; in the end no process is left of it."""
    place = folder / "home"
    yield place
    assert [process for process in psutil.process_iter(["cmdline"]) if _is_of(process, place)] == []


def _is_of(process: psutil.Process, place: Path) -> bool:
    if process.pid == psutil.Process().pid:
        return False
    return any(str(place) in word for word in process.info["cmdline"] or ())


SHORT = """
from worker.cli import demo_play, main


def edit(story, client):
    record = story.watch.link(client, "workspace").external_id
    story.sandbox.simulators["workspace"].edit_record(record, {"location_city": "Elders"})


demo_play.CHAPTERS = (edit,)
main()
"""
"""The demo with its first chapter alone, after which somebody changes a record in Workspace."""


def test_a_system_that_does_not_agree_in_the_end_is_said_and_is_status_one(home: Path) -> None:
    with running("demo", "--exit", "--home", str(home), program=SHORT) as demo:
        told = demo.rest()
        status = demo.process.wait(60)

    assert status == 1, told
    assert "✗ workspace: city of Dakwerken De Linde is 'Elders', not 'Gent'" in told
    assert "What it means for you" not in told
    assert "\x1b" not in told, "plain lines off a terminal"
    assert "╭" not in told
    assert max(map(len, told.splitlines())) > 80, "and none of them folded"


COLUMNS = 80


def test_the_whole_story_is_kept_and_told_and_stays_open_to_be_tried(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("demo", "--speed", "0", "--home", str(home), terminal=(COLUMNS, 24)) as demo:
        demo.until("/api/v1/summary", 120)
        told = plain("".join(demo.lines))
        monkeypatch.delenv("CONTACTSYNC_DATABASE__URL")
        monkeypatch.setenv("CONTACTSYNC_CONFIG", str(home / demo_home.SETTINGS_FILE))
        contactsync = Command(capsys)

        shown = contactsync("contacts", "show", "1001")
        synced = contactsync("contacts", "sync", "1001", "--wait")
        checked = contactsync("check")
        document = contactsync("contacts", "show", "1001", "--json")
        lists = {
            name: contactsync(name, "list", "--json").json
            for name in ("contacts", "retries", "reviews", "events", "systems")
        }
        summary = contactsync("status", "--json")
        second = contactsync("demo", "--home", str(home))

        assert [one.status for one in (shown, synced, checked, document, summary)] == [0] * 5, checked.out
        assert "webhook" in shown.out
        assert "All is right" in checked.out
        assert "✓ servers: worker: seen" in checked.out
        assert asked(told, "contacts/1001") == document.json
        for name, said in lists.items():
            assert without_clock(said) == without_clock(asked(told, name))
        assert without_clock(summary.json) == without_clock(asked(told, "summary"))
        for role in demo_home.ROLES:
            assert asked(told, "contacts", role)["total"] == 10
        assert second.status == 2
        assert "another demo runs" in second.err
        assert demo.end(signal.SIGTERM, 60) == 0

    assert_it_went_well(told)
    assert_it_can_be_read(told)


def plain(output: str) -> str:
    """What a terminal was sent, without what steers it."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", output).replace("\r", "\n").replace("\u00a0", " ")


def assert_it_went_well(told: str) -> None:
    """Every promise of the story was kept, and the result says so in figures."""
    assert "✗" not in told
    assert "10 clients, each once in each system, alike in all of them" in told
    assert "✓ duplicates: 0" in told
    assert told.count("✓ ") >= 20, "no chapter was left out"
    assert "Rompslomp keeps +32 11 20 00 06, as a person decided" in told
    result = told[told.index("What it means for you") :]
    for line in (
        "29  records that nobody typed, for 10 clients",
        " 0  lost: ",
        " 0  duplicated: 30 records",
        " 1  record was there",
    ):
        assert line in result


def assert_it_can_be_read(told: str) -> None:
    """The address comes first; rows fit; lines are in order and folded; the panel is not behind; words are plain."""
    assert told.index("http://127.0.0.1:") < told.index("starting PostgreSQL")
    story = told[: told.index("All of it stays open")]
    assert max(map(len, story.splitlines())) <= COLUMNS
    times = [float(found) for found in re.findall(r"^ +(\d+\.\d\d)  \S", story, re.MULTILINE)]
    assert times == sorted(times)
    assert len(times) < 90, "a line for each thing, not for each request"
    for tick in ("✓ 60 webhooks of 50 events", "✓ corrected where it is kept"):
        after = story[story.index(tick) :]
        assert " + open 0 + dead 0" in after[after.index("events: received") :].splitlines()[0]
        panel = after[after.index("╭") : after.index("╰")]
        assert "review:" not in panel
    assert "searches, none found → create ✓ as" in story
    assert "create sent, the line dropped; nobody knows if it was made" in " ".join(story.split())
    for word in ("RemoteProtocolError", "worker.log", "signal 9", "schema"):
        assert word not in story
    assert "clients everywhere █" in story


def asked(told: str, path: str, role: str = "operator") -> Any:
    """What the API says, asked with a token that the demo shows, at the address that it shows."""
    token = re.search(rf"^ +(demo-{role}-\S+)", told, re.MULTILINE)
    address = re.search(r"the page +(http\S+)", told)
    assert token is not None
    assert address is not None
    request = urllib.request.Request(
        f"{address.group(1)}api/v1/{path}", headers={"Authorization": f"Bearer {token.group(1)}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def without_clock(document: Any) -> Any:
    """Calls are counted every few seconds, and ages grow, so two looks may differ in them."""
    if isinstance(document, dict):
        clock = ("calls_today", "quota_remaining", "last_event_seconds", "last_test_seconds")
        return {name: without_clock(value) for name, value in document.items() if name not in clock}
    return [without_clock(one) for one in document] if isinstance(document, list) else document


def test_it_can_be_ended_in_the_middle(home: Path) -> None:
    with running("demo", "--exit", "--home", str(home)) as demo:
        demo.until("It moves")

        status = demo.end(signal.SIGINT, 60)

    assert status == 0
    assert "The verdict" not in "".join(demo.lines)


@pytest.mark.parametrize(("kept", "status"), [(True, 0), (False, 1)])
def test_with_exit_the_status_says_whether_all_was_kept(
    kept: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_play, "play", lambda *_: kept)
    settings = Settings()
    teller = Teller(Screen(0), settings, SandboxServer(), {"operator": ""}, leave=True)

    teller.begin(settings)

    assert teller.end() == status


def test_a_home_that_holds_something_else_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = folder / "home" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("three years of work")

    ran = Command(capsys)("demo", "--home", "home")

    assert ran.status == 2
    assert "choose another --home" in ran.err
    assert kept.read_text() == "three years of work"


def test_a_demo_that_was_ended_at_once_is_no_stranger(folder: Path) -> None:
    begun = demo_home.prepare(Path("home"))
    (begun / "servers.lock").touch()

    assert demo_home.prepare(Path("home")) == begun


def test_an_earlier_demo_is_cleared_away(folder: Path) -> None:
    first = demo_home.prepare(Path("home"))
    demo_home.write_settings(first, {})
    (first / "left").write_text("from before")

    second = demo_home.prepare(Path("home"))

    assert sorted(one.name for one in second.iterdir()) == [".gitignore", "contactsync.toml", "logs"]
    assert (second / "contactsync.toml").read_text() == demo_home.MARK, "no settings of the one before"
    assert not list((second / "logs").iterdir())
