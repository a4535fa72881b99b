"""The invoice block of a customer, and how its persons are addressed (Recras sheets 13 and 15)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.recras.wire import an, bo, client_of, de_linde
from worker.core.contact import Json
from worker.core.planning import Nothing, Plan, Snapshot, Update, plan_update
from worker.vendors.recras.invoicing import invoice_block
from worker.vendors.recras.simulator import RecrasSimulator

MAPPING = client_of(RecrasSimulator()).mapping
OWNERS = MAPPING.owners({})
ELSEWHERE = {"invoice_address.line1": "Postbus 1", "invoice_address.postal_code": "2000", "invoice_address.city": "A"}


def written(plan: Plan) -> dict[str, Any]:
    """What a plan writes of the customer itself."""
    return dict(plan.patch) if isinstance(plan, Update) else {}


def parked(plan: Plan) -> set[str]:
    """The members that a plan asks a person about."""
    assert isinstance(plan, Update | Nothing)
    return {decision.path for decision in plan.decisions if decision.action == "park"}


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({}, None),
        ({"invoice_address.country": "NL"}, None),
        ({"invoice_address.line1": "kerkstraat 12"}, ["kerkstraat 12"]),
        (
            {
                "invoice_address.line1": " Kerkstraat  12",
                "invoice_address.postal_code": "90 00",
                "invoice_address.city": "Gent",
            },
            None,
        ),
        (
            {
                "invoice_address.line1": "Kerkstraat 12",
                "invoice_address.postal_code": "9000",
                "invoice_address.city": "Gent",
                "invoice_address.country": "BE",
            },
            None,
        ),
        ({**ELSEWHERE, "invoice_address.line2": "bus 3"}, ["Postbus 1", "bus 3", "2000 A"]),
        ({**ELSEWHERE, "invoice_address.country": "be"}, ["Postbus 1", "2000 A"]),
        ({**ELSEWHERE, "invoice_address.country": "NL"}, ["Postbus 1", "2000 A", "Nederland"]),
        ({**ELSEWHERE, "invoice_address.country": "Verweggistan"}, ["Postbus 1", "2000 A", "Verweggistan"]),
        ({**ELSEWHERE, "invoice_address.postal_code": "9712 ab"}, ["Postbus 1", "9712AB A"]),
        ({**ELSEWHERE, "invoice_address.postal_code": "SW1A 1AA"}, ["Postbus 1", "SW1A 1AA A"]),
    ],
    ids=[
        "none",
        "a country alone",
        "another spelling",
        "the same",
        "the same in full",
        "lines",
        "home",
        "abroad",
        "far",
        "Dutch postcode",
        "British postcode",
    ],
)
def test_an_invoice_address_is_given_only_where_it_is_another(values: dict[str, Any], lines: list[str] | None) -> None:
    assert invoice_block(de_linde(**values)) == (lines and "\n".join(["Dakwerken De Linde", *lines]))


JANSEN: dict[str, Any] = {
    "name": "Familie Jansen",
    "invoice_address.line1": "Oeverstraat 12",
    "invoice_address.postal_code": "9712 AB",
    "invoice_address.city": "Groningen",
}
"""The example of the vendor's page; the invoice address as Robaws holds it."""

AS_THE_PAGE_SHOWS_IT = "Familie Jansen\nT.a.v. P. Jansen\nOeverstraat 12\n9712AB Groningen"


@pytest.mark.parametrize(
    ("persons", "invoice_email"),
    [
        ([an(), bo(first_name="P.", last_name="Jansen", invoices=True)], None),
        ([an(), bo(first_name="P.", last_name="Jansen", email="Facturen@jansen.example")], "facturen@jansen.example"),
    ],
    ids=["marked", "by e-mail"],
)
def test_the_invoice_block_is_the_one_of_the_page(persons: list[Json], invoice_email: str | None) -> None:
    assert invoice_block(de_linde(**JANSEN, persons=persons, invoice_email=invoice_email)) == AS_THE_PAGE_SHOWS_IT


