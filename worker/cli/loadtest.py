"""
`contactsync loadtest URL`: a paced stream of signed events at one's own receiver, and how long its answers took.

Only against simulated vendors: an event makes the workers call Robaws, and a load test must never use up anybody's
quota there. So every system that is enabled in the settings has to answer as the sandbox, and that and the receiver
have to be on this machine.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import SplitResult, urlsplit

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, NOT_REACHABLE, WRONG_USE, command, console, show_json, stop
from worker.cli.tables import show_table

if TYPE_CHECKING:
    from worker.config import Settings

app = typer.Typer(rich_markup_mode=None)

PATIENCE_SECONDS: Final = 2.0
"""What Robaws waits for an answer, in all (Robaws sheet 3.4)."""
GIVE_UP_SECONDS: Final = 10.0
UNKNOWN_CLIENTS: Final = range(990_000_001, 990_000_101)


@dataclass(frozen=True)
class Plan:
    """What is sent, and where to."""

    url: SplitResult
    secret: str
    clients: Sequence[str]
    rate: float
    seconds: float
    connections: int
    body_bytes: int

    @property
    def count(self) -> int:
        """How many events in all."""
        return max(1, round(self.rate * self.seconds))


@dataclass
class Answers:
    """What came back: seconds from when each event was due to its answer, and how often which status (0: none)."""

    took: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def share(self, share: float) -> float:
        """The seconds within which this share was answered."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def to_json(self, plan: Plan) -> dict[str, Any]:
        """The result as the command reports it."""
        late = sum(one > PATIENCE_SECONDS for one in self.took)
        return {
            "events": plan.count,
            "rate_per_second": plan.rate,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "late": late,
            "milliseconds": {
                name: round(1000 * self.share(share), 2)
                for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0))
            },
        }


@app.command()
@command
def loadtest(
    url: Annotated[str, typer.Argument(help="the receiver's address for webhooks, on this machine")],
    rate: Annotated[float, typer.Option("--rate", min=0.1, max=50_000, help="events a second")] = 50.0,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, max=3_600, help="for so long")] = 10.0,
    connections: Annotated[int, typer.Option("--connections", min=1, max=1_000, help="at once")] = 16,
    body_bytes: Annotated[int, typer.Option("--body-bytes", min=200, max=1_000_000, help="of each event")] = 4_000,
    client: Annotated[
        list[str] | None, typer.Option("--client", help="a client that the events are about (may be repeated)")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout")] = False,
) -> int:
    """
    Send a paced stream of signed events to your own receiver, and see how long its answers take.

    Works against the sandbox only: every enabled system must be the one on this machine. Without --client the events
    are about clients that do not exist; they are stored, looked for, and end as skipped.

    Example: contactsync loadtest http://127.0.0.1:8080/webhooks/robaws --rate 200 --seconds 30
    """
    from worker.config import load_settings

    settings = load_settings()
    target = urlsplit(url)
    _refuse(settings, target)
    secret = settings.systems.robaws.webhook_secrets[0].get_secret_value()
    clients = client or [str(number) for number in UNKNOWN_CLIENTS]
    plan = Plan(target, secret, clients, rate, seconds, connections, body_bytes)
    try:
        answers = asyncio.run(_send(plan))
    except OSError as error:
        stop(NOT_REACHABLE, f"nothing answers at {url}: {error.strerror or error}")
    result = answers.to_json(plan)
    if as_json:
        show_json(result)
    else:
        _show(result)
    good = sum(count for status, count in answers.statuses.items() if 200 <= status < 300)
    return DONE if good == plan.count and not result["late"] else NEEDS_A_PERSON


def _refuse(settings: Settings, target: SplitResult) -> None:
    """End where this is not a test: something that would be called is not a sandbox on this machine."""
    from worker.config.servers import is_here
    from worker.drills.vendors import sandbox_of
    from worker.errors import ConfigurationError

    problems: list[str] = []
    if target.scheme != "http" or not is_here(target.hostname or ""):
        problems.append("the receiver is not at an http address of this machine: a load test is for one's own")
    try:
        # An address of this machine is not enough: a tunnel to the real Robaws ends here, too.
        sandbox_of(settings)
    except ConfigurationError as error:
        problems += error.problems
    if not settings.systems.robaws.webhook_secrets:
        problems.append("systems.robaws.webhook_secrets is empty: the receiver would refuse every event")
    if problems:
        stop(WRONG_USE, *problems)


async def _send(plan: Plan) -> Answers:
    """All events, each at its time, over a few connections that stay open. OSError where there is no receiver."""
    answers, begun = Answers(), time.monotonic()
    numbers = iter(range(plan.count))
    lines = [await _Line.open(plan) for _ in range(min(plan.connections, plan.count))]

    async def work(line: _Line) -> None:
        for number in numbers:
            due = begun + number / plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            answers.statuses[await line.post(_event(plan, number))] += 1
            answers.took.append(time.monotonic() - due)

    await asyncio.gather(*(work(line) for line in lines))
    for line in lines:
        line.writer.close()
    return answers


def _event(plan: Plan, number: int) -> bytes:
    """One request as it goes over the wire, its event new, signed now."""
    from worker.core import signature

    data: dict[str, Any] = {"id": plan.clients[number % len(plan.clients)], "name": f"Belasting {number}"}
    event = {"id": str(uuid.uuid4()), "event": "client.updated", "data": data}
    missing = plan.body_bytes - len(json.dumps(event)) - len(', "notes": ""')
    data["notes"] = ("Dakwerken, goten en zink. " * (missing // 26 + 1))[: max(0, missing)]
    body = json.dumps(event).encode()
    head = (
        f"POST {plan.url.path or '/'} HTTP/1.1\r\nHost: {plan.url.netloc}\r\nContent-Type: application/json\r\n"
        f"{signature.HEADER}: {signature.sign(plan.secret, int(time.time()), body)}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Line:
    """One connection to the receiver, opened again when it was closed."""

    def __init__(self, plan: Plan, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.plan = plan
        self.reader = reader
        self.writer = writer

    @staticmethod
    async def open(plan: Plan) -> _Line:
        """A new one."""
        return _Line(plan, *await asyncio.open_connection(plan.url.hostname, plan.url.port or 80))

    async def post(self, request: bytes) -> int:
        """The status of the answer; 0 where none came in time, or the connection broke."""
        try:
            async with asyncio.timeout(GIVE_UP_SECONDS):
                self.writer.write(request)
                head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await self.reader.readexactly(_length(head))
                return int(head.split(" ", 2)[1])
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError):
            self.writer.close()
            try:
                self.reader, self.writer = await asyncio.open_connection(self.plan.url.hostname, self.plan.url.port)
            except OSError:
                await asyncio.sleep(0.1)
            return 0


def _length(head: str) -> int:
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def _show(result: dict[str, Any]) -> None:
    rows = [[name, f"{value:g} ms"] for name, value in result["milliseconds"].items()]
    show_table(["answered within", ""], rows, f"{result['events']} events, {result['rate_per_second']:g} a second")
    words = {"202": "stored", "200": "seen before", "503": "to be sent again", "0": "without an answer"}
    for status, count in result["statuses"].items():
        console().print(f"{status} {words.get(status, 'refused')}: {count}")
    if result["late"]:
        console().print(f"{result['late']} answers took longer than the two seconds that Robaws waits")
