"""How many rows the two large tables hold, without counting them: kept by triggers, exact at every moment."""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Identity, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of

COUNTED: Final = ("contact", "link", "excluded")


class RowTally(Base):
    """
    A change of a count, as a row that is only ever added; the sum is the count.

    `contact` are all contacts, `link` all links of a system, `excluded` those of its links that are excluded. The
    other links that are not synced are few and counted from their partial index; what is left is synced. So the
    summary of five million links costs as much as that of a thousand. Triggers on `contact` and `link` add the rows,
    in the transaction that they count; a row that is only added takes no lock that anybody waits for. The scheduler
    folds old rows into one.
    """

    __tablename__ = "row_tally"
    __table_args__ = (CheckConstraint(one_of("counted", COUNTED), name="counted"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    counted: Mapped[str]
    system: Mapped[str] = mapped_column(server_default=text("''"))
    rows: Mapped[int]
