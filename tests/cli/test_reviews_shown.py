"""What `reviews` shows: both values, a client beside its candidates, what each answer does; on every width."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from typing_extensions import override

from tests.cli.conftest import catch_up
from tests.cli.test_contacts import line_with
from tests.cli.test_reviews import the_question
from worker.cli import taking_part

if TYPE_CHECKING:
    from tests.cli.command import Command, Ran
    from tests.fixtures.hub import Hub

ADDRESS = {"addressLine1": "Markt 1", "postalCode": "8000", "city": "Oostende", "country": "BE"}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def narrow(operator: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same command on a terminal of 80 columns."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return operator


def lines(ran: Ran) -> list[str]:
    return COLOURS.sub("", ran.out).splitlines()


def differing(hub: Hub, number: int = 394, phone: str = "+32 50 11 11 11") -> str:
    """A client whose phone and address Rompslomp knew otherwise before."""
    vat = f"BE0000000{number}"
    hub.rompslomp.add_record(company_name="Tuinen De Vaart", vat_number=vat, phone=phone, city="Brugge")
    client = hub.robaws.add_client(
        name="Tuinen De Vaart", vatIdNumber=vat, tel="+32 50 00 00 00", address=ADDRESS, email="info@vaart.example"
    )
    hub.sync(client)
    return client


def of_field(operator: Command, field: str) -> str:
    [item] = operator("reviews", "list", "--field", field, "--json").json["items"]
    return str(item["id"])


def twins(hub: Hub) -> list[str]:
    """A client of which Rompslomp has two records; one has its phone, the other its street. Their ids."""
    one = hub.rompslomp.add_record(
        company_name="Garage Zuiderhof NV", zipcode="3000", city="Leuven", phone="016 00 00 00"
    )
    two = hub.rompslomp.add_record(company_name="Garage Zuiderhof", zipcode="3000", address="Markt 1")
    address = {"addressLine1": "Markt 1", "postalCode": "3000", "city": "Leuven", "country": "BE"}
    hub.sync(
        hub.robaws.add_client(
            name="Garage Zuiderhof NV", email="info@zuiderhof.example", tel="+32 16 00 00 00", address=address
        )
    )
    return [str(one), str(two)]


def test_a_list_in_a_pipe_has_one_line_for_a_question_with_both_values(operator: Command, hub: Hub) -> None:
    client = differing(hub)
    review = of_field(operator, "phone")

    ran = operator("reviews", "list", "--system", "rompslomp")

    head, *rows = ran.out.splitlines()
    assert head.split() == ["review", "client", "system", "about", "open", "for", "Robaws", "|", "there"]
    assert len(rows) == 2
    line = line_with(ran.out, "+32 50 00 00 00 | +32 50 11 11 11")
    assert line.startswith(review)
    assert f"Tuinen De Vaart ({client})" in line
    assert "rompslomp" in line


def test_a_list_on_eighty_columns_has_two_lines_for_a_question_and_folds_no_word(narrow: Command, hub: Hub) -> None:
    differing(hub)
    twins(hub)

    shown = lines(narrow("reviews", "list"))

    assert max(map(len, shown)) <= 80
    assert len(shown) == 4 * 2 + 1, "the sentence about a match takes two lines"
    values = next(line for line in shown if "+32 50 00 00 00" in line)
    assert values.strip() == "+32 50 00 00 00 | +32 50 11 11 11"
    assert next(line for line in shown if "which record" in line).startswith("3 ")


def test_unknown_words_in_a_filter_are_refused_with_those_that_there_are(operator: Command, hub: Hub) -> None:
    differing(hub)

    system = operator("reviews", "list", "--system", "rompslom")
    field = operator("reviews", "list", "--field", "fone")
    kind = operator("reviews", "list", "--kind", "difference")

    assert (system.status, field.status, kind.status) == (2, 2, 2)
    assert "rompslomp, recras" in system.err
    assert "phone" in field.err
    assert "match, field" in kind.err


@pytest.mark.parametrize("width", [80, 0])
def test_a_match_is_shown_side_by_side(
    operator: Command, hub: Hub, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = twins(hub)
    review = the_question(operator)
    if width:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))

    ran = operator("reviews", "show", review)
    shown = "\n".join(lines(ran))

    if width:
        assert max(map(len, shown.splitlines())) <= width
    assert line_with(shown, "field", "Robaws", "record", one, two)
    assert line_with(shown, "phone", "+32 16 00 00 00", "= 016 00 00 00", "–")
    assert line_with(shown, "street and number", "Markt 1", "–", "= Markt 1")
    assert line_with(shown, "postcode", "3000", "= 3000", "= 3000")
    assert line_with(shown, "city", "Leuven", "= Leuven", "–")
    if width:
        equal = next(line for line in ran.out.splitlines() if line.startswith("postcode"))
        assert "\x1b[2m" in equal, "equal values are dimmed"
    assert line_with(shown, "= the same", "≠ another value")
    assert line_with(shown, "against:", "a legal form on one side only")
    assert line_with(shown, f"contactsync reviews resolve {review} --choose link:{one}")
    assert "a new record is made if nothing else is found" in " ".join(shown.split())


def test_a_question_shows_a_viewer_no_value_and_yet_what_each_answer_does(operator: Command, hub: Hub) -> None:
    twins(hub)
    differing(hub)

    items = operator("reviews", "list", "--json").json["items"]
    shown = [operator("reviews", "show", item["id"], "--masked") for item in items]

    for ran in shown:
        assert "contactsync reviews resolve" in ran.out
        for value in ("+32", "Markt", "Brugge", "Leuven", "016", "Zuiderhof NV <"):
            assert value not in ran.out
        assert "= •••" not in ran.out
    assert "the value that is there is kept until it changes in Robaws" in " ".join(shown[-1].out.split())


def test_a_missing_value_offers_only_to_leave_the_client_out_and_says_what_else_helps(
    operator: Command, hub: Hub
) -> None:
    client = hub.robaws.add_client(name="Zonder Adres", address=ADDRESS)
    hub.sync(client)
    [item] = operator("reviews", "list", "--system", "workspace", "--json").json["items"]

    shown = operator("reviews", "show", item["id"])
    refused = [operator("reviews", "resolve", item["id"], "--choose", word) for word in ("ours", "theirs", "create")]
    left_out = operator("reviews", "resolve", item["id"], "--choose", "exclude", "--reason", "no mail")

    assert (item["why"], item["choices"], list(item["effect"])) == ("missing_required", ["exclude"], ["exclude"])
    assert "systems.workspace.on_missing" in shown.out
    assert "--choose ours" not in shown.out
    for ran in refused:
        assert ran.status == 2
        assert "choose `exclude`" in ran.err
        assert "Robaws" in ran.err
    assert (left_out.status, hub.link(client, "workspace")["state"]) == (0, "excluded")
    assert operator("reviews", "list").status == 0


@pytest.fixture
def reached(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command reads records at the hub's own simulators."""
    monkeypatch.setattr(taking_part, "make_runtime", lambda *_: hub.runtime)


