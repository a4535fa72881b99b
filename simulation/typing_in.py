"""What people do in Robaws, to the story. Something whose client or person is not there does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from simulation.trouble import MEMBERS

if TYPE_CHECKING:
    from simulation.story import Story


PATHS: Final = {"address": "address.city", "tel": "phone", "website": "website"}
"""Which of the members that people edit in the targets comes of which member at Robaws; an address is one value."""


def client_added(story: Story, args: Mapping[str, Any]) -> None:
    """Somebody types in a new client."""
    story.memory.clients[args["client"]] = story.robaws.add_client(**args["members"])


def client_changed(story: Story, args: Mapping[str, Any]) -> None:
    """Somebody changes a client."""
    client_id = living(story, args)
    if client_id is not None:
        held = story.robaws.client(client_id)
        story.memory.before[client_id] = {name: held.get(name) for name in args["members"]}
        _say_anew(story, client_id, args["members"])
        story.robaws.change_client(client_id, **args["members"])


def _say_anew(story: Story, client_id: str, members: Mapping[str, Any]) -> None:
    """What people typed into these members of the client's records may be replaced from now on."""
    paths = {path for member, path in PATHS.items() if member in members}
    rows = story.database.look(
        "SELECT l.system, l.external_id FROM link l JOIN contact c ON c.id = l.contact_id WHERE c.source_id = %(c)s",
        {"c": client_id},
    )
    named = {(system, named[path]) for system, named in MEMBERS.items() for path in paths & named.keys()}
    story.memory.said_anew({(row[0], row[1]) for row in rows}, named)


def client_taken_back(story: Story, args: Mapping[str, Any]) -> None:
    """Somebody takes the last change of a client back."""
    before = story.memory.before.get(living(story, args) or "")
    if before:
        client_changed(story, {**args, "members": before})


def client_deleted(story: Story, args: Mapping[str, Any]) -> None:
    """Somebody deletes a client; Robaws tells nobody."""
    client_id = living(story, args)
    if client_id is not None:
        story.robaws.delete_client(client_id)
        story.memory.deleted_clients.add(client_id)


def person_added(story: Story, args: Mapping[str, Any]) -> None:
    """A client gets a contact person."""
    key = (args["client"], args["person"])
    client_id = living(story, args)
    if client_id is not None and key not in story.memory.persons:
        story.memory.persons[key] = story.robaws.add_person(client_id, **args["members"])


def person_changed(story: Story, args: Mapping[str, Any]) -> None:
    """A contact person changes."""
    person = story.memory.persons.get((args["client"], args["person"]))
    if person is not None and living(story, args) is not None:
        story.robaws.change_person(person, **args["members"])


def person_removed(story: Story, args: Mapping[str, Any]) -> None:
    """A contact person goes."""
    if living(story, args) is None:
        return
    person = story.memory.persons.pop((args["client"], args["person"]), None)
    if person is not None:
        story.robaws.remove_person(person)


def living(story: Story, args: Mapping[str, Any]) -> str | None:
    """The client, unless it is not there yet, or not any more."""
    client_id = story.memory.clients.get(args["client"])
    return None if client_id is None or client_id in story.memory.deleted_clients else client_id
