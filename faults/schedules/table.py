"""All schedules by name."""

from faults.schedules import logs, mixed, owners, stores
from faults.schedules.schedule import Schedule

SCHEDULES: dict[str, Schedule] = {
    each.name: each
    for each in (*mixed.SCHEDULES, *stores.SCHEDULES, *owners.SCHEDULES, *logs.SCHEDULES)
}
