"""
Which answers a question to a person takes, and what each of them does, said before it is given.

One table for the API, the command line and the function that carries an answer out, so that nothing is offered that is
refused. The sentences name no value and no record: they are shown to viewers as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from worker.core.field_merge import DOES_NOT_FIT, NOT_SHOWN, REFUSED, REQUIRED_THERE
from worker.core.mapping import EVERYTHING, PERSONS

OURS: Final = "Robaws's value is written there at the next delivery, over the value that is there now"
OURS_EMPTIES: Final = "what was emptied in Robaws is emptied there as well, at the next delivery"
OURS_AGAIN: Final = "Robaws's value is sent once more at the next delivery"
OURS_AS_IT_IS: Final = "changes go on being written into that record, as it is"
THEIRS: Final = "nothing is written: the value that is there is kept until it changes in Robaws"
VALUE: Final = (
    "your value is written there, and nowhere else, at the next delivery, and is kept until the value in Robaws"
    " changes; Robaws keeps its own"
)
LINK: Final = "the client is that record: what is empty there is filled in, and each field that differs is asked about"
CREATE: Final = (
    "it is none of these records: the system is searched once more, and a new record is made if nothing else is found"
)
EXCLUDE: Final = "the client is left out of that system until it is included again; what is there stays as it is"

MISSING: Final = "Fill the value in, or correct it, in Robaws, or leave the client out there"
MISSING_AT_WORKSPACE: Final = (
    "Fill the value in in Robaws, or set systems.workspace.on_missing, or leave the client out there"
)
CORRECT_IT: Final = "Robaws's value does not fit there: correct it in Robaws"
FILL_IT_IN: Final = "A value is required there, and Robaws has none: fill it in in Robaws"

SENTENCES: Final = (
    OURS,
    OURS_EMPTIES,
    OURS_AGAIN,
    OURS_AS_IT_IS,
    THEIRS,
    VALUE,
    LINK,
    CREATE,
    EXCLUDE,
    MISSING,
    MISSING_AT_WORKSPACE,
    CORRECT_IT,
    FILL_IT_IN,
)

_ABOUT_A_RECORD: Final[Mapping[str, tuple[str, ...]]] = {
    "match": ("link", "create", "exclude"),
    "gone": ("link", "create", "exclude"),
    "unusable": ("ours", "link", "create", "exclude"),
}
_HAS_SETTING: Final = ("missing_required", "workspace")
_EFFECTS: Final = {"theirs": THEIRS, "value": VALUE, "link": LINK, "create": CREATE, "exclude": EXCLUDE}


@dataclass(frozen=True)
class AnswerOptions:
    """
    A question as it stands, and the answers that it takes: `path` is the vendor's ("" for a question about a record),
    `reason` its stable word.

    `made`: the record that a field's question is about exists. Of one that is not made yet no value could stand, or be
    written over.
    """

    kind: str
    path: str
    reason: str
    detail: Mapping[str, Any]
    system: str
    made: bool

    @property
    def choices(self) -> tuple[str, ...]:
        """
        The words that answer it; none for a kind that nobody can answer here.

        >>> AnswerOptions("field", "email", "missing_required", {}, "workspace", made=False).choices
        ('exclude',)
        """
        if self.kind != "field":
            return _ABOUT_A_RECORD.get(self.kind, ())
        if not self.made:
            return ("exclude",)
        # A required value that is empty here can be written nowhere; what is not shown there can be compared with none.
        ours = () if self.rule in (DOES_NOT_FIT, REQUIRED_THERE) else ("ours",)
        value = () if self.path in (EVERYTHING, PERSONS) or self.rule == NOT_SHOWN else ("value",)
        return (*ours, "theirs", *value)

    @property
    def rule(self) -> str:
        """The rule that left a field to a person; empty for a record."""
        return str(self.detail.get("rule") or "")

    @property
    def effects(self) -> dict[str, str]:
        """What each answer does, by its word."""
        return {word: self._effect(word) for word in self.choices}

    def _effect(self, word: str) -> str:
        if word != "ours":
            return _EFFECTS[word]
        if self.kind == "unusable":
            return OURS_AS_IT_IS
        if self.path == EVERYTHING:
            return OURS_EMPTIES
        return OURS_AGAIN if self.rule == REFUSED else OURS

    @property
    def advice(self) -> str:
        """What a person can do besides answering; empty where answering is all there is."""
        if self.kind != "field":
            return ""
        if not self.made:
            return MISSING_AT_WORKSPACE if (self.reason, self.system) == _HAS_SETTING else MISSING
        return {DOES_NOT_FIT: CORRECT_IT, REQUIRED_THERE: FILL_IT_IN}.get(self.rule, "")

    def refusal(self, word: str) -> str:
        """Why a word is no answer to this question, and what to do instead."""
        taken = " or ".join(f"`{one}`" for one in self.choices)
        instead = f"choose {taken}" if taken else "there is nothing to choose"
        return f"{word[:40]!r} does not answer this question: {instead}{f'. {self.advice}' if self.advice else ''}"

    @property
    def field(self) -> str:
        """
        The canonical name of the field that it is about, `persons`, `*` for several; empty for a record.

        >>> AnswerOptions("field", "contact_person_email_address", "", {"field": "email"}, "rompslomp", made=True).field
        'email'
        """
        if self.path in (EVERYTHING, PERSONS):
            return self.path
        return str(self.detail.get("field") or self.path.removesuffix(".*"))
