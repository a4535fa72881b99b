"""What `contacts show` says was sent, kept, asked and answered: nothing more than what happened, and nothing less."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.cli.conftest import CLIENT, catch_up
from tests.cli.test_contacts import line_with
from worker.core.masks import MASK

if TYPE_CHECKING:
    from tests.cli.command import Command
    from tests.fixtures.hub import Hub

ELS = {"name": "Els", "surname": "Peeters", "email": "els@delinde.example", "isPrimary": True}
JAN = {"name": "Jan", "surname": "Claes", "email": "jan@delinde.example"}


def shown(operator: Command, client: str) -> tuple[str, Any]:
    """The screen and the document of one client."""
    return operator("contacts", "show", client).out, operator("contacts", "show", client, "--json").json


def differing(hub: Hub) -> str:
    """A client whose record in the books has another e-mail."""
    vat = CLIENT["vatIdNumber"]
    hub.rompslomp.add_record(company_name=CLIENT["name"], vat_number=vat, contact_person_email_address="oud@x.example")
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)
    return client


def question(operator: Command) -> str:
    """The id of the one open question."""
    [one] = operator("reviews", "list", "--json").json["items"]
    return str(one["id"])


def test_what_only_differs_in_spelling_was_not_sent(operator: Command, hub: Hub) -> None:
    hub.workspace.add_record(name="DAKWERKEN DE LINDE", btw=CLIENT["vatIdNumber"], type="1", client_reference="7")
    client = hub.robaws.add_client(**CLIENT)
    hub.sync(client)

    screen, document = shown(operator, client)

    assert line_with(screen, "workspace", "name", "spelled differently", "theirs DAKWERKEN DE LINDE")
    assert "sent Dakwerken" not in screen
    assert [(one["path"], one["kind"]) for one in document["differences"]] == [("name", "spelling")]


def test_what_a_person_chose_is_kept_by_decision_and_named_in_the_history(operator: Command, hub: Hub) -> None:
    client = differing(hub)
    review = question(operator)
    operator("reviews", "resolve", review, "--choose", "theirs", "--reason", "the bookkeeper knows")

    screen, document = shown(operator, client)

    line_with(screen, "rompslomp", "contact_person_email_address", "kept by decision", "theirs oud@x.example")
    line_with(screen, "kept by decision", "command line (", f"question {review}")
    line_with(screen, f"resolve, question {review}, email: theirs, in rompslomp: the bookkeeper knows")
    assert "sent info@" not in screen
    [action] = [one for one in document["history"] if one["kind"] == "action"]
    assert {name: action[name] for name in ("system", "review", "path", "field", "choice")} == {
        "system": "rompslomp",
        "review": review,
        "path": "contact_person_email_address",
        "field": "email",
        "choice": "theirs",
    }
    [difference] = document["differences"]
    assert (difference["kind"], difference["because"]["review"]) == ("decided", review)
    assert difference["because"]["by"].startswith("command line (")


def test_a_decision_ends_where_our_value_goes_out_again(operator: Command, hub: Hub) -> None:
    client = differing(hub)
    operator("reviews", "resolve", question(operator), "--choose", "theirs")
    hub.robaws.change_client(client, email="nieuw@delinde.example")
    catch_up(hub)
    hub.sync(client)

    _, document = shown(operator, client)

    assert document["differences"] == []


def test_what_was_sent_and_is_not_held_was_not_accepted(operator: Command, hub: Hub, client: str) -> None:
    [record] = hub.rompslomp.state()["records"]
    hub.rompslomp.fail("status", status=200, body=json.dumps({"contact": {**record, "city": "GENK"}}), method="PATCH")
    hub.robaws.change_client(client, address={"city": "Genk aan de Maas"})
    hub.sync(client)

    screen, document = shown(operator, client)

    line_with(screen, "rompslomp", "city", "not accepted", "sent Genk aan de Maas, they hold GENK")
    assert [(one["path"], one["kind"]) for one in document["differences"]] == [("city", "not_accepted")]


def test_contact_persons_that_are_added_changed_and_removed_are_told(operator: Command, hub: Hub) -> None:
    an = {"voornaam": "An", "achternaam": "Maes", "email1": CLIENT["email"]}
    street: dict[str, Any] = {"adres": "Kerkstraat 12", "postcode": "9000", "plaats": "Gent"}
    hub.recras.add_record(naam=CLIENT["name"], **street, contactpersonen=[an])
    client = hub.robaws.add_client(**CLIENT, contacts=[ELS])
    hub.sync(client)
    first, _ = shown(operator, client)
    [els] = hub.link(client, "recras")["snapshot"]["persons"]
    hub.robaws.change_person(els, email="els.peeters@delinde.example", gsm="+32 470 00 00 77")
    hub.robaws.add_person(client, **JAN)
    hub.sync(client)
    second, _ = shown(operator, client)
    [jan] = [one for one in hub.link(client, "recras")["snapshot"]["persons"] if one != els]
    hub.robaws.remove_person(jan)
    hub.sync(client)
    third, document = shown(operator, client)

    line_with(first, "recras", "update", "PUT", "contact person Els Peeters added", "els@delinde.example")
    line_with(second, "recras", "contact person Els Peeters: telefoon2:", "+32 470 00 00 77")
    line_with(second, "recras", "contact person Jan Claes added: ", "jan@delinde.example")
    line_with(third, "recras", "contact person Jan Claes removed (no contact person here any more)")
    added = [one for entry in document["history"] for one in entry.get("decisions") or () if one.get("action") == "add"]
    assert [(one["path"], one["name"], one["ours"]["achternaam"]) for one in added] == [
        ("persons", "Jan Claes", "Claes"),
        ("persons", "Els Peeters", "Peeters"),
    ]


def test_another_main_contact_person_is_told(operator: Command, hub: Hub) -> None:
    client = hub.robaws.add_client(**CLIENT, contacts=[ELS, JAN])
    hub.sync(client)
    els, jan = sorted(hub.link(client, "recras")["snapshot"]["persons"])
    hub.robaws.change_person(els, isPrimary=False)
    hub.robaws.change_person(jan, isPrimary=True)
    hub.sync(client)

    screen, _ = shown(operator, client)

    line_with(screen, "recras", "main contact person: Els Peeters → Jan Claes (the main contact person here)")


def test_a_created_record_is_told_in_the_order_of_its_fields_with_the_values(operator: Command, client: str) -> None:
    screen, _ = shown(operator, client)

    line = line_with(screen, "rompslomp", "create", "POST", "201")
    told = line.partition("201")[2].strip()
    assert told.startswith("is_individual: false, is_supplier: false, company_name: Dakwerken De Linde, ")
    assert "vat_number: BE0000000196" in told
    assert "city: Gent" in told
    line_with(screen, "recras", "create", "contactpersonen: ", "achternaam Dakwerken De Linde")


def test_a_question_stands_in_the_history_with_its_rule(operator: Command, hub: Hub) -> None:
    client = differing(hub)

    screen, _ = shown(operator, client)

    line_with(
        screen,
        "rompslomp",
        "asks about contact_person_email_address",
        "(the record was already there with another value)",
    )


def test_a_value_that_was_refused_was_sent_all_the_same(operator: Command, hub: Hub, client: str) -> None:
    body = '{"error": {"type": "invalid_record", "message": "Contact is invalid: Phone is ongeldig."}}'
    hub.rompslomp.fail("status", status=422, body=body, method="PATCH")
    hub.robaws.change_client(client, tel="+32 9 200 00 99", address={"city": "Genk"})
    hub.sync(client)

    screen, _ = shown(operator, client)

    line_with(screen, "rompslomp", "PATCH  422", "phone: +32 9 200 00 99", "city: Genk")
    assert "phone" not in line_with(screen, "rompslomp", "PATCH  200", "city:").partition("asks about")[0]


def test_a_bulk_action_stands_in_the_history_of_each_client(operator: Command, hub: Hub, dead: str) -> None:
    operator("retries", "discard", "--state", "dead", "--reason", "closed down", "--yes")

    screen, document = shown(operator, dead)

    line_with(screen, "discard, in rompslomp: closed down")
    assert [one["action"] for one in document["history"] if one["kind"] == "action"] == ["discard"]


def test_what_was_chosen_and_added_is_hidden_from_a_viewer(operator: Command, hub: Hub) -> None:
    vat = CLIENT["vatIdNumber"]
    hub.rompslomp.add_record(company_name=CLIENT["name"], vat_number=vat, contact_person_email_address="oud@x.example")
    client = hub.robaws.add_client(**CLIENT, contacts=[ELS])
    hub.sync(client)
    hub.robaws.add_person(client, **JAN)
    hub.sync(client)
    operator("reviews", "resolve", question(operator), "--choose", "theirs", "--reason", "Els said so")

    told = "".join(operator("contacts", "show", client, "--masked", *more).out for more in ((), ("--json",)))

    hidden = ("oud@", "info@", "els@", "jan@", "Els", "Peeters", "Jan", "Claes", "command line", "said so")
    assert [word for word in hidden if word in told] == []
    assert "kept by decision" in told
    assert f"contact person {MASK} added" in told
