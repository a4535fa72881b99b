"""What must change in one system: creates, updates, what is read for them, and what stands afterwards."""

from __future__ import annotations

from worker.core.mapping import FieldRow, Ours, VendorMapping
from worker.core.planning import Nothing, Snapshot, not_accepted, plan_update

PHONE = FieldRow("phone", "tel", "phone", required=True, missing="placeholder:-")
TABLE = VendorMapping("sandbox", "1", (PHONE,), inward=lambda fields: fields)
STAND_IN = Ours({"tel": "-"}, placeholders=("tel",))


# ------------------------------------------------------------------------------------------------------- stand-ins
def test_a_restore_leaves_a_persons_real_value_where_ours_is_only_a_stand_in() -> None:
    base = Snapshot({"tel": "-"}, {"tel": "-"}, placeholders=("tel",))

    plan = plan_update(TABLE, STAND_IN, TABLE.owners({}), base, {"tel": "+32 9 000 00 01"}, restore=True)

    assert isinstance(plan, Nothing)
    assert [(one.action, one.rule) for one in plan.decisions] == [("settle", "theirs stands: ours is only a stand-in")]


def test_a_stand_in_that_gave_way_is_not_listed_as_not_accepted() -> None:
    snapshot = Snapshot({"tel": "-"}, {"tel": "+32 9 000 00 01"}, placeholders=("tel",))

    assert not_accepted(TABLE, snapshot) == {}
    assert not_accepted(TABLE, Snapshot({"tel": "+32 9 000 00 02"}, {"tel": "-"})) == {"tel": ("+32 9 000 00 02", "-")}
