"""Overdue cases on their way to people, in virtual time."""

import asyncio
from dataclasses import replace

from commands.cases.overdue import raise_overdue
from domain.cases import overdue_id
from domain.events import AlertDelivered, CaseOverdue
from tests.unit.commands.alerts.delivering import ROUTE, World, run


def test_an_overdue_case_goes_to_the_routes_that_ask_for_it() -> None:
    async def main(world: World) -> None:
        world.start()
        other = replace(ROUTE, name="desk", to="slack")
        world.publish(replace(ROUTE, overdue=True, severity="high"), other)
        for priority in (1, 2, 3):
            due = world.clock()
            case = CaseOverdue(
                alert_id=overdue_id(f"case-{priority}", due), case_id=f"case-{priority}",
                due_time=due, priority=priority, alerts=4, base_amount=9, expected_loss=5,
                assignee="mara",
            )  # fmt: skip
            await raise_overdue(world.log, case, "tests", due)
        await asyncio.sleep(3)
        found = {message.facts["case"]: message for _, message in world.desk.taken.values()}
        assert {name: each.severity for name, each in found.items()} == {
            "case-1": "critical",
            "case-2": "high",
        }
        assert found["case-1"].title.endswith("assigned to mara")
        assert found["case-1"].body["type"] == "fraud.case.overdue.v1"
        assert [each.route for each in world.facts(AlertDelivered)] == ["pager", "pager"]

    run(main)
