"""
The simulated Routix: a token endpoint and a list of accounts, and not one way to write (Routix sheet).

Numbers in comments are the sheet's sections. What the sheet calls unknown is a switch
(`RoutixSimulator.switches`). The members that people keep in the application are changed by `add_account`,
`change_account` and `remove_account`.
"""

from __future__ import annotations

import datetime
import random as random_module
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

from typing_extensions import override

from worker.vendors.routix.simulator_rules import (
    ACCOUNTS_SCOPE,
    OWN_MEMBERS,
    MinuteWindow,
    Refusal,
    RoutixSwitches,
    check_account,
    write_account,
)
from worker.vendors.simulation import SimRequest, SimResponse, Simulator

DEFAULT_LIMIT = 50
MAX_LIMIT = 1000

__all__ = ["RoutixSimulator", "RoutixSwitches"]


@dataclass
class _Account:
    """One account, and the branches in which it appears (7: it may be several)."""

    members: dict[str, Any]
    branches: frozenset[str]


@dataclass
class _Tokens:
    """Access tokens given out, with the moment they end; and the count of what was asked for."""

    ends: dict[str, float] = field(default_factory=dict)
    asked: MinuteWindow = field(default_factory=MinuteWindow)


class RoutixSimulator(Simulator):
    """One organisation at Routix. `seed` makes ids and the moving list the same in every run."""

    name = "routix"
    prefix = "/functions/v1"
    takes_writes = False
    SANDBOX_CLIENT_ID = "7a1e0000-0000-4000-8000-000000000005"
    SANDBOX_CLIENT_SECRET = "routix_sandbox_secret"  # noqa: S105 - opens a simulator only
    SANDBOX_BRANCHES = ("SBXBR001", "SBXBR002")

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = lambda: 0.0,
        seed: int | None = None,
        switches: RoutixSwitches | None = None,
        branches: Sequence[str] = SANDBOX_BRANCHES,
    ) -> None:
        super().__init__(clock=clock, random=random)
        self.switches = switches or RoutixSwitches()
        self.client_id = self.SANDBOX_CLIENT_ID
        self.client_secret = self.SANDBOX_CLIENT_SECRET
        self.branches = tuple(branches)
        self.accounts: dict[str, _Account] = {}
        self._tokens = _Tokens()
        self._requests = MinuteWindow()
        self._source = random_module.Random(seed)  # noqa: S311 - ids and a shuffled list, not secrets
        self._lists_served = 0

    # ------------------------------------------------------------------------------- what tests and the sandbox call

    @override
    def settings(self, base_url: str) -> dict[str, Any]:
        return {
            "enabled": True,
            "base_url": base_url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "branches": list(self.branches),
        }

    @override
    def state(self) -> dict[str, Any]:
        with self.lock:
            return {
                "accounts": {
                    account_id: write_account(account.members, "v2", RoutixSwitches())
                    for account_id, account in self.accounts.items()
                },
                "branches": {
                    branch: [name for name, account in self.accounts.items() if branch in account.branches]
                    for branch in self.branches
                },
            }

    def add_account(self, *, branches: Sequence[str] | None = None, **members: Any) -> str:
        """
        A person creates an account, in the first branch unless told otherwise; returns its id.

        Without being told it is an active customer. ValueError for a member that does not exist.
        """
        with self.lock:
            account_id = str(uuid.UUID(int=self._source.getrandbits(128), version=4))
            now = self._now()
            whole = {"account_type": "customer", "status": "active", "registration_date": now, **members}
            check_account(whole)
            whole |= {"id": account_id, "created_at": now, "last_updated_at": now}
            self.accounts[account_id] = _Account(whole, frozenset(branches or self.branches[:1]))
            return account_id

    def change_account(self, account_id: str, **members: Any) -> None:
        """A person changes members of an account, None empties; KeyError where there is no such account."""
        with self.lock:
            account = self.accounts[account_id]
            if OWN_MEMBERS & members.keys():
                raise ValueError(f"set by Routix itself: {', '.join(sorted(OWN_MEMBERS & members.keys()))}")
            changed = {**account.members, **members}
            check_account(changed)
            if self.switches.edits_move_last_updated_at:
                changed["last_updated_at"] = self._now()
            account.members = changed

    @override
    def edit_record(self, record_id: str, members: dict[str, Any]) -> None:
        self.change_account(record_id, **members)

    def remove_account(self, account_id: str) -> None:
        """A person removes an account: it is missing from the list from now on, and nothing else tells of it."""
        with self.lock:
            del self.accounts[account_id]

    def add_record(self, **members: Any) -> str:
        """The same as `add_account`, under the name that every simulator has."""
        return self.add_account(**members)

    def delete_record(self, record_id: str) -> None:
        """The same as `remove_account`, under the name that every simulator has."""
        self.remove_account(record_id)

    def revoke_tokens(self) -> None:
        """Every token that was given out ends now (3: single tokens can be revoked)."""
        with self.lock:
            self._tokens.ends.clear()

    # ------------------------------------------------------------------------------------------------- one request

    @override
    def answer(self, request: SimRequest) -> SimResponse:
        try:
            return self._routed(request)
        except Refusal as refusal:
            body = {"error": refusal.error, "error_description": refusal.description}
            return SimResponse.of_json(refusal.status, body, refusal.headers)

    @override
    def throttled(self, retry_after: float | None) -> SimResponse:
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        body = {"error": "rate_limited", "error_description": "Too many requests"}
        return SimResponse.of_json(429, body, headers)

    def _routed(self, request: SimRequest) -> SimResponse:
        if request.path == f"{self.prefix}/oauth-token":
            return self._token(request)
        match request.path.removeprefix(self.prefix).split("/"):
            case ["", "api", ("v1" | "v2") as version, branch, resource] if request.path.startswith(self.prefix):
                if request.method != "GET":
                    # 2: "only GET; anything else is 405", whatever the scopes.
                    raise Refusal(405, "method_not_allowed", "Only GET is available")
                self._authorise(request, branch, resource)
                return self._accounts(request, version, branch)
            case _:
                raise Refusal(404, "not_found", "Unknown address")

    def _token(self, request: SimRequest) -> SimResponse:
        """3: client_credentials as JSON."""
        if request.method != "POST":
            raise Refusal(405, "method_not_allowed", "Only POST is available")
        # 5: per client; a client that is refused is counted as well (assumed).
        if not self._tokens.asked.admit(self.clock(), self.switches.tokens_per_minute):
            raise self._too_many()
        asked = self._token_request(request)
        if asked.get("grant_type") != "client_credentials":
            raise Refusal(400, "unsupported_grant_type", "Only client_credentials is available here")
        known = (self.client_id, self.client_secret) == (asked.get("client_id"), asked.get("client_secret"))
        if not known or self.switches.app_revoked:
            raise Refusal(self.switches.bad_client_status, "invalid_client", "Unknown client or wrong secret")
        token = f"sandbox.{self._source.getrandbits(128):032x}.token"
        self._tokens.ends[token] = self.clock() + self.switches.token_seconds
        answer: dict[str, Any] = {"access_token": token}
        if not self.switches.token_answer_is_bare:
            # 3: only `access_token` is documented.
            answer |= {
                "token_type": "Bearer",
                "expires_in": int(self.switches.token_seconds),
                "scope": " ".join(self.switches.scopes),
            }
        return SimResponse.of_json(200, answer)

    def _token_request(self, request: SimRequest) -> dict[str, Any]:
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == "application/x-www-form-urlencoded" and self.switches.form_tokens:
            return dict(parse_qsl(request.body.decode()))
        try:
            asked = request.json() if content_type == "application/json" else None
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise Refusal(400, "invalid_request", "The body must be a JSON object")
        return asked

    def _authorise(self, request: SimRequest, branch: str, resource: str) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "invalid_token", "The access token is missing")
        ends = self._tokens.ends.get(token)
        # 3: "ordinary user tokens are refused by the proxy": they are as unknown here as any other.
        if ends is None or self.switches.app_revoked:
            raise Refusal(401, "invalid_token", "The access token is not valid")
        if self.clock() >= ends:
            raise Refusal(401, "invalid_token", "The access token has expired")
        if not self._requests.admit(self.clock(), self.switches.requests_per_minute):
            raise self._too_many()
        # 5: 404 for a branch or a resource that is unknown; 403 for a scope or a branch that is not allowed.
        if branch not in self.branches or resource != "accounts":
            raise Refusal(404, "not_found", "Unknown branch or resource")
        allowed = self.switches.allowed_branches
        if allowed is not None and branch not in allowed:
            raise Refusal(403, "branch_not_allowed", "The app has no access to this branch")
        if ACCOUNTS_SCOPE not in self.switches.scopes:
            raise Refusal(403, "insufficient_scope", f"The token lacks {ACCOUNTS_SCOPE}")

    def _accounts(self, request: SimRequest, version: Literal["v1", "v2"], branch: str) -> SimResponse:
        """4: one page. No filter and no sort exist, so whatever else stands in the query does nothing."""
        query = dict(request.query)
        limit = _whole(query, "limit", DEFAULT_LIMIT, 1)
        offset = _whole(query, "offset", 0, 0)
        if limit > MAX_LIMIT:
            if self.switches.over_limit == "refuse":
                raise Refusal(400, "invalid_parameters", f"limit: at most {MAX_LIMIT}")
            limit = MAX_LIMIT
        listed = [account.members for account in self.accounts.values() if branch in account.branches]
        if self.switches.list_moves and listed:
            # Trap 4: the order is not stated. Here the list turns by one between any two pages, so that a sweep
            # sees one record twice and misses another.
            turn = self._lists_served % len(listed)
            listed = listed[turn:] + listed[:turn]
        self._lists_served += 1
        page = [write_account(members, version, self.switches) for members in listed[offset : offset + limit]]
        pagination = {"limit": limit, "offset": offset, "total": len(listed)}
        return SimResponse.of_json(200, {"data": page, "pagination": pagination, "version": version})

    def _too_many(self) -> Refusal:
        wait = self.switches.retry_after_seconds
        headers = {} if wait is None else {"retry-after": f"{wait:g}"}
        return Refusal(429, "rate_limited", "Too many requests", headers)

    def _now(self) -> str:
        moment = datetime.datetime.fromtimestamp(self.clock(), datetime.UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _whole(query: dict[str, str], name: str, default: int, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or int(text) < least:
        raise Refusal(400, "invalid_parameters", f"{name}: must be a whole number of {least} or more")
    return int(text)
