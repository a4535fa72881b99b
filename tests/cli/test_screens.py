"""Every command that prints a list, at 80 columns and in a pipe: what somebody copies is never broken."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.cli.conftest import CLIENT
from tests.fixtures.hub import BASES
from worker.cli.entry import GROUPS
from worker.flows import registering
from worker.vendors.simulation import transport
from worker.vendors.transport import make_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.command import Command, Ran
    from tests.fixtures.hub import Hub

URL = "https://contactsync.voorbeeld-administratie.example.org/webhooks/robaws"
LONG = "Aannemersbedrijf Vandenbroucke-Van Hoorebeke en Zonen, Algemene Bouwwerken"
REFUSED = (
    '{"error": {"type": "invalid_record", "message": "Contact is invalid: Company name is ongeldig, en te'
    ' lang voor een naam in deze administratie: hoogstens 40 tekens, zonder leestekens."}}'
)
LISTS = {
    ("contacts", "list"): ("source_id",),
    ("retries", "groups", "--state", "dead"): ("fingerprint", "system", "reason"),
    ("retries", "list", "--state", "dead"): ("id", "system", "state", "reason"),
    ("reviews", "list"): ("id", "system"),
    ("events", "list"): ("id", "kind", "source_id", "state", "reason"),
    ("events", "rejected"): ("problem",),
    ("systems", "list"): ("name", "state"),
    ("webhooks", "list"): ("id", "url"),
}
"""What each list shows whole, by the names of its JSON."""


@pytest.fixture
def busy(operator: Command, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long names, long addresses, long messages; a dead line, a question, something that waits."""
    hub.rompslomp.fail("status", status=422, body=REFUSED, method="POST")
    hub.sync(hub.robaws.add_client(**{**CLIENT, "name": LONG, "vatIdNumber": "BE0000000295"}))
    hub.sync(hub.robaws.add_client(**{**CLIENT, "name": f"{LONG} 2", "email": None, "vatIdNumber": None}))
    with hub.engine.begin() as connection:
        reject = (
            "INSERT INTO inbox_reject (source, problem, headers, body) VALUES ('robaws', '`id` is missing', '{}', '')"
        )
        connection.execute(text(reject))
    monkeypatch.setattr(
        registering, "make_client", lambda base: make_client(base, transport((BASES["robaws"], hub.robaws)))
    )
    assert operator("webhooks", "register", URL).status == 0


@pytest.fixture
def at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a terminal; what is printed is still caught."""
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "80", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)


def plain(text: str) -> list[str]:
    """The lines without their colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def values(document: Any, names: tuple[str, ...]) -> Iterator[str]:
    """Every text that a member of one of these names has, but for what is said of the client that it is about."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in names and isinstance(value, str) and value:
                yield value
            if name != "contact":
                yield from values(value, names)
    elif isinstance(document, list):
        for one in document:
            yield from values(one, names)


def lists() -> Iterator[tuple[str, ...]]:
    """Every command that prints a list, by its words."""
    for name, module in GROUPS.items():
        for one in importlib.import_module(module).app.registered_commands:
            word = one.name or one.callback.__name__.replace("_", "-")
            if word in ("list", "groups", "rejected"):
                yield name, word


def test_every_list_is_looked_at() -> None:
    assert set(lists()) == {words[:2] for words in LISTS}


@pytest.mark.usefixtures("busy")
def test_ids_and_words_are_whole_at_80_columns_and_in_a_pipe(operator: Command, request: pytest.FixtureRequest) -> None:
    wanted = {words: set(values(operator(*words, "--json").json["items"], LISTS[words])) for words in LISTS}
    piped = {words: operator(*words) for words in LISTS}
    request.getfixturevalue("at_80_columns")
    narrow = {words: operator(*words) for words in LISTS}

    for words, texts in wanted.items():
        assert texts, words
        for ran in (piped[words], narrow[words]):
            shown = plain(ran.out)
            assert {text for text in texts if not any(text in line for line in shown)} == set(), (words, ran.out)
        assert fits(narrow[words]), narrow[words].out


def fits(ran: Ran) -> bool:
    """Whether no line is broken by the terminal itself, but for one long word that stands alone."""
    return all(len(line) <= 80 or " " not in line.strip() for line in plain(ran.out))


@pytest.mark.parametrize("words", [("status",), ("systems", "list")])
@pytest.mark.usefixtures("busy", "at_80_columns")
def test_figures_fit_80_columns(operator: Command, words: tuple[str, ...]) -> None:
    assert fits(operator(*words))


@pytest.mark.usefixtures("at_80_columns")
def test_what_has_no_place_in_a_system_is_folded_between_words(operator: Command, hub: Hub) -> None:
    """The names of the fields are read, not copied: many of them are wider than the screen."""
    more = {"language": "nl", "currency": "EUR", "status": "klant", "website": "https://delinde.example"}
    client = hub.robaws.add_client(**CLIENT, **more)
    hub.sync(client)

    lines = plain(operator("contacts", "show", client).out)
    at = next(number for number, line in enumerate(lines) if "has no place there" in line)

    assert re.match(r"recras +has no place there  vat_number, address\.country, ", lines[at])
    assert max(map(len, lines)) <= 80
