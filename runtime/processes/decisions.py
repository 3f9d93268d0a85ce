"""`decisions` worker: inbox, scoring agent, label retry and delivery of alerts."""

from commands.agents.deciding import deciding_agents
from commands.agents.parked_labels import ParkedLabels
from eventlog.admission.sqlite_memory import SqliteMemory
from projections.ports import Workload
from runtime.composition.alerts.delivery import alert_delivery
from runtime.composition.deciding.context import open_context
from runtime.processes.workload import Tools


def decisions(tools: Tools) -> Workload:
    """Raises LogUnavailableError where Kafka does not answer."""
    settings = tools.settings
    tools.log.connect()  # before the first decision waits for it
    context = tools.closing.enter_context(open_context(settings, tools.name, tools.log))

    def positions(name: str) -> SqliteMemory:
        memory = SqliteMemory(tools.worker.ledgers / f"{tools.name}-{name}.sqlite")
        tools.closing.callback(memory.close)
        return memory

    parked = ParkedLabels(tools.worker.ledgers / f"{tools.name}-parked-labels.sqlite")
    tools.closing.callback(parked.close)
    delivery = alert_delivery(settings, lambda: context.policy().snapshot)
    agents = deciding_agents(
        *(context, positions, parked, settings.dead_letter_key, delivery, tools.progress.alive),
        unwrap=settings.inbox_unwrap,
    )
    return Workload(agents.handlers, agents.beside)
