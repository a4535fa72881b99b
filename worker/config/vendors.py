"""
The settings of each vendor: its credentials, and every choice that its pages leave open.

The defaults are those of the vendor sheets, sections "Unknown / must be configurable"; a rate above what the vendor has
published is refused, where none is published the setting counts.
"""

from __future__ import annotations

import math
import re
import string
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from worker.config.base import (
    CountryCode,
    Credential,
    Entries,
    HeaderCredential,
    HeaderSecret,
    HttpUrl,
    Number,
    OptionalHttpUrl,
    OptionalSecret,
    OptionalText,
    Seconds,
    Secret,
    Text,
    Whole,
    at_most,
    http_url,
)
from worker.config.systems import (
    BASE_URL,
    BURST,
    DAILY_REQUESTS,
    IDEMPOTENCY_HEADERS,
    RATE_PER_MINUTE,
    RATE_PER_SECOND,
    UNKNOWN_SETTLE,
    HeaderNames,
    SystemSettings,
)


def _template(*members: str) -> AfterValidator:
    wanted = set(members)
    shown = " and ".join(f"{{{member}}}" for member in members)

    def check(value: str) -> str:
        try:
            found = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
        except ValueError:
            found = set()
        if found != wanted or not value.startswith("/"):
            raise ValueError(f"is not such a path: begin it with / and put {shown} in, nothing else in braces")
        return value

    return AfterValidator(check)


# ---------------------------------------------------------------------------------------------------------- Robaws
class RobawsSettings(SystemSettings):
    """Robaws sheet 2 to 5 and 13 (https://support.robaws.com/nl/article/robaws-api-kue9an)."""

    needs: ClassVar[Mapping[str, str]] = {
        "username": "make an API-only user in Robaws and give its API key (or its user name) here",
        "password": "give the API secret (or the password) of the API-only user, best with password_file",
    }
    credentials: ClassVar[tuple[str, ...]] = ("username", "password", "tenant")

    base_url: HttpUrl = Field(default="https://app.robaws.com/api/v2", description=BASE_URL)
    # Robaws sheet 4: 15 a second and 10,000 a day for each database mode; all integrations of the tenant share them.
    rate_per_second: Annotated[Number | None, at_most(15, "Robaws allows 15 calls a second")] = Field(
        default=10.0, gt=0, description=f"{RATE_PER_SECOND}; at most 15"
    )
    burst: Annotated[Whole, at_most(20, "Robaws allows 20 calls at once")] = Field(
        default=5, ge=1, description=f"{BURST}; at most 20"
    )
    daily_requests: Annotated[Whole | None, at_most(10_000, "Robaws allows 10000 calls a day")] = Field(
        default=6000, ge=1, description=f"{DAILY_REQUESTS} in each database mode; at most 10000"
    )
    unknown_settle_seconds: Seconds = Field(default=1.0, description=UNKNOWN_SETTLE)
    username: Credential = Field(default=None, description="user name of the API-only user, or its API key (Basic)")
    password: OptionalSecret = Field(default=None, description="its password, or the API secret")
    tenant: HeaderCredential = Field(
        default=None, description="value of `X-Tenant`, where one login has several tenants"
    )
    webhook_secrets: tuple[Secret, ...] = Field(
        default=(), description="secrets of the registered webhook endpoints; a signature may match any of them"
    )
    # Robaws sheet 5: the header was renamed, and which name a tenant's Robaws knows is not told.
    idempotency_headers: HeaderNames = Field(
        default=("Idempotency-Key", "x-robaws-idempotency-key"), min_length=1, description=IDEMPOTENCY_HEADERS
    )
    write_back: Annotated[dict[Literal["rompslomp", "recras", "workspace", "routix"], Text], Entries()] = Field(
        default={}, description="Robaws extra field, by system, that receives the record's id in that system"
    )
    payment_terms: Annotated[dict[Text, Annotated[Whole, Field(ge=0)]], Entries()] = Field(
        default={}, description="days that a payment condition of Robaws means, by its id (`paymentConditionId`)"
    )
    database_mode_for_sweeps: Literal["replica", "live"] = Field(
        default="replica", description="where full reads go: the replica has a daily quota of its own"
    )
    phone_region: CountryCode = Field(
        default="BE",
        description="country where phone numbers without a country code are, if the address of the client does not "
        "name another",
    )


