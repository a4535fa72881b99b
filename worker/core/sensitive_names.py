"""Which members hold bank data or the number of a person's identity papers, by what they are called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final


def _words(text: str) -> list[str]:
    return text.split()


WORDS: Final = frozenset(
    _words("""
    iban ibans bban bic bics swift bank banks cvc cvv sepa
    bsn sofi insz niss inss rrn ssn
""")
)
"""A name that has one of these among its words: `iban`, `bank_nr`, `clientIban`."""

WHOLE: Final = frozenset(
    _words("""
    accountnr accountno accountnumber rekening rekeningen creditdate creditinfo creditlimit kredietlimiet
    rijksnummer sortcode routingnumber cardnumber kaartnummer
""")
)
"""A whole name, without its blanks and dashes."""

PARTS: Final = re.compile(
    "iban(?:nummer|number|nr|no|code)|bank(?:account|rekening|nummer|number|nr|name|naam|code|verbindung|gegevens)|"
    "rekening(?:nummer|nr|houder)|accountholder|konto(?:nummer|inhaber)|numerodecompte|comptebancaire|"
    "coordonneesbancaires|(?:credit|krediet|debit|debet|betaal|payment|bank)(?:card|kaart)|"
    "rijksregister|registrenational|(?<!inter)national(?:register|number|id|insurance)|nationaalnummer|numeronational|"
    "burgerservice|sofinummer|socialsecurity|identity(?:card|number)|identiteits(?:kaart|nummer|bewijs)|"
    "idcard|carte(?:d)?identite|personalausweis|pass(?:port|eport)(?:n|$)|paspoort|(?:rijbewijs|driving)(?:nummer|licence)"
)
"""A part of such a name, in the languages in which companies name their fields."""

_IDENTIFIERS: Final = frozenset(
    _words("""
    id ids uuid guid key ref reference phone phones telephone telephones telefoon telefoons tel gsm mobile mobiel
    fax vat btw tva kvk kbo coc registration offset cursor timestamp email emails mail logic
""")
)
"""Members whose numbers have a meaning of their own: eleven digits there are not the number of a person."""
_NUMBERED: Final = re.compile(
    "(?:client|customer|contact|klant|klanten|debiteur|debiteuren|debtor|debitor|relatie|lid|leden|member|order|"
    "invoice|factuur|offerte|quote|project|dossier|telefoon|phone|gsm|mobiel|fax|btw|vat|kvk|kbo|onderneming|"
    "ondernemings|enterprise|company|vestiging|vestigings|chamberofcommerce|extern|external)"
    "(?:nummer|number|num|nr|no|code|key|id|ref)"
)
"""A part of the name of a member that has such a number: `contact_number`, `Klantnummer`, `debiteurnr.`."""

_TITLES: Final = ("name", "field", "label", "key", "title", "code", "property", "path", "naam", "veld")
_VALUES: Final = frozenset(
    _words("""
    value values Value waarde stringValue textValue decimalValue integerValue numberValue string_value text tekst
    content inhoud rejectedValue rejected_value invalidValue invalid_value attemptedValue given input parameters
""")
)

_TOKEN: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_MOST_NAME: Final = 100
_MOST_KNOWN: Final = 20_000


class _Known(dict[str, bool]):
    """What was found of the names that came before: the same ones come with every record."""

    def __init__(self, judge: Callable[[str], bool]) -> None:
        super().__init__()
        self.judge = judge

    def __missing__(self, name: str) -> bool:
        found = self.judge(name)
        if len(name) <= _MOST_NAME and len(self) < _MOST_KNOWN:
            self[name] = found
        return found


def is_sensitive(name: str) -> bool:
    """
    Whether a member of this name holds bank data or an identity number.

    >>> [is_sensitive(name) for name in ("iban", "clientIban", "bank_nr", "Rekeningnummer", "Rijksregisternr.")]
    [True, True, True, True, True]
    >>> [is_sensitive(name) for name in ("name", "Liban", "account", "accountManager", "companyId", "btw_nummer")]
    [False, False, False, False, False, False]
    """
    return _known[name]


def is_identifier(name: str) -> bool:
    """
    Whether a member holds ids, phone numbers or the numbers of companies.

    >>> [is_identifier(name) for name in ("clientId", "phone_2", "Telefoonnummer", "client_code", "notes", "number")]
    [True, True, True, True, False, False]
    """
    return _identifiers[name]


def names_a_value(item: Mapping[str, Any]) -> Collection[str]:
    """
    The members of an object that another one of it gives a name to that is not to be kept.

    >>> names_a_value({"id": 1, "name": "Rekeningnummer", "type": "text", "value": "12-34"})
    ['value']
    """
    if _VALUES.isdisjoint(item):
        return ()
    for title in _TITLES:
        said = item.get(title)
        if isinstance(said, str) and len(said) <= _MOST_NAME and _judge(said):
            return [name for name, value in item.items() if value and name in _VALUES and name != title]
    return ()


def letters_of(text: str) -> str:
    """The letters of a name as it is judged by them: in lower case, without accents and what is between them."""
    return "".join(_tokens(text))


def _judge(name: str) -> bool:
    tokens = _tokens(name)
    if not WORDS.isdisjoint(tokens):
        return True
    joined = "".join(tokens)
    return joined in WHOLE or PARTS.search(joined) is not None


def _judge_identifier(name: str) -> bool:
    tokens = _tokens(name)
    return not _IDENTIFIERS.isdisjoint(tokens) or _NUMBERED.search("".join(tokens)) is not None


def _tokens(name: str) -> list[str]:
    """The words of a name in lower case, without accents: `bankNr`, `bank_nr` and `Bank nr.` are the same two."""
    name = name[:_MOST_NAME]
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return [token.lower() for token in _TOKEN.findall(name)]


_known: Final = _Known(_judge)
_identifiers: Final = _Known(_judge_identifier)
