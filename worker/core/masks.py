"""
Masks: what a viewer sees, as an allow list.

Shown are ids, states, times, counts, and values of members that carry no personal data by their row in a mapping table.
Every other leaf of every document is hidden, whatever its name, and so is the name of a member that no table knows.
What is shown must also look the part: an id is digits, a language two letters.

What people read (`worker.store.listing_*`) says of each of its members how it is shown, in the member's type: `Id`,
`Word`, `Document` and so on. A text without such a type is hidden, so that a new member is hidden until somebody
decides otherwise. The API, the command line and pages all show a viewer what `for_viewer` makes of a view.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, TypeVar, get_args, get_type_hints
from urllib.parse import unquote

import orjson

T = TypeVar("T")

MASK: Final = "•••"
MOST_DEPTH: Final = 60
MOST_BODY_CHARACTERS: Final = 64 * 1024
"""A longer body is hidden as a whole: reading it would hold up the events that arrive meanwhile."""


@dataclass(frozen=True)
class Vocabulary:
    """
    What is known of members' names and of the words that this product uses itself.

    `names` are parts of members' names, in lower case. `tests` say for a member, by the last part of its name, which
    values may be shown. `sentences` are our own: labels of fields, and the rules behind decisions.
    """

    names: frozenset[str] = frozenset()
    tests: Mapping[str, Callable[[Any], bool]] = field(default_factory=dict)
    sentences: frozenset[str] = frozenset()

    def knows(self, name: str) -> bool:
        """
        Whether every part of a member's name (`address.city`, `contact[name]`, `persons.3.email`) is known.

        A number is the place in a list, one after the list's name: several in a row are a phone number or a date.
        """
        before_is_known = False
        for part in _parts(name):
            is_known = part in self.names
            if not (is_known or (before_is_known and _is_index(part))):
                return False
            before_is_known = is_known
        return bool(_parts(name))

    def shows(self, name: str, value: Any) -> bool:
        """Whether the value of a member may be shown."""
        if _is_empty(value):
            return True
        parts = _parts(name)
        if not parts:
            return False
        if parts[-1] in ("rule", "label"):
            return isinstance(value, str) and value in self.sentences
        if parts[-1] in ("path", "field"):
            return isinstance(value, str) and self.knows(value)
        test = self.tests.get(parts[-1])
        return test is not None and test(value)


NOTHING_KNOWN: Final = Vocabulary()
"""For views without documents."""

Rule = Callable[[Any, Mapping[str, Any], Vocabulary], Any]


@dataclass(frozen=True)
class Shown:
    """
    In the type of a view's member: what a viewer sees of its value, given the view's other members.

    `whole`: the rule is for a list as it is, not for each of its items.
    """

    rule: Rule
    whole: bool = False


# ------------------------------------------------------------------------------------------------------------ shapes
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+=-]{0,199}")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.:/-][A-Za-z0-9]+)*")
_EVENT: Final = re.compile(r"[a-z]{2,24}(?:-[a-z]{2,24})?\.(?:created|updated|deleted|archived|restored)")
_REFUSAL: Final = re.compile(r"(?:the body|a name|a text|`[a-z.]{1,20}`) [A-Za-z0-9 `.,:()']{1,120}")
_RECORD_ID: Final = re.compile(r"[1-9][0-9]{0,9}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REFERENCE: Final = re.compile(r"[A-Z]{0,4}-?[1-9][0-9]{0,9}")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2}(?:[-_][A-Za-z]{2})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_SEPARATORS: Final = re.compile(r"[^A-Za-z0-9_-]+")
_BLANK: Final = re.compile(r"\s")
_MOST_WORD: Final = 60
_MOST_NAME: Final = 200
_MOST_COUNT_DIGITS: Final = 7
_MOST_COUNT: Final = 10_000_000


def is_record_id(value: Any) -> bool:
    """Up to ten digits without a leading 0, or a UUID: nobody's phone number."""
    return not isinstance(value, bool) and isinstance(value, int | str) and _fits(_RECORD_ID, str(value))


def is_reference(value: Any) -> bool:
    """A reference of ours, such as RB-1834."""
    return isinstance(value, str) and _fits(_REFERENCE, value)


def is_time(value: Any) -> bool:
    """A moment. A day alone may be one of birth."""
    return isinstance(value, str) and _fits(_TIME, value)


