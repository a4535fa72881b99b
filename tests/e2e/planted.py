"""
Secrets and personal values that are planted wherever they can come from, and where each of them may be found again.

`PLANTED` is the table: what it is, and the places where it may appear. Whatever appears anywhere else is a leak.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus

from worker.sandbox.seed import belgian_address, person

DATABASE: Final = "the database"
OPERATOR: Final = "the API for an operator"
VIEWER: Final = "the API for a viewer"
COMMANDS: Final = "commands that report"
KEPT: Final = frozenset((DATABASE, OPERATOR))
NOWHERE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Planted:
    """
    One value. `also` are other ways in which a vendor or we may write it (digits without blanks).

    `must`: where it has to be found, as a proof that it was planted.
    """

    name: str
    value: str
    may: frozenset[str] = NOWHERE
    must: frozenset[str] = NOWHERE
    also: tuple[str, ...] = field(default=())

    def forms(self) -> Iterator[str]:
        """The ways in which it may be written: as it is, escaped for JSON, HTML or a URL, and in base64."""
        for text in (self.value, *self.also):
            yield from {text, json.dumps(text)[1:-1], html.escape(text), quote(text), quote_plus(text)}
            yield from _in_base64(text)


def _in_base64(text: str) -> Iterator[str]:
    """The part of its base64 that does not depend on what stands around it, for each of the three ways to begin."""
    raw = text.encode()
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = encoded[(0, 2, 3)[shift] : -2]
        if len(inner) >= 10:
            yield inner


def personal(name: str, value: str, *also: str, seen: bool = True) -> Planted:
    """A value that is kept and shown to operators."""
    return Planted(name, value, KEPT, KEPT if seen else NOWHERE, also)


# What opens something: in the settings, and nowhere that this product writes.
CREDENTIALS: Final = {
    "robaws password": "pl4nted-Robaws-pässwörd+/7Qm",
    "rompslomp token": "pl4nted-rompslomp-token-8Zs1",
    "recras key": 'pl4nted-recras-"key"-5Tv2/x',
    "workspace token": "pl4nted-workspace-token-9Ld4",
    "routix secret": "pl4nted-routix-secret-3Bn6",
}
TOKENS: Final = {
    "viewer": "pl4nted-viewer-token-Xw7Rk2Pq9Vt5Hs8Nd3Jc6",
    "operator": "pl4nted-operator-token-Gm4Zy8Lb2Kf7Qt5Wr9Ux3",
    "admin": "pl4nted-admin-token-Ev6Sn3Td8Hj5Cp2Ya7Bk4Mz9",
}
GUESS: Final = "pl4nted-wrong-token-Rt5Kw8"

ORGANISATION: Final[dict[str, Any]] = {
    "name": "Plantwerken Zonnedauw",
    "email": "p.email-7291@zonnedauw.example",
    "invoiceEmail": "p.facturen-7292@zonnedauw.example",
    "tel": "+32 9 317 28 46",
    "gsm": "+32 475 91 37 26",
    "website": "https://zonnedauw-7293.example",
    "vatIdNumber": "BE0734567825",
    "address": belgian_address("Zonnedauwlaan 7294", "9051", "Plantegem", addressLine2="achterhuis 7295"),
    "invoiceAddress": belgian_address("Factuurdreef 7296", "9052", "Rekenegem"),
    "contacts": [
        person(
            "Zonneke",
            "Dauwaert",
            "plantmeester 7297",
            "z.dauwaert-7298@zonnedauw.example",
            tel="+32 9 317 28 47",
            isPrimary=True,
        )
    ],
}
PERSON: Final[dict[str, Any]] = {
    "name": "Isolde Vanplanteghem",
    "status": "Particulier",
    "email": "i.vp-7301@thuis.example",
    "tel": "+32 9 317 28 48",
    "address": belgian_address("Stilleweg 7302", "9053", "Stillegem"),
}
FREE_TEXT: Final = "wil na de echtscheiding 7303 niet gebeld worden"
IBAN: Final = "BE71096123456769"
IBAN_WITH_BLANKS: Final = "BE89 0012 3456 7840"
IBAN_IN_AN_ANSWER: Final = "NL91ABNA0417164300"
NATIONAL_NUMBER: Final = "85.07.30-033.28"
BIC: Final = "GKCCBEBBPL4"
CREDIT: Final = "kredietklasse C3 plant 7304"

EVENT_DATA: Final[dict[str, Any]] = {
    "accountNr": IBAN,
    "bank": {"number": IBAN, "bic": BIC},
    "bic": BIC,
    "creditInfo": CREDIT,
    "nationalNumber": NATIONAL_NUMBER,
    "description": "woont tijdelijk op Schuilplaats 7305",
    "createdBy": "medewerker.plant-7306",
    "extraFields": {
        "6B0B2B52-2F7C-4F7E-8D5C-0A1B2C3D4E5F": {"type": "TEXT", "stringValue": f"{FREE_TEXT}, {IBAN_WITH_BLANKS}"}
    },
}
ODD_KIND: Final = "nabestaande.overleden plant 7307"
QUARANTINED: Final = "geen gebeurtenis plant 7308"
AGENT: Final = "plantagent/7309"

STRANGER: Final = "Jan Vreemdeling-7311"
STRANGERS_STREET: Final = "Vreemdeweg 7312"
STRANGERS_PAGE: Final = "Mevrouw Vreemdeling-7313"
STRANGERS_MAIL: Final = "vreemd-7314@elders.example"

PAUSE: Final = "Recras weigert Vanplanteghem 7321"
DISCARD: Final = "verhuisd naar Schuilplaats 7322"
SYNC: Final = "gevraagd door Petronella 7323"
BULK: Final = "opnieuw voor echtpaar 7324"
SEARCH: Final = "zoekterm 7325"
QUERY: Final = "Vreemdeling 7326"

PLANTED: Final[tuple[Planted, ...]] = (
    *(Planted(name, value) for name, value in CREDENTIALS.items()),
    *(Planted(f"{role}'s token", value) for role, value in TOKENS.items()),
    Planted("wrong token", GUESS),
    Planted("wrong token in a query", f"{GUESS}-q"),
    Planted("IBAN", IBAN),
    Planted("IBAN with blanks", IBAN_WITH_BLANKS, also=(IBAN_WITH_BLANKS.replace(" ", ""),)),
    Planted("IBAN in an answer", IBAN_IN_AN_ANSWER),
    Planted("BIC", BIC),
    Planted("credit rating", CREDIT),
    Planted("national number", NATIONAL_NUMBER, also=("85073003328",)),
    Planted("organisation's name", ORGANISATION["name"], KEPT | {VIEWER}, KEPT | {VIEWER}),
    personal("e-mail", ORGANISATION["email"]),
    personal("e-mail for invoices", ORGANISATION["invoiceEmail"]),
    personal("phone", ORGANISATION["tel"], "+3293172846", "093172846"),
    personal("mobile phone", ORGANISATION["gsm"], "+32475913726", "0475913726"),
    personal("website", "zonnedauw-7293.example"),
    personal("VAT number", ORGANISATION["vatIdNumber"], "0734567825", "0734.567.825"),
    personal("street", ORGANISATION["address"]["addressLine1"]),
    personal("second address line", ORGANISATION["address"]["addressLine2"]),
    personal("city", ORGANISATION["address"]["city"]),
    personal("street for invoices", ORGANISATION["invoiceAddress"]["addressLine1"]),
    personal("city for invoices", ORGANISATION["invoiceAddress"]["city"]),
    personal("contact person's first name", ORGANISATION["contacts"][0]["name"]),
    personal("contact person's last name", ORGANISATION["contacts"][0]["surname"]),
    personal("contact person's job", ORGANISATION["contacts"][0]["function"]),
    personal("contact person's e-mail", ORGANISATION["contacts"][0]["email"]),
    personal("contact person's phone", ORGANISATION["contacts"][0]["tel"], "+3293172847", "093172847"),
    personal("private person's name", PERSON["name"]),
    personal("private person's e-mail", PERSON["email"]),
    personal("private person's phone", PERSON["tel"], "+3293172848", "093172848"),
    personal("private person's street", PERSON["address"]["addressLine1"]),
    personal("private person's city", PERSON["address"]["city"]),
    personal("free text in an extra field", FREE_TEXT),
    personal("free text in an event", EVENT_DATA["description"]),
    personal("colleague in an event", EVENT_DATA["createdBy"]),
    personal("kind of an event", ODD_KIND),
    personal("user agent", AGENT),
    personal("what is no event", QUARANTINED),
    personal("stranger in a refusal", STRANGER),
    personal("stranger's street in a refusal", STRANGERS_STREET),
    personal("stranger on an error page", STRANGERS_PAGE),
    personal("stranger's e-mail in a list", STRANGERS_MAIL),
    Planted("reason of a pause", PAUSE, KEPT | {COMMANDS}, KEPT),
    personal("reason of a discard", DISCARD),
    personal("reason of a sync", SYNC),
    personal("reason of a bulk action", BULK),
    personal("search term of a bulk action", QUERY),
    Planted("search term", SEARCH),
)


def found(places: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By place, each planted value that is there, with what stands around it."""
    seen: dict[str, dict[str, str]] = {}
    for place, text in places.items():
        for planted in PLANTED:
            at = next((at for form in planted.forms() if (at := text.find(form)) >= 0), -1)
            if at >= 0:
                seen.setdefault(place, {})[planted.name] = text[max(0, at - 120) : at + 160]
    return seen


PAGE: Final = Path(__file__).parents[2] / "docs" / "where-values-appear.md"
_INTRODUCTION: Final = """\
# Where secrets and personal values may appear

A test plants values in a running installation: through webhook events, Robaws clients, vendors' answers and refusals,
the settings, what people type, and wrong requests. Then it searches everything that the product shows or writes for
each of them, also escaped, encoded for a URL and in base64: every answer of the API to a viewer and to an operator,
error answers, the metrics, the page, every row of the database, Redis, the logs, standard output, what commands report,
the list of processes, and the other files of the home. A value that stands anywhere but here fails the test. This page
is made from the test's table.

"""


def page() -> str:
    """The page of the documentation: the values of each set of places."""
    groups: dict[str, list[str]] = {}
    for one in PLANTED:
        groups.setdefault(", ".join(sorted(one.may)) or "nowhere", []).append(one.name)
    rows = [f"| {', '.join(names)} | {places} |" for places, names in groups.items()]
    return _INTRODUCTION + "\n".join(["| value | may appear in |", "| --- | --- |", *rows]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
