"""The demo's story from its first to its last line, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from worker.cli import demo_verdict as verdict
from worker.cli.demo_screen import NAMES, equation
from worker.cli.demo_trouble import Trouble, kill_hard
from worker.cli.demo_watch import TARGETS, Watch
from worker.processes.tree import address
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from worker.cli.demo_screen import Screen
    from worker.config import Settings
    from worker.processes.tree import Tree
    from worker.sandbox.server import SandboxServer


def play(screen: Screen, tree: Tree, sandbox: SandboxServer, settings: Settings, token: str) -> bool:
    """Tell the whole story; whether everything that was promised was kept and every system agrees."""
    assert settings.database.url is not None  # noqa: S101 - all servers run by now
    sandbox.register_webhook(f"{address(settings)}/webhooks/robaws")
    engine = make_engine(settings.database.url, pool_size=2, application_name="demo")
    watch = Watch(engine, address(settings), token, sandbox, screen)

    def kill() -> int | None:
        return kill_hard(tree.supervisor.pids().get("worker")) if tree.supervisor is not None else None

    story = Trouble(sandbox, watch, screen, kill=kill, empty_redis=lambda: _empty_redis(settings))
    try:
        with screen.live():
            client = story.everywhere()
            chapters: tuple[Callable[[], None], ...] = (
                partial(story.only_the_change, client),
                partial(story.nothing, client),
                partial(story.burst, client),
                partial(story.a_person, client),
                partial(story.their_own, client),
                partial(story.vendor_down, client),
                story.lost_answers,
                story.refused,
                story.crash,
            )
            for chapter in chapters:
                # After a promise that was not kept the rest would only wait for what cannot come.
                if not screen.problems:
                    chapter()
            return judge(story)
    finally:
        engine.dispose()


def judge(story: Trouble) -> bool:
    """Compare everything with everything, and show it."""
    watch, screen, sandbox = story.watch, story.screen, story.sandbox
    screen.chapter(10, "The verdict", "Every record of every system, compared with Robaws; every event accounted for.")
    patience = 3.0 if screen.problems else 20.0
    quiet = watch.until(lambda links: watch.events_are_in() and all(one.state == "synced" for one in links), patience)
    if not quiet:
        screen.tell(False, "", "something is still under way")
    _show_clients(story)
    found = [text for client in story.clients for text in verdict.differences(sandbox, client, story.kept.get(client))]
    for text in found:
        screen.tell(False, "", text)
    doubles = verdict.doubles(sandbox)
    events = watch.api("summary")["events"]
    _show_calls(watch, doubles)
    balance = events["received"] - events["applied"] - events["skipped"] - events["open"] - events["dead"]
    screen.tell(not found, f"{len(story.clients)} clients, each once in each system, alike in all of them")
    screen.tell(not any(doubles.values()), f"doubles: {sum(doubles.values())}")
    screen.tell(
        balance == 0 and events["received"] == watch.delivered(),
        equation(events),
        f"{equation(events)}; Robaws has delivered {watch.delivered()}",
    )
    if screen.problems:
        screen.table("What is not as it should be", ["problem"], [[text] for text in screen.problems])
    return not screen.problems


def _show_clients(story: Trouble) -> None:
    rows = []
    for client in story.clients:
        ids = {name: link for name in TARGETS if (link := story.watch.link(client, name)) is not None}
        name = story.sandbox.world.robaws.client(client)["name"]
        rows.append([client, name, *(_cell(ids.get(system)) for system in TARGETS)])
    story.screen.table("Clients and their records", ["Robaws", "client", *(NAMES[name] for name in TARGETS)], rows)


def _cell(link: Any) -> str:
    return "–" if link is None else f"{link.external_id or '–'} {link.state}"


def _show_calls(watch: Watch, doubles: Mapping[str, int]) -> None:
    rows = []
    for system in ("robaws", *TARGETS):
        calls, writes = watch.calls(system), watch.writes(system)
        held = len(verdict.records(watch.sandbox, system)) if system in TARGETS else len(_clients(watch))
        rows.append([NAMES[system], str(held), str(doubles.get(system, 0)), str(calls - writes), str(writes)])
    watch.screen.table("Calls", ["system", "records", "doubles", "reads", "writes"], rows)


def _clients(watch: Watch) -> Mapping[str, Any]:
    clients: Mapping[str, Any] = watch.sandbox.world.robaws.state()["clients"]
    return clients


def _empty_redis(settings: Settings) -> None:
    from redis import Redis

    with Redis.from_url(str(settings.redis.url), socket_timeout=5) as client:
        client.flushall()
