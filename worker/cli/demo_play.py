"""The demo's story from its first to its last chapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.cli.demo_result import judge
from worker.cli.demo_trouble import Trouble, kill_hard
from worker.cli.demo_watch import Watch
from worker.processes.tree import address
from worker.store.engine import make_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from worker.cli.demo_screen import Screen
    from worker.config import Settings
    from worker.processes.tree import Tree
    from worker.sandbox.server import SandboxServer

CHAPTERS: tuple[Callable[[Trouble, str], None], ...] = (
    Trouble.only_the_change,
    Trouble.nothing,
    Trouble.burst,
    Trouble.a_person,
    Trouble.their_own,
    lambda story, _client: story.known_already(),
    Trouble.vendor_down,
    lambda story, _client: story.lost_answers(),
    lambda story, _client: story.refused(),
    lambda story, _client: story.crash(),
)
"""What follows on the first chapter; each takes the client that was made there."""


def play(screen: Screen, tree: Tree, sandbox: SandboxServer, settings: Settings, token: str) -> bool:
    """Tell the whole story; whether everything that was promised was kept and every system agrees."""
    assert settings.database.url is not None  # noqa: S101 - all servers run by now
    sandbox.register_webhook(f"{address(settings)}/webhooks/robaws")
    engine = make_engine(settings.database.url, pool_size=2, application_name="demo")
    watch = Watch(engine, address(settings), token, sandbox, screen)
    screen.meanwhile = watch.meanwhile

    def kill() -> int | None:
        return kill_hard(tree.supervisor.pids().get("worker")) if tree.supervisor is not None else None

    story = Trouble(sandbox, watch, screen, kill=kill, empty_redis=lambda: _empty_redis(settings))
    try:
        screen.begin()
        with screen.live():
            client = story.everywhere()
            for chapter in CHAPTERS:
                # After a promise that was not kept the rest would only wait for what cannot come.
                if not screen.problems:
                    chapter(story, client)
            return judge(story)
    finally:
        screen.meanwhile = lambda: None
        engine.dispose()


def _empty_redis(settings: Settings) -> None:
    from redis import Redis

    with Redis.from_url(str(settings.redis.url), socket_timeout=5) as client:
        client.flushall()
