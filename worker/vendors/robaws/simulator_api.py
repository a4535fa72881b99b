"""The paths of the simulated Robaws (Robaws sheet 8): which work each one does, and how it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from worker.vendors.robaws.simulator_lists import Collection, ListQuery, page
from worker.vendors.robaws.simulator_records import Client, Person, write_client, write_person
from worker.vendors.robaws.simulator_rules import ExtraField, Refusal, Switches
from worker.vendors.robaws.simulator_webhooks import EVENTS, Endpoint, Webhooks
from worker.vendors.simulation import SimRequest, SimResponse

if TYPE_CHECKING:
    from worker.vendors.robaws.simulator_clients import Clients


@dataclass(frozen=True)
class Api:
    """The work behind each path, for a caller who was let in already."""

    switches: Switches
    fields: tuple[ExtraField, ...]
    clients: Clients
    webhooks: Webhooks

    def route(self, request: SimRequest, parts: list[str], moment: float) -> SimResponse:
        """Answer; 404 for a path that does not exist, 405 for a method that the path does not have."""
        routes: dict[str, Callable[[], SimResponse]]
        match parts:
            case ["clients"]:
                routes = {"GET": lambda: self._list_clients(request, moment), "POST": lambda: self._create(request)}
            case ["clients", client_id]:
                routes = {
                    "GET": lambda: self._read(client_id, request, moment),
                    "PATCH": lambda: self._patch(client_id, request),
                    "PUT": lambda: self._put(client_id, request),
                    "DELETE": lambda: self._delete(client_id),
                }
            case ["clients", client_id, "contacts"]:
                routes = {
                    "GET": lambda: self._list_persons_of(client_id, request, moment),
                    "POST": lambda: self._create_person(client_id, request),
                }
            case ["clients", client_id, "contacts", person_id]:
                routes = {"PATCH": lambda: self._patch_person(client_id, person_id, request)}
            case ["contacts"]:
                routes = {"GET": lambda: self._list_persons(request, moment)}
            case ["webhook-endpoints"]:
                routes = {"GET": self._list_endpoints, "POST": lambda: self._register(request)}
            case ["webhook-endpoints", endpoint_id]:
                routes = {"DELETE": lambda: self._remove_endpoint(endpoint_id)}
            case _:
                raise Refusal(404)
        work = routes.get("GET" if request.method == "HEAD" else request.method)
        if work is None:
            raise Refusal(405)
        response = work()
        return SimResponse(response.status, b"", response.headers) if request.method == "HEAD" else response

    # ------------------------------------------------------------------------------------------------------- clients

    def _list_clients(self, request: SimRequest, moment: float) -> SimResponse:
        query = ListQuery.of(request)
        contacts = "contacts" in query.includes(self.switches)

        def write(client: Client) -> dict[str, Any]:
            return write_client(client, self.switches, self.fields, contacts=contacts)

        def write_item(client: Client) -> dict[str, Any]:
            # 7: "list items can be abbreviated".
            short = {"id", "name", "email", "updatedAt"}
            whole = write(client)
            return {name: whole[name] for name in whole if name in short} if self.switches.lists_abbreviated else whole

        collection = Collection("clients", self.switches, self.fields, write, lambda client: client.updated_ms)
        listed = [client for client in self.clients.all(moment) if not client.archived]
        return SimResponse.of_json(200, page(collection.select(listed, query), query, write_item))

    def _read(self, client_id: str, request: SimRequest, moment: float) -> SimResponse:
        client = self.clients.find(client_id, moment)
        contacts = "contacts" in ListQuery.of(request).includes(self.switches)
        return self._client(200, client, contacts=contacts)

    def _create(self, request: SimRequest) -> SimResponse:
        return self._client(self.switches.created_status, self.clients.post(_body(request, "application/json")))

    def _patch(self, client_id: str, request: SimRequest) -> SimResponse:
        client = self.clients.patch(client_id, _body(request, "application/merge-patch+json"))
        return self._client(200, client) if self.switches.patch_answers_entity else SimResponse(204)

    def _put(self, client_id: str, request: SimRequest) -> SimResponse:
        self.clients.put(client_id, _body(request, "application/json"))
        return SimResponse(204)

    def _delete(self, client_id: str) -> SimResponse:
        self.clients.find(client_id)
        self.clients.delete(client_id)
        return SimResponse(204)

    def _client(self, status: int, client: Client, *, contacts: bool = False) -> SimResponse:
        return SimResponse.of_json(status, write_client(client, self.switches, self.fields, contacts=contacts))

    # ------------------------------------------------------------------------------------------------------- persons

    def _list_persons_of(self, client_id: str, request: SimRequest, moment: float) -> SimResponse:
        query = ListQuery.of(request)
        client = self.clients.find(client_id, moment)
        collection = Collection("contacts", self.switches, (), write_person, lambda _: client.updated_ms)
        return SimResponse.of_json(200, page(collection.select(client.persons, query), query, write_person))

    def _list_persons(self, request: SimRequest, moment: float) -> SimResponse:
        query = ListQuery.of(request)
        with_client = "client" in query.includes(self.switches)

        def write(row: tuple[Client, Person]) -> dict[str, Any]:
            client, person = row
            written = {**write_person(person), "clientId": client.id}
            if with_client:
                written["client"] = write_client(client, self.switches, self.fields)
            return written

        rows = [(client, person) for client in self.clients.all(moment) for person in client.persons]
        rows.sort(key=lambda row: int(row[1].id))
        # 7: a filter on `email` is silently ignored here; `Collection` knows filters for clients only.
        collection = Collection("contacts", self.switches, (), write, lambda row: row[0].updated_ms)
        return SimResponse.of_json(200, page(collection.select(rows, query), query, write))

    def _create_person(self, client_id: str, request: SimRequest) -> SimResponse:
        person = self.clients.post_person(client_id, _body(request, "application/json"))
        return SimResponse.of_json(self.switches.created_status, write_person(person))

    def _patch_person(self, client_id: str, person_id: str, request: SimRequest) -> SimResponse:
        person = self.clients.patch_person(client_id, person_id, _body(request, "application/merge-patch+json"))
        if not self.switches.patch_answers_entity:
            return SimResponse(204)
        return SimResponse.of_json(200, write_person(person))

    # ----------------------------------------------------------------------------------------------------- endpoints

    def _list_endpoints(self) -> SimResponse:
        self._require_admin()
        # 3.1: the secret is told at registration; assumed not to be shown again.
        listed = [endpoint_json(endpoint, secret=False) for endpoint in self.webhooks.endpoints.values()]
        return SimResponse.of_json(200, page(listed, ListQuery((("size", "100"),)), dict))

    def _register(self, request: SimRequest) -> SimResponse:
        self._require_admin()
        body = _body(request, "application/json")
        url, events = body.get("url"), body.get("events")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise Refusal(400, "url: must be an address")
        if not isinstance(events, list) or not events or not EVENTS.issuperset(map(str, events)):
            raise Refusal(400, "events: must be a list of known events")
        endpoint = self.webhooks.register(url, tuple(events))
        return SimResponse.of_json(201, endpoint_json(endpoint, secret=True))

    def _remove_endpoint(self, endpoint_id: str) -> SimResponse:
        self._require_admin()
        self.webhooks.remove(endpoint_id)
        return SimResponse(204)

    def _require_admin(self) -> None:
        """3.1: only admin users may."""
        if not self.switches.user_is_admin:
            raise Refusal(403)


def endpoint_json(endpoint: Endpoint, *, secret: bool) -> dict[str, Any]:
    """A registration as 12.1 shows it."""
    shown: dict[str, Any] = {"id": endpoint.id, "url": endpoint.url, "events": list(endpoint.events)}
    return {**shown, "secret": endpoint.secret} if secret else shown


def _body(request: SimRequest, content_type: str) -> dict[str, Any]:
    """The body, under exactly one content type (6, trap 14: two of them in one header are 415)."""
    given = request.headers.get("content-type", "")
    if "," in given or given.partition(";")[0].strip().lower() != content_type:
        raise Refusal(415, f"Content-Type {given or 'missing'} is not supported")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise Refusal(400, "The body is not JSON") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be an object")
    return body