def test_a_record_that_the_question_does_not_show_is_read_and_wants_force(
    operator: Command, hub: Hub, reached: None
) -> None:
    one, two = twins(hub)
    review = the_question(operator)
    other = str(hub.rompslomp.add_record(company_name="Iemand Anders"))

    none = operator("reviews", "resolve", review, "--choose", "link:99999")
    stranger = operator("reviews", "resolve", review, "--choose", f"link:{other}")
    still = operator("reviews", "show", review, "--json").json
    forced = operator("reviews", "resolve", review, "--choose", f"link:{other}", "--force")

    assert none.status == 2
    assert "no record 99999 in rompslomp" in none.err
    assert stranger.status == 2
    assert f"record {other} is not among those that this question shows" in stranger.err
    assert "--force" in stranger.err
    assert sorted(candidate["external_id"] for candidate in still["candidates"]) == sorted([one, two])
    assert still["resolved_at"] is None
    assert forced.status == 0
    assert f"record {other} Iemand Anders" in forced.err, "what it is is said before it is linked"


def test_the_effect_is_said_before_the_answer_and_the_truth_after_it(operator: Command, hub: Hub) -> None:
    twins(hub)
    review = the_question(operator)

    ran = operator("reviews", "resolve", review, "--choose", "create")

    assert "the system is searched once more, and a new record is made if nothing else is found" in ran.err
    assert "the system is searched once more at the next delivery" in ran.out


def test_a_record_that_vanished_after_a_person_chose_it_leaves_the_others_to_choose_from(
    operator: Command, hub: Hub
) -> None:
    one, two = twins(hub)
    operator("reviews", "resolve", the_question(operator), "--choose", f"link:{one}")
    hub.rompslomp.delete_record(one)
    catch_up(hub)

    [item] = operator("reviews", "list", "--json").json["items"]

    assert item["kind"] == "gone"
    assert [candidate["external_id"] for candidate in item["candidates"]] == [two]


def test_many_questions_are_answered_at_once_with_a_count_and_a_result_for_each(operator: Command, hub: Hub) -> None:
    for number in (394, 295, 196):
        differing(hub, number)
    many = ("reviews", "resolve", "--system", "rompslomp", "--field", "phone", "--choose", "theirs")

    blind = operator(*many, "--yes")
    unconfirmed = operator(*many, "--reason", "the books know")
    other_count = operator(*many, "--reason", "the books know", "--yes", "--expect", "4")
    done = operator(*many, "--reason", "the books know", "--yes", "--expect", "3", "--json")

    assert (blind.status, unconfirmed.status, other_count.status) == (2, 2, 1)
    assert "questions found by --system rompslomp --field phone: 3" in unconfirmed.err
    assert "3: nothing is written: the value that is there is kept" in unconfirmed.err
    assert (done.status, done.json["total"], done.json["done"]) == (0, 3, 3)
    assert {item["result"] for item in done.json["items"]} == {"resolved"}
    assert operator("reviews", "list", "--field", "phone").status == 0
    assert operator("reviews", "list", "--field", "address", "--json").json["total"] == 3
    actions = operator("contacts", "show", "1001", "--json").json["history"]
    assert [one["reason"] for one in actions if one["kind"] == "action"] == ["the books know"]