def is_count(value: Any) -> bool:
    """A number that counts something."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_COUNT


def is_language(value: Any) -> bool:
    """The code of a language."""
    return isinstance(value, str) and _fits(_LANGUAGE, value)


def is_currency(value: Any) -> bool:
    """The code of a currency."""
    return isinstance(value, str) and _fits(_CURRENCY, value)


def one_of(words: Sequence[str]) -> Callable[[Any], bool]:
    """One of these words."""
    return frozenset(words).__contains__


def _fits(pattern: re.Pattern[str], text: str) -> bool:
    return len(text) <= 200 and pattern.fullmatch(text) is not None


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or isinstance(value, bool)


def _is_index(part: str) -> bool:
    return part.isdecimal() and len(part) <= 3


def _parts(name: str) -> tuple[str, ...]:
    return _split(name) if len(name) <= _MOST_NAME else ()


@lru_cache(maxsize=4_096)
def _split(name: str) -> tuple[str, ...]:
    if _BLANK.search(name):
        return ()
    return tuple(part for part in _SEPARATORS.split(name.lower()) if part)


# ------------------------------------------------------------------------------------------------------- documents
def document(value: Any, vocabulary: Vocabulary, name: str = "", depth: int = 0) -> Any:
    """
    The shape of anybody's JSON value, and of its leaves those that may be shown.

    >>> document({"id": 7, "naam": "De Els"}, Vocabulary(frozenset(("id", "naam")), {"id": is_record_id}))
    {'id': 7, 'naam': '•••'}
    """
    if depth > MOST_DEPTH:
        return MASK
    if isinstance(value, Mapping):
        shown: dict[str, Any] = {}
        hidden = 0
        for inner_name, inner in value.items():
            known = vocabulary.knows(str(inner_name))
            hidden += not known
            key = str(inner_name) if known else MASK if hidden == 1 else f"{MASK} {hidden}"
            shown[key] = document(inner, vocabulary, str(inner_name) if known else "", depth + 1)
        return shown
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [document(inner, vocabulary, name, depth + 1) for inner in value]
    return value if _is_empty(value) or vocabulary.shows(name, value) else MASK


def _document(value: Any, _view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    return document(value, vocabulary)


def _body(value: Any, _view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    """A body, or its beginning. What is no JSON, was cut short or is very long cannot be told apart by its members."""
    if len(value) > MOST_BODY_CHARACTERS:
        return MASK
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        return MASK if value else value
    return orjson.dumps(document(parsed, vocabulary)).decode()


def _client_fields(value: Any, view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    """The canonical fields of a client; of an organisation with its name."""
    shown = document(value, vocabulary)
    if isinstance(shown, dict) and "name" in shown:
        shown["name"] = _client_name(value["name"], view, vocabulary)
    return shown


# ------------------------------------------------------------------------------------------------------ single texts
def _identifier(value: Any, _view: Mapping[str, Any], _vocabulary: Vocabulary) -> Any:
    return value if value == "" or _fits(_IDENTIFIER, value) else MASK


def _word(value: Any, _view: Mapping[str, Any], _vocabulary: Vocabulary) -> Any:
    return value if value == "" or (len(value) <= _MOST_WORD and _fits(_WORD, value)) else MASK


def _refusal(value: Any, _view: Mapping[str, Any], _vocabulary: Vocabulary) -> Any:
    return value if _fits(_REFUSAL, value) else MASK


def _event_kind(value: Any, _view: Mapping[str, Any], _vocabulary: Vocabulary) -> Any:
    return value if _fits(_EVENT, value) else MASK


def _field_name(value: Any, _view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    return value if value in ("", "*") or (isinstance(value, str) and vocabulary.knows(value)) else MASK


def _sentence(value: Any, _view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    return value if value == "" or value in vocabulary.sentences else MASK


def _client_name(value: Any, view: Mapping[str, Any], _vocabulary: Vocabulary) -> Any:
    """Of a private person, and of whoever may be one, the name is hidden."""
    return value if value is None or view.get("kind") == "organisation" else MASK


def mask_path(path: str, vocabulary: Vocabulary) -> str:
    """
    The path of a request: ids and the words of addresses, without what was searched for.

    >>> mask_path("/contacts?search%5Bq%5D=De+Linde&page=1", Vocabulary(frozenset(("contacts", "search", "q"))))
    '/contacts?search%5Bq%5D=•••&page=1'
    """
    bare, mark, query = path.partition("?")
    segments = [
        segment if segment == "" or is_record_id(segment) or vocabulary.knows(segment) else MASK
        for segment in bare.split("/")
    ]
    return "/".join(segments) + mark + "&".join(_parameter(part, vocabulary) for part in query.split("&"))


_PAGING: Final = frozenset(("page", "per_page", "size", "limit", "offset"))
_OPTIONS: Final = frozenset(("include", "selection", "sort", "database-mode"))


def _parameter(part: str, vocabulary: Vocabulary) -> str:
    name, is_, value = part.partition("=")
    if (name in _PAGING and value.isdecimal() and len(value) <= _MOST_COUNT_DIGITS) or (
        name in _OPTIONS and all(_fits(_WORD, word) for word in value.split(","))
    ):
        return part
    if name == "updatedFrom" and is_time(unquote(value)):
        return part
    shown = name if not name or vocabulary.knows(unquote(name)) else MASK
    return f"{shown}{is_}{MASK if value else ''}"


def _sentences(value: Any, view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    return {
        name: _sentence(inner, view, vocabulary)
        for name, inner in value.items()
        if _word(name, view, vocabulary) == name
    }


def _path(value: Any, _view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    return mask_path(value, vocabulary)


def _by_word(value: Any, view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    return {
        name: _by_word(inner, view, vocabulary) if isinstance(inner, Mapping) else for_viewer(inner, vocabulary)
        for name, inner in value.items()
        if _word(name, view, vocabulary) == name
    }


Id = Annotated[str, Shown(_identifier)]
"""An id of ours or of a vendor, without a blank or an `@`."""
Word = Annotated[str, Shown(_word)]
"""A word of ours: a state, a reason, a system."""
WORD: Final = Shown(_word)
"""The same for a literal."""
Refusal = Annotated[str, Shown(_refusal)]
"""Why a body is not an event: a sentence of ours, which quotes nothing of the body."""
EventKind = Annotated[str, Shown(_event_kind)]
"""What a webhook event says of itself, where it is a kind that is known."""
FieldName = Annotated[str, Shown(_field_name)]
"""The name of a field, here or at a vendor."""
Sentence = Annotated[str, Shown(_sentence)]
"""A sentence of ours, such as the rule behind a decision."""
Value = Annotated[Any, Shown(_document, whole=True)]
"""Anybody's value, or none."""
RequestPath = Annotated[str, Shown(_path)]
"""The path of a request to a vendor."""
ClientName = Annotated[str, Shown(_client_name)]
"""The name of a client; the view's `kind` says whether it is an organisation."""
ClientFields = Annotated[dict[str, Any], Shown(_client_fields, whole=True)]
"""The canonical fields of a client; the view's `kind` says whether it is an organisation."""
Sentences = Annotated[dict[str, str], Shown(_sentences, whole=True)]
"""Such sentences by words of ours."""
Body = Annotated[str, Shown(_body)]
"""The body of a request or an answer, as text."""
Document = Annotated[dict[str, Any], Shown(_document, whole=True)]
"""Anybody's JSON object."""
DocumentList = Annotated[list[Any], Shown(_document, whole=True)]
"""A list of anybody's JSON values."""
BY_WORD: Final = Shown(_by_word, whole=True)
"""For a mapping whose keys are words of ours, and whose values are numbers, views or such mappings."""


