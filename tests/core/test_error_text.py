"""What a log says about an error: never the value that the error quotes."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from worker.core.error_text import error_text, traceback_text
from worker.errors import VendorRejected

MARKER = "Geheimstraat 77"


def quoting() -> list[Exception]:
    """Errors as libraries and we raise them, each with a person's address in its text."""
    return [
        ValueError(f"invalid literal for int() with base 10: '{MARKER}'"),
        KeyError(MARKER),
        RuntimeError(MARKER),
        UnicodeEncodeError("ascii", MARKER, 0, 1, "ordinal not in range"),
        VendorRejected(f"{MARKER} hoort bij Jan Stranger"),
        psycopg.errors.NotNullViolation(f"null value\nDETAIL:  Failing row contains (1, {MARKER})."),
        IntegrityError(None, None, psycopg.errors.UniqueViolation(f"Key (street)=({MARKER}) already exists.")),
        ExceptionGroup(MARKER, [ValueError(MARKER)]),
    ]


@pytest.mark.parametrize("error", quoting(), ids=lambda error: type(error).__name__)
def test_the_value_that_an_error_quotes_is_left_out(error: Exception) -> None:
    def raise_it() -> None:
        raise error from quoting()[0]

    with pytest.raises(type(error)) as caught:
        raise_it()

    told = traceback_text((type(error), error, caught.tb))

    assert MARKER not in told
    assert MARKER not in error_text(error)
    assert "in raise_it" in told, "where it was raised is told"
    assert "which led to:" in told
    assert type(error).__name__ in told


def test_an_error_of_ours_is_told_by_its_reason() -> None:
    assert error_text(VendorRejected(MARKER)) == "VendorRejected (rejected)"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (psycopg.OperationalError('connection to server at "127.0.0.1" failed\nmore'), 'connection to server at "127'),
        (FileNotFoundError(2, "No such file or directory", "/srv/x"), "/srv/x"),
        (AttributeError("'NoneType' object has no attribute 'x'"), "has no attribute 'x'"),
    ],
    ids=["a database that is away", "a file", "a mistake of ours"],
)
def test_what_quotes_nobody_is_told(error: Exception, told: str) -> None:
    assert told in error_text(error)
