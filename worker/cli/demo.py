"""`contactsync demo`: the whole product against five simulated vendors, with a story that has trouble in it."""

from __future__ import annotations

import shutil
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, NOT_REACHABLE, command

if TYPE_CHECKING:
    from worker.cli.demo_screen import Screen
    from worker.config import Settings
    from worker.sandbox.server import SandboxServer

app = typer.Typer(rich_markup_mode=None)

READY_SECONDS = 90.0


@app.command()
@command
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="end by itself: 0 when every system agrees, else 1")] = False,
    home: Annotated[
        Path | None, typer.Option("--home", help="where it lives; emptied at the start  [default: .contactsync-demo]")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option("--speed", min=0, help="2 leaves half as long for reading; 0 none  [default: 1, with --exit 0]"),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="a line for every request to a system")] = False,
) -> int:
    """
    Show the main job live: real processes, a real PostgreSQL and Redis, five simulated vendors.

    A client is made, changed and corrected while vendors fail, answers are lost and the worker is killed; in the end
    every record is compared. Nothing outside of its home is touched and no settings of yours are read. Without --exit
    all of it stays open for you to try, until Ctrl-C.

    Example: contactsync demo --exit
    """
    from worker.cli.demo_screen import Screen

    return show(Screen((0.0 if leave else 1.0) if speed is None else speed, verbose=verbose), home, leave=leave)


def show(screen: Screen, home: Path | None, *, leave: bool) -> int:
    """The demo on this screen; the status to leave with. `leave`: it ends by itself."""
    from worker.cli import demo_home
    from worker.processes.tree import address
    from worker.sandbox.server import SandboxServer

    place = demo_home.prepare(home or demo_home.DEFAULT_HOME)
    screen.title("contactsync: one client, typed once, right everywhere")
    with SandboxServer() as sandbox:
        tokens = demo_home.write_settings(place, sandbox.settings())
        settings = demo_home.load(place)
        screen.board.address = f"{address(settings)}/"
        screen.welcome(tokens["operator"])
        teller = Teller(screen, settings, sandbox, tokens, leave=leave)
        with teller.tree as tree:
            tree.start_servers()
            teller.await_ready()
            tree.run()
            return teller.end()


class Teller:
    """Tells the story in a thread, while the main thread looks after the processes and hears Ctrl-C."""

    def __init__(
        self, screen: Screen, settings: Settings, sandbox: SandboxServer, tokens: Mapping[str, str], *, leave: bool
    ) -> None:
        from worker.processes.tree import Tree

        self.screen = screen
        # The story hears of the end before any part is stopped: what it can no longer reach then is no failure.
        self.tree = Tree(settings, tell=self._aside, on_ready=self.begin, on_stopping=screen.stop)
        self.sandbox = sandbox
        self.tokens = tokens
        self.leave = leave
        self.status = NOT_REACHABLE
        self._thread = threading.Thread(target=self._run, name="story")
        self._late = threading.Timer(READY_SECONDS, self._too_late)
        self._settings: Settings | None = None

    def _aside(self, text: str) -> None:
        """What the processes report: of no use amid the story, unless nothing else is shown."""
        if self.screen.verbose:
            self.screen.note(text)

    def await_ready(self) -> None:
        """From now on there is so much time to become ready."""
        self._late.daemon = True
        self._late.start()

    def begin(self, settings: Settings) -> None:
        """All parts have shown that they live."""
        self._late.cancel()
        self._settings = settings
        self._thread.start()

    def end(self) -> int:
        """After the processes: the story ends too; the status to leave with."""
        self._late.cancel()
        self.screen.stop()
        if self._settings is not None:
            self._thread.join()
        return self.status

    def _too_late(self) -> None:
        self.screen.bad(f"not ready after {READY_SECONDS:.0f} s: see {self.tree.settings.home}/logs")
        self._stop_tree()

    def _stop_tree(self) -> None:
        if self.tree.supervisor is not None:
            self.tree.supervisor.stop()

    def _run(self) -> None:
        from worker.cli.demo_play import play
        from worker.cli.demo_screen import Ended

        assert self._settings is not None  # noqa: S101 - set by `begin`
        try:
            kept = play(self.screen, self.tree, self.sandbox, self._settings, self.tokens["operator"])
            self.status = DONE if kept else NEEDS_A_PERSON
            if not self.leave:
                self._invite()
                return
        except Ended:
            # Ctrl-C before the end: nothing is wrong, and nothing was shown to be right.
            self.status = DONE
        except Exception as error:  # noqa: BLE001 - a thread's error reaches nobody unless it is kept
            if self.screen.stopped:
                self.status = DONE
            else:
                self._broke_off(error)
        self._stop_tree()

    def _broke_off(self, error: Exception) -> None:
        """What no chapter has foreseen: the processes' logs tell more, the traceback stands beside them."""
        log = self.tree.settings.home / "logs" / "demo.log"
        log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
        self.screen.bad(f"the story broke off: {type(error).__name__}: {error}; see {log.parent}")
        self.status = NEEDS_A_PERSON

    def _invite(self) -> None:
        """Everything stays open: where to look, and what to try."""
        from worker.cli.demo_home import SETTINGS_FILE
        from worker.processes.tree import address

        assert self._settings is not None  # noqa: S101 - set by `begin`
        where, run = address(self._settings), _command()
        robaws = f"{self.sandbox.url}/_sandbox/robaws/clients/1001"
        for line in (
            "",
            "All of it stays open for you. Ctrl-C ends it.",
            f"  the page     {where}/",
            "  its logins   any name, with one of these as the password:",
            *(f"               {token}" for token in self.tokens.values()),
            f"  the vendors  {self.sandbox.url}/_sandbox/",
            "",
            "Try, in another terminal:",
            f"  export CONTACTSYNC_CONFIG={_near(Path(self._settings.home) / SETTINGS_FILE)}",
            f"  {run} contacts show 1001",
            f"  curl -X PATCH {robaws} \\",
            """    -H 'Content-Type: application/json' -d '{"tel": "+32 9 200 99 99"}'""",
            f"  {run} status",
            f"  curl -H 'Authorization: Bearer {self.tokens['operator']}' \\",
            f"    {where}/api/v1/summary",
        ):
            # As one line each, so that a terminal copies them whole.
            self.screen.console.print(line, soft_wrap=True)


def _command() -> str:
    """How this command is called from the folder where the demo was started."""
    beside = Path(sys.executable).with_name("contactsync")
    return "contactsync" if shutil.which("contactsync") else str(_near(beside))


def _near(path: Path) -> Path:
    """The path from here, where it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
