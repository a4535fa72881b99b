"""The signature of Robaws webhooks, held to the sheet's own test vector (Robaws sheet 3.3)."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.core import signature
from worker.core.signature import SignatureVerdict, sign, verify

SECRET = "11111111-2222-4333-8444-555555555555"
T = 1760000000
BODY = b'{"id":"0b5f3c1e-9d54-4a59-8a34-0c6f3c2b7a10","event":"client.updated","data":{"id":"1834","name":"Voorbeeld"}}'
V1 = "ca7bf8ec2aefe23aae02199d2ae62f354ba5c5fa1f28e78bfe0bfc9e6cc5e97b"
OTHER = "0" * 64


def check(header: str | None, *, body: bytes = BODY, now: float = T, tolerance: float = 300) -> SignatureVerdict:
    return verify(header, body, [SECRET], now, tolerance)


def test_the_vector_of_the_sheet_holds_in_both_directions() -> None:
    assert len(BODY) == 110
    assert sign(SECRET, T, BODY) == f"t={T},v1={V1}"
    assert check(f"t={T},v1={V1}") == SignatureVerdict(None, signed_at=T)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        pytest.param(f"t={T},v1={V1}", None, id="as the vendor sends it"),
        pytest.param(f" t = {T} ,\tv1 = {V1} ", None, id="blanks around the parts"),
        pytest.param(f"v1={V1},t={T}", None, id="the other order"),
        pytest.param(f"t={T},v1={V1.upper()}", None, id="hex in capitals"),
        pytest.param(f"t={T},v0={OTHER},v1={V1},key=a=b,", None, id="unknown parts"),
        pytest.param(f"t={T},v1={OTHER},v1={V1}", None, id="the second v1 fits"),
        pytest.param(f"t={T},v1={V1},v1={OTHER}", None, id="the first v1 fits"),
        pytest.param(f"t={T},v1=short,v1={V1}", None, id="one v1 is no digest"),
        pytest.param(f"t={T},t={T},v1={V1}", None, id="the same time twice"),
        pytest.param(None, "missing", id="no header"),
        pytest.param("", "missing", id="empty header"),
        pytest.param("  ", "missing", id="blank header"),
        pytest.param(f"v1={V1}", "malformed", id="no time"),
        pytest.param(f"t={T}", "malformed", id="no v1"),
        pytest.param(f"t={T},v1=", "malformed", id="empty v1"),
        pytest.param(f"t={T},v1={V1[:-1]}", "malformed", id="a digit short"),
        pytest.param(f"t={T},v1={'x' * 64}", "malformed", id="not hex"),
        pytest.param(f"t={T},v1={'é' * 64}", "malformed", id="not ascii"),
        pytest.param(f"t={T},t={T + 1},v1={V1}", "malformed", id="two times"),
        pytest.param(f"t=,v1={V1}", "malformed", id="empty time"),
        pytest.param(f"t=-{T},v1={V1}", "malformed", id="negative time"),
        pytest.param(f"t={T}.0,v1={V1}", "malformed", id="a fraction"),
        pytest.param(f"t=١٧٦٠٠٠٠٠٠٠,v1={V1}", "malformed", id="figures of another script"),
        pytest.param(f"t={'9' * 5000},v1={V1}", "malformed", id="an endless time"),
        pytest.param(f"t={T};v1={V1}", "malformed", id="another separator"),
        pytest.param(V1, "malformed", id="the digest alone"),
        pytest.param(f"t={T},v1={OTHER}", "wrong", id="another digest"),
        pytest.param(f"t={T + 1},v1={V1}", "wrong", id="another time than was signed"),
        pytest.param(f"t=0{T},v1={V1}", "wrong", id="the time is signed as it is written"),
        pytest.param(f"T={T},V1={V1}", "malformed", id="names in capitals"),
        pytest.param(f"t={T},v1={V1[:32]}  {V1[34:]}", "malformed", id="blanks inside the hex"),
        pytest.param(f"t={T},v1={V1[:32]}  {V1[32:]}", "malformed", id="blanks between the digits"),
    ],
)
def test_a_header_is_read_as_the_rules_say(header: str | None, reason: str | None) -> None:
    verdict = check(header)

    assert verdict.reason == reason
    assert bool(verdict) is verdict.ok is (reason is None)


@pytest.mark.parametrize(
    ("now", "tolerance", "reason"),
    [
        pytest.param(T + 300, 300, None, id="just in time"),
        pytest.param(T + 300.5, 300, "too_old", id="half a second late"),
        pytest.param(T - 300, 300, None, id="just not too early"),
        pytest.param(T - 301, 300, "too_old", id="from the future"),
        pytest.param(T + 10**9, 0, None, id="tolerance switched off"),
        pytest.param(T + 0.4, 0.5, None, id="a fraction of a second"),
    ],
)
def test_the_tolerance_counts_in_both_directions(now: float, tolerance: float, reason: str | None) -> None:
    verdict = check(f"t={T},v1={V1}", now=now, tolerance=tolerance)

    assert verdict.reason == reason
    assert verdict.signed_at == (None if reason else T)


def test_what_is_too_old_is_refused_without_a_look_at_the_body() -> None:
    assert signature.read(f"t=1,v1={V1}", now=T, tolerance_seconds=300) == "too_old"
    assert check(f"t=1,v1={V1}").reason == "too_old"


@pytest.mark.parametrize(
    ("header", "fault"), [(None, "missing"), (" ", "missing"), (f"t={T}", "malformed"), (f"v1={V1}", "malformed")]
)
def test_a_header_that_no_body_can_make_right_is_known_before_the_body(header: str | None, fault: str) -> None:
    assert signature.read(header, now=T, tolerance_seconds=300) == fault


@pytest.mark.parametrize("secrets", [["a", SECRET], [SECRET, "a"], ["", SECRET, "b"]], ids=["last", "first", "blank"])
def test_any_of_the_secrets_may_match(secrets: list[str]) -> None:
    assert verify(f"t={T},v1={V1}", BODY, secrets, T, 300).ok


@pytest.mark.parametrize("secrets", [[], ["a"], [""], ["  "]], ids=["none", "another", "empty", "blank"])
def test_without_the_secret_nothing_is_believed(secrets: list[str]) -> None:
    forged = [hmac.new(key.encode(), f"{T}.".encode() + BODY, hashlib.sha256).hexdigest() for key in ("", "  ")]

    for v1 in (V1, *forged):
        assert verify(f"t={T},v1={v1}", BODY, secrets, T, 300).reason == "wrong"


def test_a_body_changed_by_one_byte_is_wrong() -> None:
    assert check(f"t={T},v1={V1}", body=BODY + b"\n").reason == "wrong"


@given(header=st.text() | st.binary().map(lambda raw: raw.decode("latin-1")), body=st.binary(), secret=st.text())
@example(header="t=1,v1=" + "0" * 64, body=b"", secret="\ud800")
@settings(deadline=None)
def test_no_header_makes_it_raise_or_believe(header: str, body: bytes, secret: str) -> None:
    assert not verify(header, body, [secret], 0.0, 0).ok


@given(
    parts=st.lists(
        st.sampled_from(["t", "v1", "v0", " t", "=", ""]).flatmap(
            lambda name: st.sampled_from([str(T), V1, V1.upper(), OTHER, "", "1", "é", " "]).map(
                lambda value: f"{name}={value}"
            )
        ),
        max_size=6,
    )
)
@settings(deadline=None)
def test_only_the_right_time_with_the_right_digest_is_believed(parts: list[str]) -> None:
    verdict = check(",".join(parts))

    times = {value.strip() for part in parts for name, _, value in [part.partition("=")] if name.strip() == "t"}
    digests = {value.lower() for part in parts for name, _, value in [part.partition("=")] if name.strip() == "v1"}
    assert verdict.ok is (times == {str(T)} and V1 in digests)


@given(secret=st.text(min_size=1).filter(str.strip), t=st.integers(0, 10**12), body=st.binary(max_size=300))
@settings(deadline=None)
def test_what_was_signed_is_believed(secret: str, t: int, body: bytes) -> None:
    assert verify(sign(secret, t, body), body, [secret], t, 1).ok


def test_the_header_has_the_vendors_name() -> None:
    assert signature.HEADER == "Robaws-Signature"
