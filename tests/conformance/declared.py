"""
What a check of the suite says of itself: which capability it is about, what a vendor must have for it, and whether it
needs a simulator. The coverage in docs/conformance.md is made from these declarations, and the tests from the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

Feature = Literal[
    "single read",
    "canonical",
    "target",
    "unusable records",
    "pages",
    "reference",
    "unique reference",
    "search",
    "create",
    "find created",
    "update",
    "merge patch",
    "persons",
    "persons written",
    "keys",
    "read only",
    "ids in addresses",
    "named faults",
    "full subscription",
    "daily quota",
    "bank data",
]
"""What a vendor has or has not. An adapter says why not; for what a capability tells, the client is asked."""

Capability = Literal[
    "Reading",
    "Listing",
    "Finding by reference",
    "Searching",
    "Creating",
    "Updating",
    "Contact persons",
    "Creates without an answer",
    "Idempotency keys",
    "Reading only",
    "Errors told apart",
    "Secrets",
    "What check() says",
    "Exchanges and budget",
]

FAULT: Final = "a fault is made on command"
BY_HAND: Final = "a person's edit is made on command"
STATE: Final = "the vendor is put into a state on command"
AT_ONCE: Final = "calls leave at the same time"
COUNTED: Final = "all records there are counted"

SPELLED: Final = {
    "html": "HTML",
    "json": "JSON",
    "get": "GET",
    "check": "`check()`",
    "vendors": "vendor's",
    "days": "day's",
}
"""Words that a name of Python cannot hold as they are written."""

Test = TypeVar("Test", bound=Callable[..., Any])


@dataclass(frozen=True)
class Check:
    """One check, under the name of its test. `simulator_only` is why no tenant is asked, empty where one will do."""

    name: str
    module: str
    line: int
    capability: Capability
    needs: tuple[Feature, ...]
    simulator_only: str

    @property
    def says(self) -> str:
        """The test's name as a sentence."""
        words = self.name.removeprefix("test_").split("_")
        return " ".join(SPELLED.get(word, word) for word in words)


DECLARED: Final[dict[Callable[..., Any], Check]] = {}
"""Every check of the modules that were imported, by its test."""


def check(capability: Capability, *needs: Feature, simulator_only: str = "") -> Callable[[Test], Test]:
    """Declare a test as a check of the suite: it runs once for each vendor that has what it needs."""

    def declare(test: Test) -> Test:
        name, module, line = test.__name__, test.__module__.rpartition(".")[2], test.__code__.co_firstlineno
        DECLARED[test] = Check(name, module, line, capability, needs, simulator_only)
        return test

    return declare
