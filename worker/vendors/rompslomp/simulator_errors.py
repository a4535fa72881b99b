"""
What the simulated Rompslomp says when it refuses (Rompslomp sheet 7).

Every refusal is one JSON object with a sentence and a type, and it is the type that a client switches on
(https://rompslomp.nl/developer/requests-responses). The sentences that the vendor has not published are made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from worker.vendors.simulation import SimResponse

# Sheet 11.14: the same content type on every answer, whatever `Accept` says.
CONTENT_TYPE = "application/json; charset=utf-8"


class ApiError(Exception):
    """A refusal, raised where it is found and turned into an answer at the door."""

    def __init__(self, status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.headers = dict(headers or {})

    def response(self) -> SimResponse:
        """The answer that carries this refusal."""
        return SimResponse.of_json(self.status, error_body(self.kind, self.message), self.headers, CONTENT_TYPE)


def error_body(kind: str, message: str) -> dict[str, Any]:
    """The body of every refusal; no field is named in machine form (sheet 7)."""
    return {"error": {"message": message, "type": kind}}


def malformed_json() -> ApiError:
    """The body is not JSON (sheet 11.5)."""
    return ApiError(400, "client.parameters.malformed_json", "De request body bevat geen geldige JSON.")


def missing_parameter(name: str) -> ApiError:
    """The root member is not there, or is not an object (sheet 11.5)."""
    return ApiError(400, "client.parameters.missing_parameter", f"Parameter ontbreekt of is leeg: {name}")


def unpermitted_parameters(names: list[str]) -> ApiError:
    """Members that a contact does not have, or that only the vendor writes (sheet 11.5)."""
    listed = ", ".join(names)
    return ApiError(400, "client.parameters.unpermitted_parameters", f"Niet toegestane parameters: {listed}")


def invalid_parameter_value(name: str) -> ApiError:
    """A value of the wrong type, or outside what is allowed (sheets 11.5 and 11.11)."""
    return ApiError(400, "client.parameters.invalid_parameter_value", f"Ongeldige waarde voor parameter: {name}")


def invalid_token(*, expired: bool = False) -> ApiError:
    """No token, an unknown one or one that has ended (sheet 11.3)."""
    sentence = f"Het toegangstoken is {'verlopen' if expired else 'ongeldig'}"
    challenge = f'Bearer realm="Rompslomp API v1", error="invalid_token", error_description="{sentence}"'
    return ApiError(401, "client.authentication.invalid_token", sentence, {"www-authenticate": challenge})


def invalid_scope(scope: str) -> ApiError:
    """The token or the administration lacks the scope (sheets 3 and 11.4)."""
    return ApiError(403, "client.authorization.invalid_scope", f"Het toegangstoken heeft niet de scope {scope}")


def access_denied() -> ApiError:
    """Not this token's administration, or one without the API in its subscription (sheets 3 and 11.4)."""
    return ApiError(403, "client.authorization.access_denied", "Geen toegang tot deze administratie")


def resource_not_found() -> ApiError:
    """The record is gone (sheet 11.10)."""
    return ApiError(404, "client.not_found.resource", "De resource is niet gevonden")


def endpoint_not_found() -> ApiError:
    """The path is wrong, which is a fault of configuration (sheets 2 and 11.2)."""
    return ApiError(404, "client.not_found.endpoint", "Het endpoint is niet gevonden")


def invalid_record(faults: list[str]) -> ApiError:
    """The record is refused; each fault is a sentence of its own, as the OpenAPI file shows for rides and hours."""
    return ApiError(422, "client.parameters.validation", f"Contact is invalid: {'. '.join(faults)}.")


def quota_reached() -> ApiError:
    """The subscription is full (sheets 5 and 11.13)."""
    return ApiError(422, "client.quota_reached", "Het maximum aantal contacten van het abonnement is bereikt.")


def rate_limited(retry_after: int | None) -> ApiError:
    """Too many requests; `retry_after` in whole seconds (sheets 5 and 11.12)."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return ApiError(429, "client.rate_limit", "Te veel requests.", headers)


def server_error() -> ApiError:
    """A fault of the vendor's own (sheet 11.15)."""
    return ApiError(500, "server", "Er is een onvoorziene fout opgetreden. Probeer het later nog eens.")
