"""What anybody may have written (names, webhook events, vendors' sentences) does nothing to an operator's terminal."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from tests.cli.conftest import CLIENT
from worker.cli import check
from worker.cli.output import console, plain_errors, say, stop
from worker.cli.tables import show_table
from worker.errors import VendorRejected
from worker.flows.checking import Checked
from worker.vendors.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.command import Command, Ran
    from tests.fixtures.hub import Hub

CLI = Path(__file__).parents[2] / "worker/cli"
CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"
HOSTILE = f"Evil{CLIPBOARD}\x1b[2K\x1b[1A\x9b8m\u202eexe.\nAll is right: synced"
"""Writes the clipboard, wipes the line above, hides what follows, turns the reading order, and forges a line."""


def unsafe(text: str) -> list[str]:
    return [one for one in text if one != "\n" and (one == "\u202e" or unicodedata.category(one) == "Cc")]


@pytest.fixture
def hostile(hub: Hub) -> str:
    """A client whose name steers terminals, which Rompslomp refuses in words that do the same."""
    body = json.dumps({"error": {"type": "invalid_record", "message": f"Contact is invalid: {HOSTILE}"}})
    hub.rompslomp.fail("status", status=422, body=body, method="POST")
    client_id = hub.robaws.add_client(**{**CLIENT, "name": HOSTILE})
    hub.sync(client_id)
    assert hub.link(client_id, "rompslomp")["state"] == "dead"
    return client_id


def everything(operator: Command, client: str) -> dict[str, Ran]:
    """Each command that shows a client, an event or a line of the queue, for people and as JSON."""
    events = operator("events", "list", "--json").json["items"]
    retries = operator("retries", "list", "--json").json["items"]
    shown: dict[str, Ran] = {}
    for words in (
        ("contacts", "list"),
        ("contacts", "show", client),
        ("retries", "list"),
        ("retries", "show", retries[0]["id"]),
        ("reviews", "list"),
        ("events", "list"),
        ("events", "show", events[0]["id"]),
        ("systems", "list"),
        ("status",),
    ):
        shown[" ".join(words)] = operator(*words)
        shown[" ".join(words) + " --json"] = operator(*words, "--json")
    return shown


def test_a_hostile_name_and_a_hostile_answer_are_shown_and_not_obeyed(operator: Command, hostile: str) -> None:
    shown = everything(operator, hostile)

    for words, ran in shown.items():
        assert not unsafe(ran.out + ran.err), words
        if not words.endswith("--json"):
            forged = [line for line in ran.out.splitlines() if line.startswith("All is right")]
            assert not forged, words
    assert r"Evil\x1b]52;c;cm0gLXJmIH4=" in shown[f"contacts show {hostile}"].out
    assert r"\x1b]52;c" in shown["retries list"].out
    assert shown["contacts list --json"].json["items"][0]["name"] == HOSTILE, "JSON holds the name as it is"


def test_a_terminal_gets_its_colours_and_nothing_of_a_text() -> None:
    code = (
        "import sys; from worker.cli.asking import state; from worker.cli.output import console;"
        "from worker.cli.tables import show_table;"
        f"show_table(['name', 'state'], [[{HOSTILE!r}, state('dead')]]); console().print({HOSTILE!r})"
    )

    said = on_a_terminal([sys.executable, "-c", code])

    assert b"\x1b[1;31mdead" in said
    assert CLIPBOARD.encode() not in said
    assert b"\x1b[2K" not in said
    assert b"\x1b[1A" not in said
    assert "\u202e".encode() not in said
    assert rb"Evil\x1b]52;c;cm0gLXJmIH4=\x07" in said
    assert rb"exe.\nAll is right: synced" in said, "the end of a line is shown too, and nothing stands below it"


def on_a_terminal(command: list[str]) -> bytes:
    """All that a command writes to a terminal of 200 columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
    said = bytearray()

    def read() -> None:
        try:
            while piece := os.read(ours, 65_536):
                said.extend(piece)
        except OSError:  # the other end is closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        subprocess.run(command, stdin=its, stdout=its, stderr=its, env=environment, check=True, timeout=60)
    finally:
        os.close(its)
        reader.join()
        os.close(ours)
    return bytes(said)


@pytest.mark.parametrize(
    "speak",
    [
        lambda: console().print(HOSTILE),
        lambda: console(stderr=True).print(f"[link=https://evil.example]{HOSTILE}[/link]"),
        lambda: show_table(["column"], [[HOSTILE]], "title"),
        lambda: say(HOSTILE),
        lambda: stop(0, HOSTILE),
    ],
    ids=["a line", "markup", "a table", "a remark", "the last words"],
)
def test_each_way_of_speaking_is_safe(speak: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(typer.Exit):
        speak()

    said = "".join(capsys.readouterr())
    assert "Evil" in said
    assert not unsafe(said)


FORGED = "refused\n✓ database: connection: answers"


def forged(ran: Ran) -> list[str]:
    return [line for line in (ran.out + ran.err).splitlines() if line.lstrip().startswith("✓ database")]


def test_the_reason_of_a_pause_forges_no_line_of_the_summary(operator: Command, client: str) -> None:
    operator("systems", "pause", "recras", "--reason", FORGED)

    ran = operator("status")

    assert ran.status == 1
    assert r"(refused\n✓ database" in ran.out
    assert not forged(ran)


def test_what_a_vendor_says_forges_no_line_of_check(monkeypatch: pytest.MonkeyPatch, contactsync: Command) -> None:
    finding = Finding("login", False, FORGED, FORGED)
    monkeypatch.setattr(check, "_look", lambda: iter([Checked("recras", (finding,))]))

    ran = contactsync("check")

    assert "recras: login: refused" in ran.out
    assert not forged(ran)


def test_what_a_vendor_says_forges_no_second_error(capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(typer.Exit), plain_errors():
        raise VendorRejected(FORGED)

    assert capsys.readouterr().err.splitlines() == [FORGED.replace("\n", r"\n")]


def test_an_unexpected_error_does_nothing_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks() -> None:
        raise RuntimeError(HOSTILE)

    with pytest.raises(RuntimeError) as caught, plain_errors():
        breaks()
    sys.excepthook(caught.type, caught.value, caught.tb)

    said = capsys.readouterr().err
    assert r"RuntimeError: Evil\x1b]52" in said
    assert not unsafe(said)


def test_no_command_speaks_past_the_functions_that_make_it_safe() -> None:
    """Whoever writes to a stream, or makes a console of rich's own, prints what strangers wrote as it is."""
    past = [
        f"{path.name}:{node.lineno}"
        for path in CLI.glob("*.py")
        if path.name not in ("output.py", "safe_console.py")
        for node in at_run_time(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ("stdout", "stderr") and not reads_only(path, node))
        or (isinstance(node, ast.ImportFrom) and node.module == "rich.console" and imports_console(node))
        or (isinstance(node, ast.Name) and node.id == "print")
    ]

    assert past == []


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those of blocks that only a type checker reads."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return
    yield node
    for inner in ast.iter_child_nodes(node):
        yield from at_run_time(inner)


def imports_console(node: ast.ImportFrom) -> bool:
    return any(one.name == "Console" for one in node.names)


def reads_only(path: Path, node: ast.Attribute) -> bool:
    """`sys.stdout.isatty()`."""
    return "isatty" in path.read_text("utf-8").splitlines()[node.lineno - 1]
