"""
What follows from each reason word: what happens by itself, and what a person can do.

The command line, the API and `docs/failures.md` all say these sentences; a test compares the page with this table.
A sentence holds nothing of a client, so that everybody may see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

NOTHING: Final = "nothing"


@dataclass(frozen=True)
class Advice:
    """Two sentences about a line of the retry queue: what happens `by_itself`, and what `you` can do."""

    by_itself: str
    you: str

    @override
    def __str__(self) -> str:
        """
        Both as one text.

        >>> str(Advice("tried again", "nothing"))
        'By itself: tried again. You: nothing.'
        """
        return f"By itself: {self.by_itself}. You: {self.you}."


AGAIN: Final = "it is tried again at the time given"
AS_A_WHOLE: Final = "one call every half minute tries whether it works again; then everything goes out"
REVIVED: Final = "it is sent again when the client changes in Robaws"
ASKED: Final = "it waits for your answer"
REPORT: Final = "a fault of contactsync, or Rompslomp has changed: please report it with the output of `retries show`"

BY_STATE: Final[Mapping[str, Advice]] = {
    "due": Advice("its turn is now", NOTHING),
    "working": Advice("it is being sent", NOTHING),
    "waiting": Advice(AGAIN, "nothing, unless the reason says otherwise"),
    "unknown": Advice("a request was sent and not answered; it is being found out what became of it", NOTHING),
    "review": Advice(ASKED, "answer the question: `contactsync reviews list`"),
    "dead": Advice(REVIVED, "find the cause, then retry; or change the client in Robaws"),
    "excluded": Advice("this client is left out of that system", NOTHING),
    "idle": Advice("the client is fetched", NOTHING),
    "synced": Advice("the system agrees with the client", NOTHING),
}
"""Where nothing finer is known."""

BY_REASON: Final[Mapping[str, Advice]] = {
    # The vendor is away or asks to wait
    "unreachable": Advice(AGAIN, "if it lasts: check the address, the firewall, the proxy"),
    "no_answer": Advice(AGAIN, "if it lasts: ask the vendor"),
    "server_error": Advice(
        "it is tried again; several failures in a row hold the whole system back until it answers",
        "nothing, unless only one client has it: its data may be what the vendor stumbles over. Look at what was sent,"
        " and change the client",
    ),
    "unavailable": Advice(
        "it is tried again; several failures in a row hold the whole system back until it answers",
        "if it lasts: ask the vendor",
    ),
    "broken_answer": Advice(
        "it is tried again; the answer is never used",
        "look at the beginning of the answer in `retries show`: a login page, maintenance?",
    ),
    "rate_limited": Advice(
        "the whole system waits as long as the vendor says, then one client at a time is tried, more slowly",
        "nothing. If it happens often: a smaller `rate_per_second`; does another integration use the same credential?",
    ),
    "daily_quota": Advice(
        "the whole system waits until the day's quota is reset",
        "find out who uses up the calls; ask the vendor for more",
    ),
    "paused": Advice(
        "nothing until somebody resumes the system", "`contactsync systems resume NAME` when it may go on"
    ),
    "rate": Advice("it goes out when our own budget has a turn", NOTHING),
    "budget": Advice("it goes out when our own budget has a turn", NOTHING),
    "waiting": Advice("the vendor had asked to wait; it goes out then", NOTHING),
    "redis_away": Advice("it goes out when Redis is back; nothing is lost meanwhile", "start Redis"),
    "being_made": Advice(
        "it is searched again when the other client's create is settled",
        "nothing. If it lasts: the other client's create was not answered, or waits for you; settle that one",
    ),
    "busy": Advice("it is asked again soon", NOTHING),
    "stale_read": Advice("the record is read and planned anew", NOTHING),
    "internal_error": Advice(
        "it is tried again",
        "please report it: the message, and the log line `deliver.unexpected` or `fetch.unexpected`",
    ),
    # Sent, and not answered
    "outcome_unknown": Advice(
        "the record is looked for; found, it is linked, and not found, the same request is sent again", NOTHING
    ),
    "several_made": Advice(ASKED, "choose the right record; remove the others by hand there"),
    # Refused credentials
    "credentials": Advice(
        AS_A_WHOLE,
        "`contactsync check` says which credential is refused; put the new one where the old one is"
        " (docs/changing-a-credential.md)",
    ),
    "credentials_replaced": Advice("it goes out again under the new credential", NOTHING),
    "temp_blocked": Advice(
        "it is tried less and less often, once an hour in the end",
        "do not change the password. Pause it (`contactsync systems pause robaws --reason …`), stop other integrations,"
        " ask Robaws's support",
    ),
    "no_right": Advice(AS_A_WHOLE, "give the user, key or app the right that the sentence names"),
    "missing_scope": Advice(AS_A_WHOLE, "a new token with `public` and `manage:contacts`"),
    "access_denied": Advice(
        AS_A_WHOLE, "Rompslomp: check the user's access and the subscription; Workspace: the right to Contacts"
    ),
    "wrong_address": Advice(AS_A_WHOLE, "correct `base_url` and the paths of that system"),
    "wrong_token_address": Advice(AS_A_WHOLE, "correct `base_url` and `token_url`"),
    "quota_reached": Advice(
        "no record is made in that system for a quarter of an hour, then one more try; changes go on",
        "a larger subscription, or remove records there",
    ),
    # The data is refused
    "rejected": Advice(REVIVED, "correct the client in Robaws; the vendor's own messages name the fields"),
    "rejected_unclear": Advice(
        REVIVED,
        "look at what was sent in `retries show`: an odd e-mail, a number with letters, an empty name? Correct the"
        " client in Robaws",
    ),
    "validation": Advice(REVIVED, "correct the client in Robaws; the sentence names the field"),
    "unpermitted_parameters": Advice(REVIVED, REPORT),
    "missing_parameter": Advice(REVIVED, REPORT),
    "invalid_parameter_value": Advice(REVIVED, REPORT),
    "malformed_json": Advice(REVIVED, REPORT),
    "missing_required": Advice(
        "it goes out when the value is there", "fill it in in Robaws; or set `systems.workspace.on_missing`"
    ),
    "does_not_fit": Advice("it goes out when the value fits", "shorten it in Robaws"),
    "mapping": Advice(REVIVED, "correct the value that the message names"),
    "bad_id": Advice(
        REVIVED,
        "retry: the id is forgotten, and the record searched as for a new client. Many at once: does this database"
        " belong to another tenant?",
    ),
    "gone": Advice(
        ASKED,
        'restore the record there and retry, or let it be made anew; `on_gone = "recreate"` does the latter always',
    ),
    "unusable": Advice(
        ASKED,
        "put the record right there and retry; or choose another record (`link:ID`), a new one (`create`), to write on"
        " into it (`ours`), or to leave the client out there (`exclude`)",
    ),
    "unsafe_plan": Advice(ASKED, "look at the plan"),
    "crashed": Advice("it is tried again, apart from what was in work beside it", NOTHING),
    # A person chooses
    "doubtful_match": Advice(
        ASKED,
        "is it the same? Choose the record. If not, say that it is none of them, and a new one is made",
    ),
    "several_matches": Advice(ASKED, "choose one; perhaps there is a double to be cleaned up there"),
    "match_taken": Advice(
        ASKED,
        "two clients in Robaws for one company? Merge them there, and choose the record for the one that is left: it"
        " takes over what a client that is gone had. Else say that it is none of them",
    ),
    "match_refused": Advice(
        ASKED,
        "look at that record: the vendor may have put this client's data into it. If it is the client after all, choose"
        " it; else leave the client out there, or change what makes the two alike and choose `create`",
    ),
    "reference_collision": Advice(ASKED, "choose, or say that it is none; see `reference_offset` for Workspace"),
    "field_conflict": Advice(ASKED, "keep theirs or take ours; the other fields were delivered"),
    # A client that could not be fetched
    "not_there_yet": Advice("the client is looked for again; then its event ends as skipped (`gone`)", NOTHING),
    "ping_pong": Advice(
        "the client is left alone for 30 s, then 5 min, then an hour each time; what it says then is delivered",
        "two automations correct each other: a flow in Robaws, or another integration that writes back what a system"
        " made of the value. Switch one of them off, then retry",
    ),
    "discarded": Advice("nothing", "`contactsync contacts sync ID` brings it back"),
}
"""By the stable word of a reason."""

IN_STATE: Final[Mapping[tuple[str, str], Advice]] = {
    ("outcome_unknown", "review"): Advice(
        ASKED, "look in the system. There is a record: choose it. There is none: let it be created"
    ),
    ("crashed", "dead"): Advice(REVIVED, "look at the workers' logs for memory or a bug, then retry"),
}
"""Where a state makes a difference."""

SAME_AS: Final[Mapping[str, str]] = {"ambiguous_match": "doubtful_match"}

WORDS: Final = tuple(sorted({*BY_REASON, *SAME_AS}))
"""The reasons that a line of the queue can have; a vendor may have more words of its own."""


def what_to_do(reason: str | None, state: str) -> Advice:
    """
    What follows from a reason, in a state of a link or a fetch.

    >>> what_to_do("validation", "dead").you
    'correct the client in Robaws; the sentence names the field'
    """
    if (special := IN_STATE.get((reason or "", state))) is not None:
        return special
    found = BY_REASON.get(SAME_AS.get(reason or "", reason or ""))
    if found is None or state in ("synced", "idle", "due", "working"):
        return BY_STATE.get(state, BY_STATE["waiting"])
    return Advice(REVIVED, found.you) if state == "dead" else found


SENTENCES: Final = frozenset(str(what_to_do(reason, state)) for state in BY_STATE for reason in (None, *WORDS))
"""Every text that `what_to_do` can give."""
