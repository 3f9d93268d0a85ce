"""Evidence of a simulated installation, and whether it has come to rest."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from commands.intake.payload import parse_payload
from domain.errors import RetraceError, UndecodableError
from domain.events import AlertDelivered, AlertRaised
from domain.times import DAY, SECOND
from eventlog.codec import decode
from eventlog.index.blocks import blocks
from eventlog.index.entries import offset_of
from eventlog.port import Recorded
from eventlog.topics import ALERTS, DEAD_LETTERS, ENTITIES, INBOX_TRANSACTIONS, TRANSACTIONS, Topic
from faults.audit.evidence import (
    Evidence,
    IndexEvidence,
    MemoryEvidence,
    Place,
    ProjectionEvidence,
    VectorRow,
)
from faults.clients.client import Client
from faults.installation.deciding import DEAD_LETTER_KEY, cleaner
from faults.installation.installation import Installation
from faults.loop.clock import wall_clock
from faults.servers.postgres import Positions
from projections.online.port import Marker, Markers
from projections.ports import Counts

# How memories of ids end that follow TRANSACTIONS.
_IDS = "-ids"
_FOLLOWING = {"transactions": TRANSACTIONS, "alerts": ALERTS}


def evidence_of(installation: Installation, client: Client) -> Evidence:
    """What stores and clients hold at this moment."""
    servers = installation.servers
    holds, inbox = servers.redis.holds, _records(installation, INBOX_TRANSACTIONS)
    return Evidence(
        now=wall_clock(servers.loop)(),
        transactions=_records(installation, TRANSACTIONS),
        alerts=_records(installation, ALERTS),
        dead_letters=_records(installation, DEAD_LETTERS)[0],
        inbox=inbox,
        inbox_digests=_digests(inbox, wall_clock(servers.loop)()),
        answers=client.answers,
        posts=servers.receiver.posts,
        states=dict(holds.states),
        markers=Markers(dict(holds.markers), frozenset(holds.flagged), holds.made),
        vectors={
            name: VectorRow(known=row.known, values=row.values)
            for name, row in servers.postgres.vectors.items()
        },
        read_models={
            "transactions": _projection(installation, "transactions", TRANSACTIONS),
            # Its rows have keys: an alert raised again is counted, and changes nothing.
            "alerts": replace(
                _projection(installation, "alerts", ALERTS), counts=None, statuses={}
            ),
            "features": _features(installation),
            "offline": _offline(installation),
        },
        memories=_memories(installation),
        indexes=[
            found
            for host in installation.hosts.values()
            for name, parts in sorted(host.disk.indexes.items())
            for partition, file in sorted(parts.items())
            if (found := index_evidence(name, partition, memoryview(file.data)))
        ],
        dead_letter_key=DEAD_LETTER_KEY,
        repeats=30 * SECOND,
    )


def _digests(inbox: Sequence[Sequence[Recorded]], now: int) -> dict[Place, str]:
    found = {}
    for records in inbox:
        for recorded in records:
            place = recorded.position
            with suppress(RetraceError):
                payload, _ = parse_payload(recorded.value)
                cleaned = cleaner().clean(payload, now)
                found[place.partition, place.offset] = cleaner().digest(cleaned)
    return found


def unrest(installation: Installation) -> list[str]:
    """What has not come to the end of what it reads; empty at rest."""
    servers = installation.servers
    found = installation.busy()
    ends = [partition.end for partition in servers.cluster.partitions(TRANSACTIONS)]
    for shard in range(ENTITIES.partitions):
        marker = servers.redis.holds.markers.get(shard, Marker())
        behind = [p for p, end in enumerate(ends) if marker.covers(p) + 1 < end]
        if behind:
            found.append(f"shard {shard} lacks records of partitions {behind}")
    found += [f"shard {shard} is being rebuilt" for shard in sorted(servers.redis.holds.flagged)]
    if waiting := _undelivered(installation):
        found.append(f"{len(waiting)} alerts are not delivered, {min(waiting)} is one of them")
    offline = [servers.postgres.offline_next(p) for p in range(TRANSACTIONS.partitions)]
    followed = [("offline", TRANSACTIONS, offline)]
    for name, topic in _FOLLOWING.items():
        held = servers.postgres.projections.get(name, Positions())
        followed.append((name, topic, [held.next[p] for p in range(topic.partitions)]))
    for name, topic, reached in followed:
        wanted = [partition.end for partition in servers.cluster.partitions(topic)]
        if reached != wanted:
            found.append(f"{name} is at {reached} of {wanted}")
    return found


def _undelivered(installation: Installation) -> set[str]:
    """Alerts that were raised and are not delivered yet."""
    now = wall_clock(installation.servers.loop)()
    raised, delivered = set(), set()
    for records in _records(installation, ALERTS):
        for record in records:
            try:
                envelope = decode(record.value)
            except UndecodableError:
                continue
            data = envelope.data
            if isinstance(data, AlertRaised) and now - envelope.known_time < DAY:
                raised.add(data.alert_id)
            elif isinstance(data, AlertDelivered):
                delivered.add(data.alert_id)
    return raised - delivered


def _records(installation: Installation, topic: Topic) -> list[list[Recorded]]:
    partitions = installation.servers.cluster.partitions(topic)
    return [list(partition.records) for partition in partitions]


def _projection(installation: Installation, name: str, topic: Topic) -> ProjectionEvidence:
    held = installation.servers.postgres.projections.get(name, Positions())
    counts = {p: Counts() for p in range(topic.partitions)}
    for (partition, _), status in held.statuses.items():
        counted = counts[partition]
        counted.projected += status == "counts"
        counted.void += status == "void"
        counted.dead += status == "dead"
    positions = {p: held.next[p] for p in range(topic.partitions)}
    return ProjectionEvidence(
        reader="readmodels", topic=topic.name, positions=positions, counts=counts,
        statuses=dict(held.statuses),
    )  # fmt: skip


def _features(installation: Installation) -> ProjectionEvidence:
    """Markers keep no status of a record."""
    holds, partitions = installation.servers.redis.holds, TRANSACTIONS.partitions
    covered = Markers(holds.markers, frozenset()).covered(partitions, ENTITIES.partitions)
    positions = {p: at + 1 for p, at in covered.items()}
    return ProjectionEvidence(reader="features", topic=TRANSACTIONS.name, positions=positions)


def _offline(installation: Installation) -> ProjectionEvidence:
    postgres = installation.servers.postgres
    held = postgres.offline.progress
    return ProjectionEvidence(
        reader="offline",
        topic=TRANSACTIONS.name,
        positions={p: postgres.offline_next(p) for p in range(TRANSACTIONS.partitions)},
        counts={p: Counts(each.projected, each.void, each.dead) for p, each in held.items()},
    )


def index_evidence(name: str, partition: int, data: memoryview) -> IndexEvidence | None:
    """None of a file that holds nothing."""
    held = list(blocks(data))
    if not held:
        return None
    places = {
        offset_of(entry): named
        for block in held
        for named, entry in zip(*(part.tolist() for part in block.entries), strict=True)
    }
    return IndexEvidence(
        name=name, partition=partition, position=held[-1].reached.next, places=places
    )


def _memories(installation: Installation) -> list[MemoryEvidence]:
    return [
        MemoryEvidence(
            name=name,
            positions=dict(file.positions),
            known=dict(file.ids),
            labels={name: places[-1] for name, places in file.labels.items()},
        )
        for host in installation.hosts.values()
        for name, file in sorted(host.disk.files.items())
        if name.endswith(_IDS)
    ]
