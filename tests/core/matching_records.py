"""
A client and records that may be it, for the tests of matching.

`BE0000000097` and `BE0000000196` have check digits that hold; `BE0000000001` has not.
"""

from __future__ import annotations

from typing import Any

from worker.core import contact as canonical
from worker.core.contact import Json
from worker.core.matching import Candidate, Verdict, decide

VAT, OTHER_VAT, BAD_VAT = "BE0000000097", "BE0000000196", "BE0000000001"
KVK, OTHER_KVK = "12345678", "87654321"
NL_VAT, RSIN = "NL004495445B01", "004495445"

CLIENT = {
    "kind": "organisation",
    "name": "Dakwerken De Linde",
    "email": "info@delinde.example",
    "phone": "+32 9 000 00 01",
    "address.postal_code": "9000",
    "address.country": "BE",
}


def contact(**values: Any) -> Json:
    """The client, with canonical values laid over."""
    return canonical.build(CLIENT | values)


def record(external_id: str = "1", name: str | None = "Bakkerij Het Zuiden", **values: Any) -> Candidate:
    """One that is nobody's, with `email` and canonical values laid over."""
    email, other_email = values.pop("email", None), values.pop("other_email", None)
    more = {key: values.pop(key) for key in ("reference", "usable", "why_not") if key in values}
    return Candidate(external_id, name, values, tuple(one for one in (email, other_email) if one), **more)


def verdict(
    client: Json, *found: Candidate, reference: str | None = None, unique: bool = False, **more: Any
) -> Verdict:
    return decide(client, found, reference=reference, reference_is_unique=unique, **more)


SAME_NAME = {"name": "DAKWERKEN de linde"}
SAME_NAME_BV = {"name": "DAKWERKEN DE LINDE bv"}
SAME_EMAIL = {"email": "Info@DeLinde.example"}
SAME_PLACE = {"address.postal_code": "9000"}
ELSEWHERE = {"address.postal_code": "2000"}
OTHER_EMAIL = {"email": "andere@else.example"}
SAME_PHONE = {"phone": "09 000 00 01"}
OTHER_PHONE = {"phone": "02 000 00 02"}
ALIKE = {"name": "Dakwerken de Lindt"}