# ------------------------------------------------------------------------------------------------------------ views
def for_viewer(view: T, vocabulary: Vocabulary = NOTHING_KNOWN) -> T:
    """
    The same view with everything hidden that a viewer may not see.

    Numbers, flags and times of a view are its own counts and states, and stay. An object that is not a view is
    anybody's document.
    """
    seen: T = _seen(view, None, {}, vocabulary)
    return seen


def _seen(value: Any, shown: Shown | None, view: Mapping[str, Any], vocabulary: Vocabulary) -> Any:
    if value is None:
        return None
    if isinstance(value, list | tuple) and not (shown and shown.whole):
        return [_seen(one, shown, view, vocabulary) for one in value]
    if shown is not None:
        return shown.rule(value, view, vocabulary)
    if is_dataclass(value) and not isinstance(value, type):
        members = dict(vars(value))
        rules = _rules(type(value))
        return type(value)(**{name: _seen(members[name], rule, members, vocabulary) for name, rule in rules.items()})
    if isinstance(value, Mapping):
        return document(value, vocabulary)
    return value if isinstance(value, bool | int | float | datetime) or value == "" else MASK


@lru_cache(maxsize=256)
def _rules(view: type) -> dict[str, Shown | None]:
    """By member how it is shown; None for one whose type does not say."""
    hints = get_type_hints(view, include_extras=True)
    return {one.name: _rule_in(hints[one.name]) for one in fields(view) if one.init}


def _rule_in(hint: Any) -> Shown | None:
    """The rule in a type, also in one that is optional or a list."""
    for given in getattr(hint, "__metadata__", ()):
        if isinstance(given, Shown):
            return given
    inner = (_rule_in(one) for one in get_args(hint) if not isinstance(one, Shown))
    return next((rule for rule in inner if rule is not None), None)
