"""The tables, one noun a file. What a row says stands in `docs/architecture.md`."""

from models.answer_rule import AnswerRule
from models.attempt import Attempt
from models.base import Base
from models.contact import Contact
from models.create_lock import CreateLock
from models.directory import DirectoryEntry
from models.inbox import EventTally, InboxEvent, InboxKey, InboxReject
from models.link import Link
from models.operator import OperatorAction
from models.review import Review
from models.system import Checkpoint, SystemState
from models.tally import RowTally
from models.webhook_result import WebhookResult

__all__ = [
    "AnswerRule",
    "Attempt",
    "Base",
    "Checkpoint",
    "Contact",
    "CreateLock",
    "DirectoryEntry",
    "EventTally",
    "InboxEvent",
    "InboxKey",
    "InboxReject",
    "Link",
    "OperatorAction",
    "Review",
    "RowTally",
    "SystemState",
    "WebhookResult",
]