@pytest.mark.parametrize(
    "values",
    [
        {"persons": []},
        {"persons": [an(), bo()]},
        {"persons": [an(invoices=True), bo(invoices=True)]},
        {"persons": [an(email="x@y.example"), bo(email="x@y.example")], "invoice_email": "x@y.example"},
        {"persons": [an(first_name="Familie", last_name="Jansen", invoices=True)]},
    ],
    ids=["nobody", "none for invoices", "two marked", "two with the address", "the addressee"],
)
def test_without_one_person_for_the_invoices_there_is_no_attention_line(values: dict[str, Any]) -> None:
    assert invoice_block(de_linde(**{**JANSEN, **values})) == "Familie Jansen\nOeverstraat 12\n9712AB Groningen"


@pytest.mark.parametrize(
    "held",
    [
        AS_THE_PAGE_SHOWS_IT,
        "Familie Jansen\r\nOeverstraat 12\r\n9712 AB Groningen\r\n",
        "Familie Jansen\nOeverstraat 12\n9712AB Groningen\nNederland",
        "FAMILIE JANSEN\nt.a.v. de administratie\nOeverstraat 12, 9712 ab Groningen",
    ],
)
def test_a_block_that_is_right_already_asks_nothing_on_the_first_link(held: str) -> None:
    ours = MAPPING.outward(de_linde(**JANSEN))

    plan = plan_update(MAPPING, ours, OWNERS, None, {**ours.fields, "factuur_adressering": held})

    assert written(plan) == {}
    assert parked(plan) == set()


@pytest.mark.parametrize(
    "held",
    [
        "Oeverstraat 12\n9712AB Groningen",
        "Familie Jansen\nOeverstraat 14\n9712AB Groningen",
        "Familie Peeters\nOeverstraat 12\n9712AB Groningen",
    ],
)
def test_a_block_with_another_addressee_or_street_is_asked_about_on_the_first_link(held: str) -> None:
    ours = MAPPING.outward(de_linde(**JANSEN))

    plan = plan_update(MAPPING, ours, OWNERS, None, {**ours.fields, "factuur_adressering": held})

    assert parked(plan) == {"factuur_adressering"}


def test_a_block_without_a_name_that_we_wrote_gets_one() -> None:
    """What a release before wrote: the address alone."""
    ours = MAPPING.outward(de_linde(**JANSEN))
    before = {**ours.fields, "factuur_adressering": "Oeverstraat 12\n9712 AB Groningen"}

    plan = plan_update(MAPPING, ours, OWNERS, Snapshot(ours=before, theirs=before, table=MAPPING.version), before)

    assert written(plan) == {"factuur_adressering": "Familie Jansen\nOeverstraat 12\n9712AB Groningen"}


@pytest.mark.parametrize(
    ("title", "gender", "salutation"),
    [
        ("Mevr.", "vrouw", "mevrouw"),
        ("dhr.", "man", "meneer"),
        ("De heer", "man", "meneer"),
        ("mw. dr.", "vrouw", "mevrouw"),
        ("Dhr. ir.", "man", "meneer"),
        ("M.", "man", "Monsieur"),
        ("Mme", "vrouw", "Madame"),
        ("Mr", "man", "Mr"),
        ("Mr.", "man", "Mr"),
        ("Mrs.", "vrouw", "Mrs"),
        ("Ms", "vrouw", "Ms"),
        ("Herr Dr.", "man", "Herr"),
        ("FRAU", "vrouw", "Frau"),
        ("V", "vrouw", None),
        ("mr.", None, None),
        ("mr. drs.", None, None),
        ("Dhr./Mevr.", None, None),
        ("De heer en mevrouw", None, None),
        ("Fam.", None, None),
        ("Dr.", None, None),
        ("M/V", None, None),
        (None, None, None),
    ],
)
def test_a_title_tells_gender_and_salutation(title: str | None, gender: str | None, salutation: str | None) -> None:
    [person] = MAPPING.outward(de_linde(persons=[an(title=title)])).persons

    assert (person.fields["geslacht"], person.fields["aanhef"]) == (gender, salutation)


@pytest.mark.parametrize(("title", "lost"), [("Mevr.", False), ("Prof.", True), (None, False)])
def test_a_title_that_tells_no_gender_is_said_to_be_lost(title: str | None, lost: bool) -> None:
    assert ("persons.title" in MAPPING.outward(de_linde(persons=[an(title=title)])).unheld) is lost
