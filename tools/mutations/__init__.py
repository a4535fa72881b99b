"""The deliberate breakages of `tools/mutate.py`: each takes one guard out of the product, by a change of its text."""

from __future__ import annotations

from typing import Final

from tools.mutations.access import MUTATIONS as ACCESS
from tools.mutations.answers import MUTATIONS as ANSWERS
from tools.mutations.comebacks import MUTATIONS as COMEBACKS
from tools.mutations.connections import MUTATIONS as CONNECTIONS
from tools.mutations.creates import MUTATIONS as CREATES
from tools.mutations.edge import MUTATIONS as EDGE
from tools.mutations.entry import Mutation
from tools.mutations.events import MUTATIONS as EVENTS
from tools.mutations.exposure import MUTATIONS as EXPOSURE
from tools.mutations.fields import MUTATIONS as FIELDS
from tools.mutations.leases import MUTATIONS as LEASES
from tools.mutations.masks import MUTATIONS as MASKS
from tools.mutations.matches import MUTATIONS as MATCHES
from tools.mutations.outputs import MUTATIONS as OUTPUTS
from tools.mutations.privileges import MUTATIONS as PRIVILEGES
from tools.mutations.rates import MUTATIONS as RATES
from tools.mutations.servers import MUTATIONS as SERVERS
from tools.mutations.trouble import MUTATIONS as TROUBLE
from tools.mutations.vendors import MUTATIONS as VENDORS

__all__ = ["MUTATIONS", "Mutation"]

MUTATIONS: Final = (
    *EVENTS,
    *LEASES,
    *CREATES,
    *MATCHES,
    *ANSWERS,
    *FIELDS,
    *EDGE,
    *TROUBLE,
    *COMEBACKS,
    *RATES,
    *VENDORS,
    *SERVERS,
    *ACCESS,
    *CONNECTIONS,
    *MASKS,
    *EXPOSURE,
    *OUTPUTS,
    *PRIVILEGES,
)
