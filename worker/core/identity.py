"""Who is who: what a system's ids look like, and how a process of ours says which one it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PROCESS_HEADER: Final = "Contactsync-Process"
"""Header of a request to `/readyz`, with the process id that it is meant for; that receiver alone sends it back."""


@dataclass(frozen=True)
class IdShape:
    """
    What every id of a system looks like, so that one which a person typed is refused before it becomes part of an
    address. `words` follow "an id there is".
    """

    pattern: re.Pattern[str]
    words: str

    def fits(self, external_id: str) -> bool:
        """Whether it can be an id there; whether there is such a record, only the system knows."""
        return self.pattern.fullmatch(external_id) is not None


WHOLE_NUMBER: Final = IdShape(re.compile(r"[1-9][0-9]{0,17}"), "a whole number, such as 4711")
"""Numbers of a database: no sign, and no zeros before it, with which one record would have several names."""