def test_many_without_a_filter_are_refused_and_what_takes_no_such_answer_is_skipped(
    operator: Command, hub: Hub
) -> None:
    differing(hub)
    twins(hub)

    everything = operator("reviews", "resolve", "--choose", "theirs", "--reason", "all", "--yes")
    some = operator("reviews", "resolve", "--system", "rompslomp", "--choose", "theirs", "--reason", "x", "--yes")

    assert everything.status == 2
    assert (some.status, some.out.splitlines()[-1]) == (1, "2 resolved, 1 skipped")
    assert [one["kind"] for one in operator("reviews", "list", "--json").json["items"]] == ["match"]


def test_an_answer_to_a_question_that_changed_meanwhile_is_refused(operator: Command, hub: Hub) -> None:
    differing(hub)
    review = of_field(operator, "phone")
    seen = operator("reviews", "show", review, "--json").json["version"]
    with hub.engine.begin() as connection:
        connection.execute(text("""UPDATE review SET detail = detail || '{"theirs": "09 1"}' WHERE path = 'phone'"""))

    old, new = (
        operator("reviews", "resolve", review, "--choose", "theirs", *more) for more in (("--version", seen), ())
    )

    assert (old.status, new.status) == (1, 0)
    assert "has changed since" in old.err


def test_wherever_a_client_waits_for_a_person_the_question_is_named(operator: Command, hub: Hub) -> None:
    client = differing(hub)
    review = of_field(operator, "phone")
    line = f"link-{hub.link(client, 'rompslomp')['id']}"

    shown = operator("contacts", "show", client)
    waiting = operator("retries", "show", line)

    for ran in (shown, waiting):
        assert f"contactsync reviews show {review}" in ran.out
    links = operator("contacts", "show", client, "--json").json["links"]
    assert {one["system"]: len(one["reviews"]) for one in links} == {"rompslomp": 2, "recras": 0, "workspace": 0}


def test_a_value_of_ones_own_is_taken_checked_and_kept_in_the_history(operator: Command, hub: Hub) -> None:
    client = differing(hub)
    phone, address = of_field(operator, "phone"), of_field(operator, "address")

    wrong = operator("reviews", "resolve", phone, "--choose", "value", "--value", "unknown")
    none = operator("reviews", "resolve", phone, "--choose", "value")
    right = operator("reviews", "resolve", phone, "--choose", "value", "--value", "+32 50 22 22 22")
    parts = operator("reviews", "resolve", address, "--choose", "value", "--value", "city=Blankenberge")
    catch_up(hub)

    assert (wrong.status, none.status, right.status, parts.status) == (2, 2, 0, 0)
    assert "is not a phone number" in wrong.err
    assert "Robaws keeps its own" in right.err
    [record] = hub.rompslomp.state()["records"]
    assert (record["phone"], record["city"]) == ("+32 50 22 22 22", "Blankenberge")
    assert "value +32 50 22 22 22" in operator("contacts", "show", client).out


def test_an_answer_from_now_on_is_taken_back(operator: Command, hub: Hub) -> None:
    differing(hub, 394)
    first = of_field(operator, "phone")
    differing(hub, 295)

    ruled = operator("reviews", "resolve", first, "--choose", "theirs", "--rule", "--reason", "the books know")
    third = differing(hub, 196)
    left = operator("reviews", "list", "--field", "phone").status
    rules = operator("reviews", "rules").out
    shown = operator("reviews", "show", first).out
    undone = operator("reviews", "undo", first, "--reason", "they do not")
    again = operator("reviews", "undo", first)

    assert (ruled.status, left, undone.status, again.status) == (0, 0, 0, 1)
    assert "1 more now" in ruled.out
    assert line_with(rules, first, "rompslomp", "phone", "theirs", "the books know")
    assert "answered so from now on" in shown
    assert "\n\nanswered 20" in shown
    assert line_with(shown, f"contactsync reviews undo {first}")
    assert operator("reviews", "rules").out == "no rules\n"
    assert f"{first}: the question is open again: nothing was written; the rule that it made is ended" in undone.out
    assert "is open" in again.err
    assert of_field(operator, "phone") == first
    assert "by the rule of question" in operator("contacts", "show", third).out


class Terminal(io.StringIO):
    """Somebody who types."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("typed", "status"), [("no\n", 2), ("", 2), ("yes\n", 0)])
def test_what_cannot_be_taken_back_is_asked_first_at_a_terminal(
    operator: Command, hub: Hub, monkeypatch: pytest.MonkeyPatch, typed: str, status: int
) -> None:
    one, _ = twins(hub)
    review = the_question(operator)
    monkeypatch.setattr("sys.stdin", Terminal(typed))

    ran = operator("reviews", "resolve", review, "--choose", f"link:{one}")

    assert ran.status == status
    assert "what is empty there is filled in" in ran.err
    assert operator("reviews", "list").status == (0 if status == 0 else 1)
