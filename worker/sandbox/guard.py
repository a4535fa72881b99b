"""
Who may use the control API: programs, and the sandbox's own pages. No page of another site, opened in a browser on this
machine, may look at the simulated vendors, change them, or have webhooks sent to an address of its choice.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.datastructures import Headers
    from starlette.requests import Request

_SAFE: Final = frozenset(("GET", "HEAD"))
_BY_BROWSERS: Final = ("origin", "referer", "sec-fetch-site", "sec-fetch-mode")
_FORM: Final = "application/x-www-form-urlencoded"


def refusal(request: Request, own_host: str) -> Response | None:
    """
    None for a request that may go on; else the answer. `own_host` is the name that the sandbox was told to listen on.

    A body is JSON. curl and Python call any body a form unless they are told what it is, so that word is let through
    from a program; from a browser it is refused, since forms of other sites can send it.
    """
    headers = request.headers
    if not _is_own(headers.get("host", ""), own_host):
        return _refused(421, "this name is not served here: use localhost or the address of this machine")
    if not _same_origin(headers, safe=request.method in _SAFE):
        return _refused(403, "this comes from a page of another site: use a program, or the pages of the sandbox")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind or kind == "application/json" or (kind == _FORM and not any(name in headers for name in _BY_BROWSERS)):
        return None
    return _refused(415, "send JSON, with Content-Type: application/json")


def _is_own(host: str, own_host: str) -> bool:
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    name = name.lower()
    if name in ("localhost", own_host.lower()):
        return True
    try:
        # A number is nobody's name: another site can give its own name our address, and not the other way round.
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_origin(headers: Headers, *, safe: bool) -> bool:
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{headers.get('host', '')}".lower():
        return False
    return safe or headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")


def _refused(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)
