"""Values that more than one vendor wants in the same form, and lists as more than one writes them."""

from __future__ import annotations

from typing import Any, Final

from worker.core import contact as canonical
from worker.core.contact import Json
from worker.core.normalise import country_code, is_kvk, name_key, registration_key, vat_key, vat_valid
from worker.core.normalise.numbers import CompanyNumber, company_numbers

ADDRESS_PARTS: Final = ("line1", "line2", "postal_code", "city", "country")


def php_list(value: Any) -> list[Any] | None:
    """
    A list as PHP writes it, None for what is not one: an array with gaps becomes an object of its places.

    An empty array never does, so an empty object is none.

    >>> php_list({"0": "a", "2": "b"}), php_list(["a"]), php_list({"name": "a"}), php_list({})
    (['a', 'b'], ['a'], None, None)
    """
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and value and all(place.isascii() and place.isdigit() for place in value):
        return [value[place] for place in sorted(value, key=int)]
    return None


def texts_in(value: Any) -> str | None:
    """
    What a value of another type than a text says all the same, None for nothing: for comparing, never for writing.

    >>> texts_in(["De", "Linde"]), texts_in({"name": "De Linde", "size": 2}), texts_in(9000), texts_in(True)
    ('De Linde', 'De Linde', '9000', None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str | int | float):
        return str(value) or None
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    texts = (texts_in(one) for one in inner if isinstance(one, str | list | dict))
    return " ".join(text for text in texts if text) or None


def vat_number(contact: Json) -> str | None:
    """
    The VAT number in capitals without blanks and points, with its country before it where that is certain.

    >>> vat_number({"vat_number": "be 0403.170.701"})
    'BE0403170701'
    """
    return vat_key(contact.get("vat_number"), canonical.get(contact, "address.country")) or None


def vat_spellings(contact: Json) -> list[str]:
    """
    The VAT number as a record may hold it, for vendors that search by a part of the text: the usual spelling first.

    The second one holds no letters, and so is a part of what is written with them and of what is not; Belgium's is
    mostly written with points. One whose check digits do not hold is looked for as it stands.

    >>> vat_spellings({"vat_number": "BE 403170701"}), vat_spellings({"vat_number": "n.v.t."})
    (['BE0403170701', '0403170701', '0403.170.701'], ['NVT'])
    """
    number = vat_number(contact)
    if number is None:
        return []
    whole = number if number[:2].isalpha() else vat_key(f"BE{number}")
    if not vat_valid(whole):
        return [number]
    bare = whole[2:]
    belgian = [f"{bare[:4]}.{bare[4:7]}.{bare[7:]}"] if whole.startswith("BE") else []
    return list(dict.fromkeys([number, bare, *belgian]))


def numbers_to_search(contact: Json) -> list[list[str]]:
    """
    The spellings of each VAT number of a contact, as a field may hold two; those of one are alternatives.

    The word for the tax that Switzerland and Norway write behind theirs is left out, as a record may have another.

    >>> numbers_to_search({"vat_number": "BE0403170701 / CHE-123.456.788 MWST"})
    [['BE0403170701', '0403170701', '0403.170.701'], ['123456788', '123.456.788']]
    """
    country = canonical.get(contact, "address.country")
    found = company_numbers(contact.get("vat_number"), None, country)
    numbers = [one for one in found if one.kind.startswith("vat:")]
    return [_spellings(one, contact if len(numbers) == 1 else None) for one in numbers]


def _spellings(number: CompanyNumber, contact: Json | None) -> list[str]:
    """`contact`: the one whose only number it is."""
    letters, text = number.kind.removeprefix("vat:"), number.text
    if letters in ("CH", "NO"):
        mark = "." if letters == "CH" else " "
        return [text, mark.join((text[:3], text[3:6], text[6:]))]
    if letters == "GB":
        return [text]  # with GB or XI before it
    return vat_spellings(contact or {"vat_number": f"{letters}{text}"})


def kvk_numbers(contact: Json) -> list[str]:
    """The Dutch numbers among a contact's registration numbers, as a field may hold two, or one with its branch."""
    found = company_numbers(None, contact.get("registration_number"), canonical.get(contact, "address.country"))
    texts = [one.text for one in found if one.kind == "kvk"]
    return [text for text in texts if kvk_number({**contact, "registration_number": text})]


def kvk_number(contact: Json) -> str | None:
    """
    The registration number where it is one of the Dutch chamber of commerce, else None.

    It has eight digits and no check digit, as some countries' own numbers have; so the address, else the VAT number,
    must not say another country.

    >>> kvk_number({"registration_number": "KvK 1234.5678"})
    '12345678'
    >>> kvk_number({"registration_number": "12345678", "address": {"country": "Duitsland"}}) is None
    True
    """
    number = contact.get("registration_number")
    if not is_kvk(number):
        return None
    country = country_code(canonical.get(contact, "address.country"))
    vat = vat_number(contact)
    dutch = country == "NL" if country else vat is None or vat.startswith("NL")
    return registration_key(number) if dutch else None


def invoice_group(contact: Json) -> str:
    """
    Which address invoices go to: the invoice address, or the visiting address where there is none.

    As a whole: a street of one and a city of the other would be a third place. A country alone is not an address.

    >>> invoice_group({"address": {"city": "Gent"}, "invoice_address": {"city": "Brugge"}})
    'invoice_address'
    >>> invoice_group({"address": {"city": "Gent"}, "invoice_address": {"country": "BE"}})
    'address'
    """
    has_own = any(canonical.get(contact, f"invoice_address.{part}") for part in ADDRESS_PARTS if part != "country")
    return "invoice_address" if has_own else "address"


def name_to_search(name: str | None) -> str | None:
    """
    A name as it is written, without the legal form at its end, for vendors that search by a part of it.

    >>> name_to_search("Dakwerken De Linde B.V.")
    'Dakwerken De Linde'
    """
    words = (name or "").split()
    key = name_key(name)
    while len(words) > 1 and name_key(" ".join(words[:-1])) == key:
        words.pop()
    return " ".join(words) or None
