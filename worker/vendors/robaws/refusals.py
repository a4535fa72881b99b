"""
What Robaws's refusals mean: from an answer other than 2xx to an error of `worker.errors`, and the quota's headers.

The status alone decides on the kind of error; bodies of errors are not documented and are read as text for people
(Robaws sheet 10). HTML may come back with any status (trap 20).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeVar

from worker.errors import (
    Busy,
    CredentialsRejected,
    RateLimited,
    RecordGone,
    VendorError,
    VendorRejected,
    WrongAddress,
)
from worker.vendors.transport import Response, retry_after_seconds

Kind = TypeVar("Kind", bound=VendorError)

DAY_SECONDS: Final = 86_400.0
UNTOLD_RESET_SECONDS: Final = 3_600.0
"""How long the day's quota is left alone when the header with its reset is missing."""

ADDRESS_STEP: Final = "systems.robaws.base_url should end in /api/v2"

NEARLY_SPENT: Final = 2
"""So many calls left of this second are close to none: as many may be on their way from another worker."""
REST_SECONDS: Final = 1.0

MOST_TEXT: Final = 1_000
MOST_FIELDS: Final = 50


@dataclass(frozen=True)
class Quota:
    """What the headers say of the day's quota in one database mode; None where they do not."""

    limit: int | None
    remaining: int | None
    reset_seconds: float | None


def quota(response: Response) -> Quota | None:
    """The day's quota from the headers of any answer (Robaws sheet 4); None where there is no such header."""
    limit, remaining, reset = (
        _number(response.headers.get(f"x-ratelimit-daily-{name}")) for name in ("limit", "remaining", "reset")
    )
    if limit is None and remaining is None and reset is None:
        return None
    seconds = None if reset is None else min(float(reset), DAY_SECONDS)
    return Quota(limit, remaining, seconds)


def nearly_spent(response: Response) -> bool:
    """
    Whether few calls are left of this second's, as the headers of any answer say.

    "Pausing API calls for a second when the remaining becomes close to zero" is what Robaws asks for (Robaws sheet 4;
    https://support.robaws.com/nl/article/api-rate-limiting-1c0ti0o). The tenant's other integrations take from the
    same calls, so that keeping to a rate of our own is not enough.
    """
    left = _number(response.headers.get("x-ratelimit-remaining"))
    return left is not None and left <= NEARLY_SPENT


def require_ok(response: Response) -> None:
    """Nothing for a 2xx; else the error that the answer means is raised."""
    if not response.ok:
        raise failure(response)


def failure(response: Response) -> VendorError:
    """The error that an answer other than 2xx means (Robaws sheet 10)."""
    status = response.status
    if status >= 500 or status == 408:
        # A 500 may be the payload's fault as well (trap 23); the caller's bounded retries end that.
        return response.failed()
    if status == 401:
        return _unauthorised(response)
    if status == 429:
        return _limited(response)
    if _from_a_proxy(response):
        return response.broken("the answer does not come from Robaws itself")
    if 300 <= status < 400:
        return response.broken("the answer points to another address: is `base_url` the vendor's present one?")
    said = _Said.of(response)
    if status == 403:
        module = _module(response)
        return said.error(CredentialsRejected, f"the API user has no right to `{module}` at Robaws", "no_right")
    if status in (404, 410):
        return _not_there(response, said)
    if status == 405:
        return said.error(WrongAddress, f"Robaws does not take {response.request.method} at this address")
    if status == 409 and response.request.idempotency_key is not None:
        # Robaws sheet 5: the first request with this key is still being worked on. Not a conflict of business.
        return said.error(Busy, "the same request is still in work at Robaws")
    return said.error(VendorRejected, f"Robaws refuses the request with status {status}")


def _not_there(response: Response, said: _Said) -> VendorError:
    """
    404: of one record it may mean that it is gone; the collection itself is never gone, so its address is wrong.

    That of one record may be a wrong address as well: whoever acts on it rules that out (`RobawsClient`).
    """
    if "/" not in response.request.path.strip("/"):
        return said.error(WrongAddress, f"Robaws has nothing at this address: {ADDRESS_STEP}")
    return said.error(RecordGone, "Robaws has no such record")


def _from_a_proxy(response: Response) -> bool:
    """
    Tell whether something in front of Robaws answered, which says nothing of the record or of the data (trap 20).

    A 404 is looked at more closely, since "this client is gone" must not be read out of a proxy's own words.
    """
    body = response.body.strip()
    if response.is_json or not body:
        return False
    return body.startswith(b"<") or response.status in {404, 410}


