"""What a system without a search holds: one row a record, with the keys that a contact is matched by."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, DateTime, Index, PrimaryKeyConstraint, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class DirectoryEntry(Base):
    """
    One record of a whole list, as far as matching needs it. Rows change only where the record did.

    `values` are canonical values by path; the keys beside them are their comparison keys, each one an index. The
    previous release looks numbers up by `vat_key` and `registration_key`.
    """

    __tablename__ = "directory_entry"
    __table_args__ = (
        PrimaryKeyConstraint("system", "external_id"),
        Index("ix_directory_entry_reference", "system", "reference", postgresql_where=text("reference IS NOT NULL")),
        Index("ix_directory_entry_vat", "system", "vat_key", postgresql_where=text("vat_key <> ''")),
        Index(
            "ix_directory_entry_registration",
            "system",
            "registration_key",
            postgresql_where=text("registration_key <> ''"),
        ),
        Index("ix_directory_entry_name", "system", "name_key", postgresql_where=text("name_key <> ''")),
        Index("ix_directory_entry_postcode", "system", "postcode_key", postgresql_where=text("postcode_key <> ''")),
        Index("ix_directory_entry_numbers", "number_keys", postgresql_using="gin"),
        Index("ix_directory_entry_emails", "email_keys", postgresql_using="gin"),
        Index("ix_directory_entry_phones", "phone_keys", postgresql_using="gin"),
    )

    system: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str | None]
    reference: Mapped[str | None]
    usable: Mapped[bool]
    why_not: Mapped[str]
    values: Mapped[dict[str, Any]]
    emails: Mapped[list[str]] = mapped_column(ARRAY(Text))
    name_key: Mapped[str]
    vat_key: Mapped[str]
    registration_key: Mapped[str]
    postcode_key: Mapped[str]
    number_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    email_keys: Mapped[list[str]] = mapped_column(ARRAY(Text))
    phone_keys: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