# ------------------------------------------------------------------------------------------------------- Rompslomp
def _company_id(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[0-9]{1,10}", value):
        raise ValueError("is not the number of an administration: write its digits, as GET /companies shows them")
    return value


def _reference_prefix(value: str) -> str:
    # Rompslomp sheet 9: the vendor numbers its own contacts K00001, K00002.
    if value.upper() == "K":
        raise ValueError('is how Rompslomp numbers contacts itself: choose another, for example "RB-"')
    return value


class RompslompSettings(SystemSettings):
    """Rompslomp sheet 2, 3 and 9 (https://app.rompslomp.nl/developer/api-tokens)."""

    needs: ClassVar[Mapping[str, str]] = {
        "token": "make a token in Rompslomp under Mijn account, Mijn API tokens, with public and manage:contacts",
        "company_id": "give the number of the administration, as GET /companies shows it",
    }
    credentials: ClassVar[tuple[str, ...]] = ("token",)

    base_url: HttpUrl = Field(default="https://api.rompslomp.nl/api/v1", description=BASE_URL)
    # Rompslomp sheet 5: one a second sustained. A first link is up to six calls in a row, and should not take six
    # seconds when nothing else happens; what is asked at once stays limited by the rate.
    rate_per_second: Number | None = Field(default=1.0, gt=0, description=RATE_PER_SECOND)
    burst: Whole = Field(default=10, ge=1, description=BURST)
    unknown_settle_seconds: Seconds = Field(default=5.0, description=UNKNOWN_SETTLE)
    token: HeaderSecret = Field(default=None, description="personal API token (Bearer)")
    company_id: Annotated[OptionalText, AfterValidator(_company_id)] = Field(
        default=None, description="number of the administration, up to ten digits"
    )
    path_template: Annotated[str, _template("company_id", "resource")] = Field(
        default="/companies/{company_id}/{resource}", description="path of a resource below `base_url`"
    )
    address: Literal["invoice", "visiting"] = Field(
        default="invoice",
        description="which address of the client the contact holds, as invoices carry it: `invoice`, the visiting "
        "address where there is none, or always `visiting`",
    )
    number_from: Literal["id", "logic_id"] = Field(
        default="id",
        description="what `contact_number` of a new contact is: our reference with the Robaws id, or the customer "
        "number (`logicId`); our reference is then in another `reference_member`",
    )
    reference_member: Literal["contact_number", "free_1", "free_2", "free_3", "none"] = Field(
        default="contact_number", description="member that carries our reference; only `contact_number` can be searched"
    )
    reference_prefix: Annotated[str, AfterValidator(_reference_prefix)] = Field(
        default="RB-", max_length=32, description="what comes before the Robaws id in the reference"
    )


# ---------------------------------------------------------------------------------------------------------- Recras
def _recras_url(value: str) -> str:
    if not value.strip():
        return ""  # every customer has a host of its own, so there is no default, and an example leaves it open
    value = http_url(value)
    if (urlsplit(value).hostname or "").startswith("name."):
        raise ValueError("still holds the NAME of the example: put the name of your own Recras in")
    return value


class RecrasSettings(SystemSettings):
    """Recras sheet 2 and 10 (https://demo.recras.nl/docs/api/authentication.html)."""

    needs: ClassVar[Mapping[str, str]] = {
        "base_url": "write the address of your own Recras, https://NAME.recras.nl/api2",
        "api_key": "make an API key in Recras with a user that may read and change customers",
    }
    credentials: ClassVar[tuple[str, ...]] = ("api_key",)

    base_url: Annotated[str, AfterValidator(_recras_url)] = Field(
        default="", description=f"{BASE_URL}: `https://NAME.recras.nl/api2`"
    )
    rate_per_second: Number | None = Field(default=2.0, gt=0, description=RATE_PER_SECOND)
    burst: Whole = Field(default=10, ge=1, description=BURST)
    unknown_settle_seconds: Seconds = Field(default=60.0, description=UNKNOWN_SETTLE)
    api_key: HeaderSecret = Field(default=None, description="API key (Bearer)")
    put_mode: Literal["full", "changed"] = Field(
        default="full", description="whether a change sends the whole record as it was read, or only what changes"
    )
    send_landcode_btw: bool = Field(
        default=False, description="whether country and VAT number are sent; a Recras that does not know them refuses"
    )
    company: Whole | None = Field(default=None, ge=1, description="`bedrijf_id` of new customers")
    customer_kind: OptionalText = Field(
        default=None, description="`soort_klant` of new customers; must exist at that company"
    )
    customer_kind_person: OptionalText = Field(
        default=None, description="`soort_klant` of new customers that are private persons; else `customer_kind`"
    )
    department: OptionalText = Field(default=None, description="`afdeling` of new customers")
    person_fallback_name: OptionalText = Field(
        default=None,
        description="last name of the person made for a client without any; else the client's name",
    )
    reference_extra_field: OptionalText = Field(
        default=None, description="Recras extra field (text) that carries the Robaws id"
    )


# ------------------------------------------------------------------------------------------------------- Workspace
MissingMember = Literal[
    "email", "phone", "location_address", "location_city", "invoice_address", "invoice_postal", "invoice_city"
]
ON_MISSING: Final[Mapping[MissingMember, str]] = {
    "email": "review",
    "phone": "-",
    "location_address": "-",
    "location_city": "-",
    "invoice_address": "-",
    "invoice_postal": "-",
    "invoice_city": "-",
}


def _with_defaults(value: Any) -> Any:
    return {**ON_MISSING, **value} if isinstance(value, Mapping) else value


def _contact_type(value: Any) -> Any:
    return None if value in ("none", "") else str(value)


class WorkspaceSettings(SystemSettings):
    """Workspace sheet 2, 4, 9 and 12 (https://apidocs.workspace.nl/contacts)."""

    needs: ClassVar[Mapping[str, str]] = {
        "token": "ask Workspace for an API token and give it here, best with token_file",
    }
    credentials: ClassVar[tuple[str, ...]] = ("token", "auth", "username")

    base_url: HttpUrl = Field(default="https://api.workspace.nl/api/v1", description=BASE_URL)
    rate_per_second: Number | None = Field(default=1.0, gt=0, description=RATE_PER_SECOND)
    burst: Whole = Field(default=5, ge=1, description=BURST)
    unknown_settle_seconds: Seconds = Field(default=60.0, description=UNKNOWN_SETTLE)
    token: OptionalSecret = Field(default=None, description="API token; the password where `auth` is `basic`")
    auth: Literal["token", "basic", "bearer"] = Field(
        default="token", description="Basic with the user name `token`, Basic with `username`, or Bearer"
    )
    username: Credential = Field(default=None, description="user name where `auth` is `basic`")
    form_style: Literal["flat", "data", "model"] = Field(
        default="flat", description="how members are named in a form: `name`, `data[Contact][name]`, `Contact[name]`"
    )
    on_missing: Annotated[dict[MissingMember, str], BeforeValidator(_with_defaults), Entries()] = Field(
        default=dict(ON_MISSING),
        description="what a required member without a value gets: `review`, or a fixed text; what is not given "
        "keeps its default",
    )
    send_type: Annotated[Literal["1"] | None, BeforeValidator(_contact_type)] = Field(
        default="1", description="`type` of new contacts: 1 (debtor), or `none` to leave it out"
    )
    group: Text = Field(default="Algemeen", description="`group` of new contacts")
    payment_term: Whole = Field(default=14, ge=0, description="`payment_term` in days where Robaws gives none")
    reference_style: Literal["robaws_id", "prefixed"] = Field(
        default="robaws_id",
        description="`client_reference` of new contacts: the Robaws id, or `RB` and the Robaws id",
    )
    reference_offset: Whole = Field(
        default=0, ge=0, description="added to the Robaws id in `client_reference`, away from existing numbers"
    )
    number_from: Literal["none", "id", "logic_id"] = Field(
        default="none",
        description="what `client_code` of a contact that has none is filled with: nothing, the Robaws id, or the "
        "customer number (`logicId`)",
    )
    country_style: Literal["code", "name_nl"] = Field(
        default="code", description="how a country is written: `BE`, or `België`"
    )
    update_mode: Literal["changed", "all_editable"] = Field(
        default="changed", description="whether a change sends only what changes, or all editable members"
    )
    collection_path: Annotated[str, _template()] = Field(default="/contacts.json", description="path of the list")
    element_path: Annotated[str, _template("id")] = Field(
        default="/contacts/{id}.json", description="path of one contact"
    )
    repeat_400: Whole = Field(
        default=1, ge=0, description="how often a 400, which names no field, is tried again before it is dead"
    )


# ---------------------------------------------------------------------------------------------------------- Routix
def _branch(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{8}", value):
        raise ValueError("is not the public id of a branch: write its eight characters, such as RS2RDH3B")
    return value


def _only_source(value: Any) -> Any:
    # Routix sheet trap 1: everything but GET is answered with 405. Refused here, not found out by a hundred of them.
    if value != "source":
        raise ValueError("would write to Routix, which can only be read (405 to anything else): set it to source")
    return value


EDGE_FUNCTIONS_PER_MINUTE: Final = 100
"""Calls a minute and user that Routix names for addresses with `/functions/` (sheet 5)."""


class RoutixSettings(SystemSettings):
    """Routix sheet 2 to 5 and 7 (https://docs.routix.com/en/api/api-integration). A source only."""

    needs: ClassVar[Mapping[str, str]] = {
        "client_id": "register an app in Routix under Settings, OAuth Apps, and give its client id",
        "client_secret": "give the secret that Routix showed once when the app was registered",
        "branches": "list the public ids of the branches whose accounts are read",
    }
    credentials: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")

    base_url: HttpUrl = Field(default="https://api.routix.com/functions/v1", description=BASE_URL)
    # Routix sheet 5: 1000 a minute for the REST API, 100 for Edge Functions, and the path looks like one of those: so
    # the larger one is what is refused, the default is below both, and `check` tells of a rate between them.
    rate_per_minute: Annotated[
        Number | None, at_most(1000, "Routix allows its REST API 1000 calls a minute for each organisation")
    ] = Field(default=60.0, gt=0, description=f"{RATE_PER_MINUTE}; at most 1000")
    idempotency_headers: HeaderNames = Field(default=(), max_length=0, description=IDEMPOTENCY_HEADERS)
    burst: Whole = Field(default=5, ge=1, description=BURST)
    client_id: Credential = Field(default=None, description="client id of the OAuth app")
    client_secret: OptionalSecret = Field(default=None, description="its secret")
    branches: tuple[Annotated[str, AfterValidator(_branch)], ...] = Field(
        default=(), description="public ids of the branches that are read, eight characters each"
    )
    direction: Annotated[Literal["source"], BeforeValidator(_only_source)] = Field(
        default="source", description="Routix can only be read"
    )
    api_version: Literal["v2", "v1"] = Field(
        default="v2", description="v1 has no address and no VAT number; v2 has them"
    )
    page_size: Whole = Field(default=500, ge=1, le=1000, description="accounts asked for at once; at most 1000")
    token_url: OptionalHttpUrl = Field(default=None, description="where tokens come from; else `base_url`/oauth-token")
    country: CountryCode = Field(default="NL", description="country of every address, as Routix gives none")
    account_types: tuple[Literal["customer", "vendor", "carrier"], ...] = Field(
        default=("customer",), min_length=1, description="which accounts are taken, by `account_type`"
    )
    statuses: tuple[Text, ...] = Field(
        default=("active",), min_length=1, description="which accounts are taken, by `status`"
    )

    @property
    def rate_of_functions_exceeded(self) -> float | None:
        """
        The calls a minute, where they are more than Routix names for the kind of address that `base_url` is (sheet 5).
        """
        rates = [float(self.rate_per_minute)] if self.rate_per_minute else []
        rates += [float(self.rate_per_second) * 60] if self.rate_per_second else []
        rate = min(rates, default=math.inf)
        functions = "functions" in urlsplit(self.base_url).path.split("/")
        return rate if functions and EDGE_FUNCTIONS_PER_MINUTE < rate < math.inf else None

    @property
    def token_endpoint(self) -> str:
        """Where tokens come from: `token_url`, else beside the API (Routix sheet 3)."""
        return self.token_url or f"{self.base_url}/oauth-token"
