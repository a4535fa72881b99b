"""The systems: what each needs, what it refuses, and where a password would travel in the open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.loading import ENABLED, PASSWORD_HASH, enabled
from worker.config import Settings
from worker.config.checks import is_open
from worker.config.vendors import RoutixSettings

if TYPE_CHECKING:
    from tests.config.loading import Given


def test_all_systems_start_with_what_they_need(given: Given) -> None:
    given.toml(enabled(*ENABLED))

    assert given.load().enabled_systems() == ("robaws", "rompslomp", "recras", "workspace", "routix")


@pytest.mark.parametrize(
    ("name", "key"),
    [(name, line.partition(" =")[0]) for name, lines in ENABLED.items() for line in lines.splitlines()],
)
@pytest.mark.parametrize("left", ["out", "empty"])
def test_a_system_without_what_it_needs_does_not_start(given: Given, name: str, key: str, left: str) -> None:
    lines = [line for line in ENABLED[name].splitlines() if not line.startswith(f"{key} =")]
    empty = "[]" if key == "branches" else '""'
    own = "\n".join([f"[systems.{name}]", "enabled = true", *lines, *([f"{key} = {empty}"] if left == "empty" else [])])
    given.toml(own if name == "robaws" else f"{own}\n{enabled('robaws')}")

    problem = given.problem()

    assert problem.startswith(f"systems.{name}.{key} is missing: ")
    assert problem.endswith(", or switch the system off")


def test_a_system_that_is_off_needs_nothing(given: Given) -> None:
    given.toml("".join(f"[systems.{name}]\nenabled = false\n" for name in ENABLED))

    assert given.load().enabled_systems() == ()


def test_no_system_works_without_robaws(given: Given) -> None:
    given.toml(enabled("recras", "routix"))

    assert given.problem() == (
        "systems.robaws.enabled is false, but everything comes from Robaws: switch it on, or recras and routix off"
    )


def test_a_refused_credential_is_not_missing_as_well(given: Given) -> None:
    given.toml(enabled("robaws", "rompslomp").replace("440923104", "twelve"))

    assert given.problem().startswith("systems.rompslomp.company_id is not the number of an administration")


# ------------------------------------------------------------------------------------------------------------ limits
@pytest.mark.parametrize(
    ("key", "limit", "beyond"),
    [
        ("robaws.rate_per_second", "15", "15.5"),
        ("robaws.burst", "20", "21"),
        ("robaws.daily_requests", "10000", "10001"),
        ("routix.rate_per_minute", "1000", "1001"),
        ("routix.page_size", "1000", "1001"),
    ],
)
def test_a_rate_above_the_published_limit_is_refused(given: Given, key: str, limit: str, beyond: str) -> None:
    variable = f"CONTACTSYNC_SYSTEMS__{key.replace('.', '__').upper()}"

    given.environ[variable] = limit
    given.load()

    given.environ[variable] = beyond
    assert f"set {limit} or less" in given.problem()


@pytest.mark.parametrize("name", ["rompslomp", "recras", "workspace"])
def test_where_no_limit_is_published_the_setting_counts(given: Given, name: str) -> None:
    given.toml(f"[systems.{name}]\nrate_per_second = 500\nburst = 100\ndaily_requests = 1000000")

    system = given.load().system(name)

    assert (system.rate_per_second, system.burst, system.daily_requests) == (500, 100, 1_000_000)


@pytest.mark.parametrize(("key", "value"), [("rate_per_second", "0"), ("burst", "0"), ("timeout_seconds", "0")])
def test_nothing_would_move_at_zero(given: Given, key: str, value: str) -> None:
    given.toml(f"[systems.recras]\n{key} = {value}")

    assert given.problem().startswith(f"systems.recras.{key} is 0, too small: ")


def test_a_rate_may_be_a_fraction(given: Given) -> None:
    given.toml("[systems.workspace]\nrate_per_second = 0.25")

    assert given.load().systems.workspace.rate_per_second == 0.25


# --------------------------------------------------------------------------------------------------------- addresses
@pytest.mark.parametrize(
    ("url", "open_"),
    [
        ("https://app.example/api", False),
        ("http://app.example/api", True),
        ("http://127.0.0.1:8099/robaws", False),
        ("http://127.8.0.1/robaws", False),
        ("http://[::1]:8099/robaws", False),
        ("http://localhost:8099/robaws", False),
        ("http://robaws.localhost:8099", False),
        ("http://10.0.0.5/robaws", True),
        ("http://localhost.example/robaws", True),
    ],
)
def test_plain_http_is_open_to_all_but_this_machine(url: str, open_: bool) -> None:
    assert is_open(url) is open_


def test_an_address_without_tls_is_refused_unless_it_is_allowed(given: Given) -> None:
    given.toml(enabled("robaws"))
    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__BASE_URL"] = "http://sandbox.example:8099/robaws/api/v2"

    assert given.problem() == (
        "systems.robaws.base_url (CONTACTSYNC_SYSTEMS__ROBAWS__BASE_URL) goes without TLS to another machine: "
        "write https://, or set systems.robaws.allow_http = true"
    )

    given.environ["CONTACTSYNC_SYSTEMS__ROBAWS__ALLOW_HTTP"] = "true"
    assert given.load().systems.robaws.base_url == "http://sandbox.example:8099/robaws/api/v2"


def test_the_token_address_of_routix_wants_tls_too(given: Given) -> None:
    given.toml(enabled("robaws", "routix") + '\ntoken_url = "http://routix.example/oauth-token"')

    assert given.problem().startswith("systems.routix.token_url goes without TLS")


def test_the_address_of_the_recras_example_is_noticed(given: Given) -> None:
    given.toml(enabled("robaws", "recras").replace("voorbeeld.recras", "NAME.recras"))

    assert given.problem().startswith("systems.recras.base_url still holds the NAME of the example: ")


# ----------------------------------------------------------------------------------------------------------- vendors
@pytest.mark.parametrize("direction", ["target", "both", ""])
def test_routix_is_never_written_to(given: Given, direction: str) -> None:
    """Routix sheet, trap 1: refused at start-up, not found out by 405s."""
    given.toml(f'[systems.routix]\ndirection = "{direction}"')

    problem = given.problem()

    assert "would write to Routix, which can only be read (405 to anything else): set it to source" in problem


@pytest.mark.parametrize("owner", ["robaws", "fill", "review"])
def test_no_field_of_routix_is_anybody_elses(given: Given, owner: str) -> None:
    given.toml(f'[systems.routix.fields]\n"address.city" = "{owner}"\nname = "system"\n')

    assert given.problem() == (
        f'systems.routix.fields.address.city is "{owner}", but nothing can be written to Routix: leave it out'
    )


def test_an_id_is_not_written_back_into_a_field_that_has_another_purpose(given: Given) -> None:
    given.toml(
        "[systems.robaws.write_back]\n"
        'rompslomp = "Record id"\nrecras = "record_ID"\nworkspace = "Takes part"\nroutix = "Routix-id"\n'
        '[sync.filter.extra_field]\nTakes_part = "yes"\n'
    )

    recras, routix, workspace = sorted(given.problems())

    assert recras.startswith("systems.robaws.write_back.recras names the field of rompslomp again")
    assert routix.startswith("systems.robaws.write_back.routix names a field for an id that never comes")
    assert workspace.startswith(
        "systems.robaws.write_back.workspace names a field that sync.filter.extra_field goes by"
    )


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("systems.robaws.write_back", "rompslomp = 'Bank id'"),
        ("systems.recras", "reference_extra_field = 'Bank id'"),
        ("sync.filter.extra_field", "'Bank id' = 'yes'"),
        ("sync.person_kinds", "'Bank id' = ['yes']"),
    ],
)
def test_nothing_goes_by_a_field_whose_value_is_never_read(given: Given, section: str, key: str) -> None:
    given.toml(f"[{section}]\n{key}\n")

    assert given.problem().endswith(
        ' goes by "Bank id", but a field for bank data or identity numbers is never read: name another'
    )


def test_tokens_of_routix_come_from_beside_the_api() -> None:
    own = RoutixSettings(base_url="https://routix.example/functions/v1/")
    told = RoutixSettings(token_url="https://tokens.example/oauth-token")

    assert own.token_endpoint == "https://routix.example/functions/v1/oauth-token"
    assert told.token_endpoint == "https://tokens.example/oauth-token"


@pytest.mark.parametrize("template", ["companies/{company_id}/{resource}", "/{resource}", "/{company_id}/{x}", "/{"])
def test_a_rompslomp_path_without_its_two_members_is_refused(given: Given, template: str) -> None:
    given.toml(f'[systems.rompslomp]\npath_template = "{template}"')

    assert "put {company_id} and {resource} in" in given.problem()


def test_the_short_rompslomp_path_is_taken(given: Given) -> None:
    """Rompslomp sheet 2: the vendor's pages contradict each other on the path."""
    given.toml('[systems.rompslomp]\npath_template = "/{company_id}/{resource}"\ncompany_id = 440923104')

    rompslomp = given.load().systems.rompslomp

    assert (rompslomp.path_template, rompslomp.company_id) == ("/{company_id}/{resource}", "440923104")


