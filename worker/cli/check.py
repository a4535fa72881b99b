"""`contactsync check`: what is wrong, line by line, and what to do about it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from worker.cli.output import DONE, NEEDS_A_PERSON, NOT_REACHABLE, WRONG_USE, command, console, show_json
from worker.core.error_text import error_text
from worker.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.config import Settings
    from worker.flows.checking import Checked
    from worker.runtime import Runtime
    from worker.vendors.contract import Finding

app = typer.Typer(rich_markup_mode=None)

SETTING: Final = "setting"
"""The subject of a line about a key that is wrong."""


@app.command()
@command
def check(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document on stdout")] = False,
) -> int:
    """
    Look at configuration, database, Redis, each vendor and the webhook registration.

    One line for each thing with what to do; nothing is changed. Ends with 0 when all is right, 1 when something needs
    a person, 2 when the configuration is wrong (nothing else is looked at then), 3 when a part does not answer.

    Example: contactsync check
    """
    shown: list[Checked] = []
    for checked in _look():
        shown.append(checked)
        if not as_json:
            _print(checked)
    status = _status(shown)
    if as_json:
        show_json({"ok": status == DONE, "status": status, "lines": [line for one in shown for line in _lines(one)]})
    else:
        console().print(_closing(status, shown))
    return status


def _look() -> Iterator[Checked]:
    """Area by area, so that the first lines are there while a vendor thinks."""
    from concurrent.futures import ThreadPoolExecutor

    from worker.cli import check_receiver, check_running
    from worker.config import load_with_advice
    from worker.errors import ConfigurationError
    from worker.flows import checking
    from worker.vendors.contract import Finding

    try:
        settings, advice = load_with_advice()
    except ConfigurationError as error:
        file = () if _file_is_missed() else (_file(),)
        findings = [*file, *(_problem(problem) for problem in error.problems)]
        yield checking.Checked("configuration", tuple(findings))
        return
    planned = checking.plan(settings)
    warnings = [Finding(one.subject, True, one.message, one.next_step, warning=True) for one in advice]
    yield checking.Checked("configuration", (_file(), *planned.findings, *warnings))
    yield from check_receiver.receiver(settings)
    yield from check_running.running(settings)
    settings, bundled = _with_running_servers(settings)
    if bundled is not None:
        yield bundled
    if settings.database.url is not None:
        looked = checking.database(settings.database.url)
        yield looked
        has_tables = any(finding.subject == "schema" and finding.ok for finding in looked.findings)
        if settings.database.owner_url is not None and has_tables:
            yield checking.owner(settings.database.owner_url)
        if has_tables:
            yield from check_receiver.arrivals(settings.database.url)
    if settings.redis.url is not None:
        yield checking.redis(settings.redis.url)
    names = checking.systems_to_check(settings)
    runtime = _runtime(settings)
    with ThreadPoolExecutor(max(1, len(names))) as pool:
        looks = [(name, pool.submit(checking.vendor, settings, name, runtime)) for name in names]
        for name, look in looks:
            failure = look.exception()
            if failure is None:
                yield look.result()
            else:
                # Without its words, which may quote what was sent.
                text = f"could not be looked at ({error_text(failure)})"
                yield checking.Checked(name, (Finding("look", False, text, "please report this line"),))
    if runtime is not None:
        runtime.close()


def _file_is_missed() -> bool:
    """Whether a file is named and not there, which is a problem of the settings already."""
    from worker.config.keys import CONFIG_VARIABLE

    named = os.environ.get(CONFIG_VARIABLE, "").strip()
    return bool(named) and not Path(named).exists()


def _file() -> Finding:
    """Which file the settings come from; the first step of somebody who has none."""
    from worker.config.keys import CONFIG_VARIABLE
    from worker.config.sources import FILE_NAME
    from worker.vendors.contract import Finding

    path = Path(os.environ.get(CONFIG_VARIABLE, "").strip() or FILE_NAME)
    if path.exists():
        return Finding("file", True, f"settings come from {path} and the environment")
    given = [name for name in os.environ if name.startswith("CONTACTSYNC_") and name != CONFIG_VARIABLE]
    if given:
        return Finding("file", True, f"there is no {path} here; settings come from the environment alone")
    step = f"cp contactsync.example.toml {path}, then fill it in; docs/settings.md explains each key"
    return Finding("file", False, f"there is no {path} here, and no setting in the environment", step)


def _problem(problem: str) -> Finding:
    from worker.vendors.contract import Finding

    what, colon, step = problem.rpartition(": ")
    return Finding(SETTING, False, what if colon else problem, step if colon else "")


def _with_running_servers(settings: Settings) -> tuple[Settings, Checked | None]:
    """Where no url is set: those of a running `up`, or a line that says how they start."""
    from worker.embedded.servers import connect_existing
    from worker.flows.checking import Checked
    from worker.vendors.contract import Finding

    database, redis = settings.database.url, settings.redis.url
    if database is not None and redis is not None:
        return settings, None
    missing = " and ".join(name for name, url in (("PostgreSQL", database), ("Redis", redis)) if url is None)
    servers = connect_existing(Path(settings.home))
    if servers is None:
        text = f"the bundled {missing} will be used (in {settings.home}), not running now"
        return settings, Checked("servers", (Finding("bundled", True, text, "contactsync up starts them"),))
    text = f"the bundled {missing} run in {settings.home}"
    found = Checked("servers", (Finding("bundled", True, text), *_parts(settings)))
    return settings.with_urls(database or servers.database_url, redis or servers.redis_url), found


def _parts(settings: Settings) -> Iterator[Finding]:
    """Whether the worker and the scheduler of the `up` that runs here do their work."""
    from worker.processes.pulse import STALE_SECONDS, Pulse
    from worker.vendors.contract import Finding

    for part in ("worker", "scheduler"):
        age = Pulse(settings, part).age_seconds()
        if age is None:
            continue
        text = f"seen {age:.0f} s ago"
        step = "" if age <= STALE_SECONDS else f"see {settings.home}/logs/{part}.log"
        yield Finding(part, age <= STALE_SECONDS, text, step)


def _runtime(settings: Settings) -> Runtime | None:
    """What shares the budget with the running parts; None before there is a database with its tables, and a Redis."""
    from redis import Redis, RedisError

    from worker.errors import ConfigurationError
    from worker.runtime import Runtime
    from worker.store import migrations

    if settings.database.url is None or settings.redis.url is None:
        return None
    try:
        with Redis.from_url(settings.redis.url, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
        runtime = Runtime(settings)
    except (RedisError, OSError):
        return None
    try:
        migrations.require_current(runtime.engine)
        return runtime
    except Exception as error:
        from worker.store.engine import is_away

        runtime.close()
        if isinstance(error, ConfigurationError) or is_away(error):  # which stands in a line of its own
            return None
        raise


def _status(shown: list[Checked]) -> int:
    if any(not finding.ok and finding.subject == SETTING for one in shown[:1] for finding in one.findings):
        return WRONG_USE
    if any(one.away for one in shown):
        return NOT_REACHABLE
    return DONE if all(one.ok for one in shown) else NEEDS_A_PERSON


def _lines(checked: Checked) -> list[dict[str, Any]]:
    return [
        {
            "area": checked.area,
            "subject": finding.subject,
            "ok": finding.ok,
            "warning": finding.warning,
            "message": finding.message,
            "next_step": finding.next_step,
        }
        for finding in checked.findings
    ]


def _print(checked: Checked) -> None:
    from rich.text import Text

    out = console()
    for finding in checked.findings:
        mark = Text("✗ ", "bold red")
        if finding.ok:
            mark = Text("! ", "bold yellow") if finding.warning else Text("✓ ", "green")
        text = printable(f"{checked.area}: {finding.subject}: {finding.message}")
        out.print(mark + Text(text, "" if finding.ok else "bold"))
        if finding.next_step:
            out.print(Text(f"    → {printable(finding.next_step)}", "dim" if finding.ok else ""))


def _closing(status: int, shown: list[Checked]) -> str:
    wrong = sum(not finding.ok for one in shown for finding in one.findings)
    warnings = sum(finding.warning for one in shown for finding in one.findings)
    match status:
        case 0:
            running = any(one.area == "database" for one in shown)
            warned = f"\n{warnings} warning(s) above, marked with !" if warnings else ""
            return "\nAll is right." + ("" if running else " Next: contactsync up") + warned
        case 2:
            return f"\n{wrong} to put right in the configuration; the rest is looked at when it can be read."
        case _:
            return f"\n{wrong} to put right, in this order."
