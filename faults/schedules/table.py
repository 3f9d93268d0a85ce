"""All schedules by name."""

from faults.schedules import archives, logs, mixed, owners, stores
from faults.schedules.schedule import Schedule

SCHEDULES: dict[str, Schedule] = {
    each.name: each
    for each in (
        *(*mixed.SCHEDULES, *stores.SCHEDULES, *owners.SCHEDULES, *logs.SCHEDULES),
        *archives.SCHEDULES,
    )
}