@pytest.mark.parametrize("prefix", ["K", "k"])
def test_our_reference_does_not_look_like_a_number_of_rompslomp(given: Given, prefix: str) -> None:
    given.toml(f'[systems.rompslomp]\nreference_prefix = "{prefix}"')

    assert "is how Rompslomp numbers contacts itself" in given.problem()


def test_what_a_missing_member_gets_keeps_the_other_defaults(given: Given) -> None:
    given.toml('[systems.workspace.on_missing]\nphone = "review"\nlocation_city = ""')

    on_missing = given.load().systems.workspace.on_missing

    assert on_missing == {
        **Settings().systems.workspace.on_missing,
        "phone": "review",
        "location_city": "",
    }


@pytest.mark.parametrize(("written", "sent"), [('"1"', "1"), ("1", "1"), ('"none"', None)])
def test_the_type_of_a_workspace_contact_is_sent_or_left_out(given: Given, written: str, sent: str | None) -> None:
    given.toml(f"[systems.workspace]\nsend_type = {written}")

    assert given.load().systems.workspace.send_type == sent


def test_workspace_with_basic_wants_a_user_name(given: Given) -> None:
    given.toml(enabled("robaws", "workspace") + '\nauth = "basic"')

    assert given.problem().startswith("systems.workspace.username is missing")


