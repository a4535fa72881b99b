"""`contactsync demo` as a person starts it: it keeps its promises, sees when it does not, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import signal
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.command import Command
from tests.cli.processes import running
from worker.cli import demo_home
from worker.cli.demo_screen import Ended, Screen

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


def control(home: Path, system: str, path: str, members: dict[str, Any]) -> None:
    """Change something at a simulated vendor, as a person there would."""
    settings = tomllib.loads((home / demo_home.SETTINGS_FILE).read_text())["systems"][system]
    sandbox = settings["base_url"].split(f"/{system}/")[0]
    request = urllib.request.Request(
        f"{sandbox}/_sandbox/{system}/{path}", json.dumps(members).encode(), method="PATCH"
    )
    with urllib.request.urlopen(request, timeout=10):
        pass


def test_the_whole_story_ends_with_every_system_in_agreement(home: Path) -> None:
    with running("demo", "--exit", "--home", str(home)) as demo:
        told = demo.rest()
        status = demo.process.wait(60)

    assert status == 0, told
    assert "✗" not in told
    assert "9 clients, each once in each system, alike in all of them" in told
    assert "✓ doubles: 0" in told
    assert told.count("✓") >= 17, "no chapter was left out"


def test_a_system_that_does_not_agree_in_the_end_is_said_and_is_status_one(home: Path) -> None:
    with running("demo", "--exit", "--home", str(home)) as demo:
        demo.until("Lost answers")
        # Client 1001 is not looked at any more before the verdict; its record is the first that Workspace made.
        control(home, "workspace", "records/514", {"location_city": "Elders"})
        told = demo.rest()
        status = demo.process.wait(60)

    assert status == 1, told
    assert "✗ workspace: city of Dakwerken De Linde is 'Elders', not 'Genk'" in told


def test_it_stays_open_to_be_tried_until_it_is_told_to_stop(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running("demo", "--speed", "0", "--home", str(home)) as demo:
        demo.until("Ctrl-C ends it")
        api = demo.until("API")
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
        assert "✓ servers: worker: its last sign of life is" in checked.out
        assert asked(api, "contacts/1001") == document.json
        for name, said in lists.items():
            assert without_clock(said) == without_clock(asked(api, name))
        assert without_clock(summary.json) == without_clock(asked(api, "summary"))
        assert second.status == 2
        assert "another demo runs" in second.err
        assert demo.end(signal.SIGTERM, 60) == 0


def asked(line: str, path: str) -> Any:
    """What the API says, asked as the demo's own line of advice has it."""
    advice = re.search(r"Bearer (\S+)' (http\S+)/summary", line)
    assert advice is not None
    token, api = advice.groups()
    request = urllib.request.Request(f"{api}/{path}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def without_clock(document: Any) -> Any:
    """Calls are counted every few seconds, so two looks may differ in them."""
    if isinstance(document, dict):
        clock = ("calls_today", "quota_remaining")
        return {name: without_clock(value) for name, value in document.items() if name not in clock}
    return [without_clock(one) for one in document] if isinstance(document, list) else document


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_ended_in_the_middle(home: Path, number: int) -> None:
    with running("demo", "--exit", "--home", str(home)) as demo:
        demo.until("Fifty webhooks")

        status = demo.end(number, 60)

    assert status == 0
    assert "The verdict" not in "".join(demo.lines)


def test_a_home_that_holds_something_else_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = folder / "home" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("three years of work")

    ran = Command(capsys)("demo", "--home", "home")

    assert ran.status == 2
    assert "choose another --home" in ran.err
    assert kept.read_text() == "three years of work"


def test_an_earlier_demo_is_cleared_away(folder: Path) -> None:
    first = demo_home.prepare(Path("home"))
    demo_home.write_settings(first, {})
    (first / "left").write_text("from before")

    second = demo_home.prepare(Path("home"))

    assert sorted(one.name for one in second.iterdir()) == [".gitignore", "logs"]
    assert not list((second / "logs").iterdir())


def test_what_is_not_so_after_the_stop_is_no_broken_promise() -> None:
    screen = Screen(0)
    screen.stop()

    with pytest.raises(Ended):
        screen.tell(False, "both agree")

    assert screen.problems == []


def test_a_promise_that_is_not_kept_is_remembered(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(0)

    screen.tell(True, "kept")
    screen.tell(False, "both agree")

    assert screen.problems == ["NOT SO: both agree"]
    assert "✗ NOT SO: both agree" in capsys.readouterr().out
