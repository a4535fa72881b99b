"""Masks: what a viewer does not see, and what stays readable."""

from __future__ import annotations

from typing import Any

import pytest

from webhooks.api.masks import MASK, Masker, hide, known_values, mask_fields, mask_path, mask_text
from worker.config import Settings

MASKER = Masker(Settings())

CONTACT: dict[str, Any] = {
    "name": "Dakwerken De Linde",
    "vat_number": "BE0000000097",
    "email": "info@delinde.example",
    "address": {"line1": "Kerkstraat 12", "city": "Gent", "country": "BE"},
    "persons": [{"first_name": "An", "last_name": "Peeters", "email": "an@delinde.example"}],
}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to an.peeters+x@sub.delinde.example now", f"write to {MASK} now"),
        ("call +32 9 123 45 67", f"call {MASK}"),
        ("call 09/123.45.67", f"call {MASK}"),
        ("call 0032 9 123 45 67!", f"call {MASK}!"),
        ("id 1834 of 2026-03-02T09:00:00", "id 1834 of 2026-03-02T09:00:00"),
        ("status 422 after 41 ms", "status 422 after 41 ms"),
        ("BE0000000097", "BE0000000097"),
    ],
)
def test_addresses_and_numbers_are_hidden_wherever_they_stand(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_the_contacts_own_values_are_hidden_in_any_text() -> None:
    text = "Peeters of Kerkstraat 12 in Gent (BE0000000097) is refused"

    assert mask_text(text, known_values(CONTACT)) == f"{MASK} of {MASK} in {MASK} (BE0000000097) is refused"


@pytest.mark.parametrize(
    "member",
    ["naam", "email1", "telefoon1", "location_address", "zipcode", "contact_person_email_address", "contact[name]"],
)
def test_members_that_a_vendors_table_calls_personal_are_hidden(member: str) -> None:
    assert MASKER.json({"outer": [{member: "value", "btw_nummer": "BE1"}]}) == {
        "outer": [{member: MASK, "btw_nummer": "BE1"}]
    }


STRANGER = '{"id":7,"type":"klant","displaynaam":"De Els","btw_nummer":"BE1","landcode":"BE","bedrijf_id":1}'
ANYBODY = STRANGER.replace("De Els", MASK).replace("BE1", MASK).replace('"bedrijf_id":1', f'"bedrijf_id":"{MASK}"')


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (f"[{STRANGER}]", f"[{ANYBODY}]"),
        (f'{{"items":[{STRANGER}],"size":2}}', f'{{"items":[{ANYBODY}],"size":2}}'),
        (f'{{"items":[{{"Klant":{STRANGER}}}]}}', f'{{"items":[{{"Klant":{ANYBODY}}}]}}'),
        ('{"id":7,"btw_nummer":"BE1","tags":["new"]}', '{"id":7,"btw_nummer":"BE1","tags":["new"]}'),
        (f"[{STRANGER},{STRANGER[:40]}", MASK),
        ("<h1>Sign in</h1>", "<h1>Sign in</h1>"),
    ],
    ids=["a list", "a list in an envelope", "records that are wrapped", "one record", "cut short", "no JSON"],
)
def test_of_a_list_of_other_peoples_records_nothing_is_shown_but_which_they_are(answer: str, shown: str) -> None:
    assert MASKER.body(answer) == shown


def test_what_was_searched_for_is_hidden_in_the_path() -> None:
    path = (
        "/companies/44/contacts?search%5Bq%5D=De+Linde&search[contact_person_email_address]=a%40b&page=1&per_page=100"
    )

    assert mask_path(path) == (
        f"/companies/44/contacts?search%5Bq%5D={MASK}&search[contact_person_email_address]={MASK}&page=1&per_page=100"
    )
    assert mask_path("/clients/1834?include=contacts") == "/clients/1834?include=contacts"
    assert mask_path("/klanten?id%3E=62") == "/klanten?id%3E=62"
    assert mask_path("/klanten/De Linde", ["De Linde"]) == f"/klanten/{MASK}"


def test_what_is_hidden_keeps_its_shape() -> None:
    value = {"name": {"first": "An", "list": ["a", None, "", True, 5]}}

    assert MASKER.json(value) == {"name": {"first": MASK, "list": [MASK, None, "", True, MASK]}}
    assert hide([["x"]]) == [[MASK]]


def test_a_refusal_stays_readable() -> None:
    body = '{"errors": {"name": ["is too long"], "email": ["an@delinde.example is wrong"]}}'

    assert MASKER.body(body, by_name=False) == body.replace("an@delinde.example", MASK).replace(": ", ":").replace(
        ", ", ","
    )


def test_a_body_that_is_no_json_is_masked_as_text() -> None:
    assert MASKER.body("<p>an@delinde.example</p>") == f"<p>{MASK}</p>"
    assert MASKER.body(None) is None


def test_a_contact_shows_whose_it_is_and_no_more() -> None:
    masked = mask_fields(CONTACT)

    assert masked == {
        "name": "Dakwerken De Linde",
        "vat_number": "BE0000000097",
        "email": MASK,
        "address": {"line1": MASK, "city": MASK, "country": MASK},
        "persons": [{"first_name": MASK, "last_name": MASK, "email": MASK}],
    }
    assert CONTACT["email"] == "info@delinde.example"
    assert mask_fields(None) is None


def test_a_deep_value_ends_in_a_mask_and_not_in_an_error() -> None:
    value: Any = "x"
    for _ in range(500):
        value = [value]

    assert MASK in str(MASKER.json(value))
    assert MASK in str(hide(value))
