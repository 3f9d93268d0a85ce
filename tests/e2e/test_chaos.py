"""Faults of `retrace chaos` on the whole system, with the audit of all its stores."""

from local.chaos.faults import FAULTS
from local.chaos.installation import Installation
from local.chaos.run import Trial
from local.stack.control import LocalStack, Silent
from runtime.settings import SERVER_FIELDS, load_settings, settings_from_environment
from tests.e2e.stack import RunningStack


def test_a_killed_agent_and_an_emptied_redis_lose_double_and_spoil_nothing(
    stack: RunningStack,
) -> None:
    given = {"state_dir": stack.state_dir, **dict.fromkeys(SERVER_FIELDS, "")}
    local = LocalStack(settings_from_environment(**given), Silent())
    trial = Trial(Installation(local, load_settings(**given)), 10.0, None, Silent())
    faults = [FAULTS["kill-worker-decisions"], FAULTS["redis-emptied"]]
    trial.run(faults, lambda _: None)
    assert trial.report.findings == []
    assert [each.fault for each in trial.report.tried] == [fault.name for fault in faults]
    assert trial.report.recovered
    assert trial.report.told > 20
