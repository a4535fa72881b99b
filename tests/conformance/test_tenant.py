"""Which tenant the suite touches and which not; nothing here leaves this machine."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.conformance.registry import ADAPTERS
from tests.conformance.tenant import UnsafeTenant, named, refused, settings_of
from tests.conformance.wire import Pace, Paced
from tests.fixtures import network
from tests.fixtures.network import ForbiddenConnection, allow, disallow
from worker.config.vendors import RecrasSettings
from worker.errors import BudgetExhausted

RECRAS = ADAPTERS["recras"]
VARIABLE = "CONTACTSYNC_TEST_TENANT_RECRAS"
PROMISED = "[conformance]\nthis_is_a_test_tenant = true\n"
SYSTEM = '[systems.recras]\nbase_url = "https://test.recras.example/api2"\napi_key = "key-of-the-test-tenant"\n'


def written(folder: Path, text: str) -> Mapping[str, str]:
    """The environment that names a file with this text."""
    (folder / "tenant.toml").write_text(text)
    return {VARIABLE: "tenant.toml"}


def test_a_file_that_says_what_it_is_gives_the_settings_of_a_tenant(tmp_path: Path) -> None:
    environ = written(tmp_path, PROMISED + SYSTEM)

    settings = settings_of(RECRAS, environ, tmp_path)

    assert isinstance(settings, RecrasSettings)
    assert settings.base_url == "https://test.recras.example/api2"
    assert RECRAS.secrets(settings) == ("key-of-the-test-tenant",)


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("key-of-the-test-tenant\n")
    environ = written(tmp_path, PROMISED + SYSTEM.replace('api_key = "key-of-the-test-tenant"', 'api_key_file = "key"'))

    assert RECRAS.secrets(settings_of(RECRAS, environ, tmp_path)) == ("key-of-the-test-tenant",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(SYSTEM, "this_is_a_test_tenant", id="no promise"),
        pytest.param(PROMISED.replace("true", "false") + SYSTEM, "this_is_a_test_tenant", id="a promise of the other"),
        pytest.param(PROMISED + SYSTEM.replace("https", "http"), "not https", id="credentials in the clear"),
        pytest.param(PROMISED + SYSTEM + "apikey = 7\n", "apikey", id="a key that does not exist"),
        pytest.param(PROMISED + "[systems", "line 3", id="no TOML"),
    ],
)
def test_a_tenant_that_is_not_plainly_safe_is_not_touched(tmp_path: Path, text: str, why: str) -> None:
    environ = written(tmp_path, text)

    with pytest.raises(UnsafeTenant, match=why):
        settings_of(RECRAS, environ, tmp_path)


def test_the_tenant_of_the_product_itself_is_not_touched(tmp_path: Path) -> None:
    environ = written(tmp_path, PROMISED + SYSTEM)
    (tmp_path / "contactsync.toml").write_text(SYSTEM)

    with pytest.raises(UnsafeTenant, match="the product itself is configured with"):
        settings_of(RECRAS, environ, tmp_path)


def test_the_tenant_of_the_products_environment_is_not_touched(tmp_path: Path) -> None:
    environ = {
        **written(tmp_path, PROMISED + SYSTEM),
        "CONTACTSYNC_SYSTEMS__RECRAS__API_KEY": "key-of-the-test-tenant",
    }

    with pytest.raises(UnsafeTenant, match="the product itself is configured with"):
        settings_of(RECRAS, environ, tmp_path)


def test_no_secret_stands_in_a_refusal(tmp_path: Path) -> None:
    environ = written(tmp_path, PROMISED + SYSTEM + "company = -7\n")

    with pytest.raises(UnsafeTenant) as caught:
        settings_of(RECRAS, environ, tmp_path)

    assert "key-of-the-test-tenant" not in str(caught.value)


def test_a_tenant_is_asked_only_where_one_is_named() -> None:
    assert not named("recras", {})
    assert not named("recras", {VARIABLE: " "})
    assert named("recras", {VARIABLE: "tenant.toml"})
    assert not named("robaws", {VARIABLE: "tenant.toml"})


def test_a_tenant_is_not_asked_by_several_processes_at_once() -> None:
    assert refused({}) == ""
    assert "without -n" in refused({"PYTEST_XDIST_WORKER": "gw0"})


# ------------------------------------------------------------------------------------------------------- the guard
@pytest.fixture
def tenant_host() -> Iterator[str]:
    allow("tenant.example", look_up=lambda _: {"192.0.2.7", "2001:db8::7"})
    yield "tenant.example"
    disallow("tenant.example")


def looked_at(event: str, host: str) -> bool:
    """Whether the guard lets it pass."""
    arguments = (host, 443) if event == "socket.getaddrinfo" else (None, (host, 443))
    try:
        network._look(event, arguments)
    except ForbiddenConnection:
        return False
    return True


def test_the_guard_lets_exactly_the_host_of_a_tenant_through(tenant_host: str) -> None:
    names = ["tenant.example", "TENANT.example", "other.tenant.example", "tenant.example.example", "example"]
    addresses = ["192.0.2.7", "2001:db8::7", "192.0.2.8", "2001:db8::8"]

    assert [looked_at("socket.getaddrinfo", name) for name in names] == [True, True, False, False, False]
    assert [looked_at("socket.connect", address) for address in addresses] == [True, True, False, False]


def test_the_guard_closes_again(tenant_host: str) -> None:
    looked_at("socket.connect", "192.0.2.7")

    disallow(tenant_host)

    assert not looked_at("socket.getaddrinfo", "tenant.example")
    assert not looked_at("socket.connect", "192.0.2.7")


def test_an_address_that_a_host_gets_later_is_let_through() -> None:
    answers = [{"192.0.2.7"}, {"192.0.2.8"}]
    allow("tenant.example", look_up=lambda _: answers.pop(0) if answers else set())
    try:
        assert looked_at("socket.connect", "192.0.2.7")
        assert looked_at("socket.connect", "192.0.2.8")
        assert not looked_at("socket.connect", "192.0.2.9")
    finally:
        disallow("tenant.example")


def test_without_a_tenant_the_guard_is_closed() -> None:
    with pytest.raises(ForbiddenConnection):
        socket.create_connection(("192.0.2.7", 443), timeout=0.1)


# -------------------------------------------------------------------------------------------------------- the pace
def test_a_tenant_is_called_at_the_rate_of_its_settings() -> None:
    budget = Paced(pace=Pace(0.05, free=2, most=100))
    begun = time.monotonic()

    for _ in range(4):
        budget.acquire("recras", "live", 1.0)

    # Two at once, then one every twentieth of a second.
    assert 0.1 <= time.monotonic() - begun < 2.0


def test_several_clients_to_one_tenant_share_its_pace() -> None:
    budget = Paced(pace=Pace(0.0, free=1, most=3))
    budget.acquire("recras", "live", 1.0)
    budget.beside().acquire("recras", "live", 1.0)
    budget.beside().acquire("recras", "live", 1.0)

    with pytest.raises(BudgetExhausted, match="no more than 3 calls"):
        budget.acquire("recras", "live", 1.0)
