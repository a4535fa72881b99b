"""The README's commands for trying it by hand, run as they stand there; only the ports are others."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import ROOT

BIN: Final = Path(sys.executable).parent
MARKED: Final = re.compile(r"<!-- terminal (\d) -->\n```\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Terminals:
    """The README's blocks by terminal, with ports of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sandbox, self.receiver = free_port(), free_port()
        blocks = MARKED.findall((ROOT / "README.md").read_text())
        self.blocks = {number: [self._here(text) for one, text in blocks if one == number] for number in "123"}

    def _here(self, text: str) -> str:
        text = text.replace(".venv/bin/", f"{BIN}/")
        text = text.replace("contactsync sandbox", f"contactsync sandbox --port {self.sandbox}")
        return text.replace("127.0.0.1:9000", f"127.0.0.1:{self.sandbox}").replace(
            "127.0.0.1:8080", f"127.0.0.1:{self.receiver}"
        )

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")}
        return kept | {"CONTACTSYNC_RECEIVER__PORT": str(self.receiver)}

    @contextmanager
    def open(self, number: str, output: str) -> Iterator[subprocess.Popen[bytes]]:
        """One terminal with what is typed in it; ended as by Ctrl-C, and it must end well."""
        script = "\n".join(self.blocks[number])
        with (self.folder / output).open("wb") as written:
            process = subprocess.Popen(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environment(),
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=40)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def type_in_the_third(self, waits: list[str]) -> str:
        """What the third terminal shows; between two blocks is waited for what a person would wait to see."""
        parts = [part for pair in zip(self.blocks["3"], [*waits, ""], strict=True) for part in pair]
        ended = subprocess.run(
            ["bash", "-c", "set -e\n" + "\n".join(parts)],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=80,
            check=False,
        )
        assert ended.returncode in (0, 1), ended.stdout + ended.stderr
        return ended.stdout


def wait_for(what: str) -> str:
    """Shell that waits until a command's output holds a text, half a minute at most."""
    return f"for _ in $(seq 300); do {what} && break; sleep 0.1; done"


@pytest.mark.slow
def test_the_commands_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    terminals = Terminals(tmp_path)
    everywhere = wait_for(
        "(for s in rompslomp recras workspace; do curl -s $sandbox/$s | grep -q Linde || exit 1; done)"
    )

    with terminals.open("1", "sandbox.out"):
        subprocess.run(["bash", "-c", wait_for("grep -q systems.routix sandbox.toml")], cwd=tmp_path, check=True)
        with terminals.open("2", "up.out"):
            subprocess.run(["bash", "-c", wait_for("grep -q ^ready up.out")], cwd=tmp_path, check=True)
            shown = terminals.type_in_the_third([everywhere, ""])

    (tmp_path / "shown.txt").write_text(shown)
    assert "202 Accepted" in shown
    assert shown.count('"status":"accepted"') == 2
    assert shown.count("Dakwerken De Linde") >= 4
    assert all(word in shown for word in ("link-", "rompslomp", "waiting", "503"))


def test_the_readme_has_three_terminals() -> None:
    blocks = MARKED.findall((ROOT / "README.md").read_text())

    assert [number for number, _ in blocks] == ["1", "2", "3", "3", "3"]
