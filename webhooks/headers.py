"""
Security headers, put on every answer of the server.

They are added to the finished head of an answer, where it is written to the connection: an answer of the application,
a refused webhook event and a refusal of the HTTP server itself pass there alike, and none can be forgotten. A page that
needs another policy or caching sets that header itself, and keeps it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
UNLESS_SET: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}

_END: Final = b"\r\n"
_ALWAYS: Final = "".join(f"{name}: {value}\r\n" for name, value in ALWAYS.items()).encode()
_UNLESS_SET: Final = tuple(
    (f"\r\n{name}:".encode(), f"{name}: {value}\r\n".encode()) for name, value in UNLESS_SET.items()
)


@lru_cache(maxsize=64)  # under load the same few heads go out until the second of their date is over
def secured(head: bytes) -> bytes:
    """
    The head of an answer, status line to blank line, with the security headers.

    Names of headers are in lower case, as the server writes them.

    >>> secured(b"HTTP/1.1 200 OK\\r\\ncache-control: max-age=60\\r\\n\\r\\n").count(b"cache-control")
    1
    """
    added = _ALWAYS
    for name, line in _UNLESS_SET:
        if name not in head:
            added += line
    return head[:-2] + added + _END
