"""All schedules by name."""

from faults.schedules import logs, owners, stores
from faults.schedules.mixed import CALM, MIXED
from faults.schedules.schedule import Schedule

SCHEDULES: dict[str, Schedule] = {
    each.name: each for each in (CALM, MIXED, *stores.SCHEDULES, *owners.SCHEDULES, *logs.SCHEDULES)
}
