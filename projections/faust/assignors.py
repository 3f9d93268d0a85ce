"""Assignor that gives every partition to one member of the group; the others stand by."""

from typing import Any

from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor


class SoleOwnerAssignor(RoundRobinPartitionAssignor):  # type: ignore[misc]
    """For work that must see all partitions at once. The member with the least id owns them."""

    name = "sole-owner"

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> Any:
        owner = min(members)
        assigned = super().assign(cluster, {owner: members[owner]})
        nothing = super().assign(_NoTopics(), {member: members[member] for member in members})
        return {**nothing, **assigned}


class _NoTopics:
    """A cluster in which no topic has partitions."""

    @staticmethod
    def partitions_for_topic(_topic: str) -> set[int]:
        return set()