def _unauthorised(response: Response) -> CredentialsRejected:
    """
    401: wrong credentials, or a block for too many 429s.

    A block is not cured by other credentials, and each further call prolongs it: everything stops (Robaws sheet 4 and
    10, trap 3).
    """
    why = response.headers.get("x-robaws-unauthorized-reason", "").strip()
    said = _Said.of(response)
    if why.lower() == "temp-blocked":
        text = "Robaws has blocked this integration for a time (temp-blocked); leave the password as it is"
        return said.error(CredentialsRejected, text, "temp_blocked")
    text = "Robaws does not accept the credentials" + (f" ({why[:100]})" if why else "")
    return said.error(CredentialsRejected, text, "credentials")


def _limited(response: Response) -> RateLimited:
    """
    429: the second's limit, or the day's (Robaws sheet 4, trap 2).

    Where the day's quota is spent nothing helps before its reset. Else it is a second at least; Retry-After has never
    been seen, and is obeyed if it comes.
    """
    told, said = quota(response), _Said.of(response)
    wait = retry_after_seconds(response.headers.get("retry-after")) or 0.0
    if told is not None and told.remaining == 0:
        seconds = told.reset_seconds if told.reset_seconds is not None else (wait or UNTOLD_RESET_SECONDS)
        text = "the day's quota of calls to Robaws is spent, by all integrations of this tenant together"
        return said.limited(text, max(1.0, seconds), daily=True)
    return said.limited("Robaws asks for a pause", max(1.0, wait), daily=False)


def _module(response: Response) -> str:
    """The module that a 403 is about: the first part of the address (Robaws sheet 2: a 403 counts for one resource)."""
    return response.request.path.lstrip("/").partition("/")[0]


def _number(text: str | None) -> int | None:
    """A whole number of a header, None where there is none to be read."""
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None


@dataclass(frozen=True)
class _Said:
    """
    What the body of an error says, as far as it can be read.

    Its shape for a validation error was found nowhere; public clients try these members in turn (Robaws sheet 10).
    """

    response: Response
    text: str
    fields: Mapping[str, str]
    correlation_id: str | None

    @classmethod
    def of(cls, response: Response) -> _Said:
        """Read an answer; never fails, whatever came."""
        body = response.json_or_none()
        if not isinstance(body, dict):
            return cls(response, "", {}, None)
        messages = list(islice(_field_messages(body.get("errors")), MOST_FIELDS))
        texts = (body.get(name) for name in ("message", "detail", "title", "error"))
        text = next((text for text in texts if isinstance(text, str) and text.strip()), "")
        if messages:
            text = "; ".join(f"{name}: {message}" if name else message for name, message in messages)
        fields: dict[str, str] = {}
        for name, message in messages:
            if name:
                fields[name] = f"{fields[name]}, {message}" if name in fields else message
        correlation_id = body.get("correlationId")
        return cls(response, _short(text), fields, _short(correlation_id) if isinstance(correlation_id, str) else None)

    def error(self, kind: type[Kind], text: str, reason: str | None = None) -> Kind:
        """The error, with our sentence, and Robaws's own behind it."""
        return kind(
            f"{text}: {self.text}" if self.text else text,
            reason=reason,
            status=self.response.status,
            fields=self.fields,
            excerpt=self.response.excerpt,
            correlation_id=self.correlation_id,
        )

    def limited(self, text: str, seconds: float, *, daily: bool) -> RateLimited:
        """The error for a 429."""
        return RateLimited(
            text,
            retry_after_seconds=seconds,
            daily=daily,
            status=self.response.status,
            excerpt=self.response.excerpt,
            correlation_id=self.correlation_id,
        )


def _field_messages(errors: Any) -> Iterator[tuple[str, str]]:
    """`errors` as a list of texts or objects, or as a map by field; the name is empty where there is none."""
    if isinstance(errors, dict):
        for name, value in errors.items():
            texts = value if isinstance(value, list) else [value]
            yield _short(name), _short(", ".join(str(text) for text in texts))
    elif isinstance(errors, list):
        for item in errors:
            if isinstance(item, dict):
                name = next((item[key] for key in ("field", "property", "path") if isinstance(item.get(key), str)), "")
                told = next(
                    (item[key] for key in ("message", "defaultMessage", "detail") if isinstance(item.get(key), str)), ""
                )
                yield _short(name), _short(told)
            elif isinstance(item, str):
                yield "", _short(item)


def _short(text: str) -> str:
    return text.strip()[:MOST_TEXT]