def test_two_users_of_one_name_are_refused(given: Given) -> None:
    user = f'[[ops.users]]\nname = "An"\npassword_hash = "{PASSWORD_HASH}"\nrole = "viewer"\n'
    given.toml(user + user)

    assert given.problem() == "ops.users holds An 2 times: keep one"


@pytest.mark.parametrize(
    ("address", "right"),
    [
        ("https://voorbeeld.recras.nl/api2", True),
        ("https://voorbeeld.recras.nl/api2.php/", True),
        ("https://voorbeeld.recras.nl", False),
        ("https://voorbeeld.recras.nl/api", False),
    ],
)
def test_the_address_of_recras_is_written_with_its_api(given: Given, address: str, right: bool) -> None:
    given.toml(enabled("robaws", "recras").replace("https://voorbeeld.recras.nl/api2", address))

    if right:
        assert given.load().systems.recras.enabled
    else:
        assert given.problem() == (
            "systems.recras.base_url does not end in /api2: write it whole, like https://NAME.recras.nl/api2"
        )


def test_the_customer_number_and_our_reference_do_not_share_a_member(given: Given) -> None:
    given.toml(enabled("robaws", "rompslomp") + '\nnumber_from = "logic_id"\n')

    assert given.problem().startswith('systems.rompslomp.reference_member is "contact_number"')

    given.toml(enabled("robaws", "rompslomp") + '\nnumber_from = "logic_id"\nreference_member = "free_1"\n')
    assert given.load().systems.rompslomp.number_from == "logic_id"
