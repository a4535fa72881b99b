"""
`GET /`: one plain page with the summary, until the console is there. Without script: it loads itself again.

The templates and their library are loaded when somebody first looks: a receiver that only takes events is two megabytes
smaller without them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from worker.core.refused import reason

if TYPE_CHECKING:
    from jinja2 import Environment

    from worker.store.summary import Summary

REFRESH_SECONDS: Final = 5
STATES: Final = ("dead", "review", "unknown", "waiting", "due", "working", "synced", "excluded")
"""What wants somebody comes first, where a phone's screen shows it."""
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'",
}


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("webhooks"), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )


def render(summary: Summary | None, at: str) -> str:
    """The page; without a summary it says that the database is away."""
    template = _templates().get_template("summary.html")
    wanting = [] if summary is None else needs_a_person(summary)
    return template.render(
        summary=summary, at=at, refresh=REFRESH_SECONDS, waited=_waited, why=reason, wanting=wanting, states=STATES
    )


def needs_a_person(summary: Summary) -> list[tuple[str, str]]:
    """What nothing but a person can put right: a sentence, and the command that shows more."""
    counts = {
        word: sum(states.get(word, 0) for states in summary.links.values()) for word in ("dead", "review", "unknown")
    }
    found = [
        (f"{name} is {'paused' if one.state == 'paused' else 'down'}", "contactsync systems list")
        for name, one in summary.systems.items()
        if one.state in ("paused", "broken")
    ]
    if counts["dead"]:
        found.append((f"{counts['dead']} given up", "contactsync retries groups --state dead"))
    if summary.contacts.fetch_dead:
        text = f"{summary.contacts.fetch_dead} could not be fetched from Robaws"
        found.append((text, "contactsync retries list --system robaws --state dead"))
    if counts["review"]:
        text = "1 question waits" if counts["review"] == 1 else f"{counts['review']} questions wait"
        found.append((f"{text} for an answer", "contactsync reviews list"))
    if summary.webhooks.obstacle is not None:
        found.append(("webhooks are refused, and none got in since", "contactsync check"))
    return found


def _waited(seconds: int) -> str:
    """A time span as people say it: the two largest units."""
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"
