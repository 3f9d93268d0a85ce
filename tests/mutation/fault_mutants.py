"""Planted bugs in what must hold under faults, each of which `retrace simulate-faults` is to find.

Each takes the place of a text that is in its file. `schedules` are those that show it soonest.
"""

from typing import NamedTuple

DECIDING, AGENTS = "commands/transactions", "commands/agents"
LOG, ONLINE, OFFLINE = "eventlog", "projections/online", "projections/offline"
FAUST = "projections/faust"
_USUAL = ("mixed", "leader-away")


class Planted(NamedTuple):
    name: str
    file: str
    before: str
    after: str
    schedules: tuple[str, ...] = _USUAL


PLANTED = (
    # Decisions
    Planted(
        "it answers what it decided, whatever counts",
        f"{DECIDING}/decide.py",
        "    return await context.ledger.decision(submission.subject, known)\n",
        "    return scored\n",
    ),
    Planted(
        "it answers before the submission is acknowledged",
        f"{DECIDING}/decide.py",
        "*([acknowledged] if acknowledged else [])",
        "",
    ),
    Planted(
        "other content gets the recorded decision",
        f"{DECIDING}/decide.py",
        "    check_same_content(submission, known)\n",
        "",
        ("mixed", "calm"),
    ),
    Planted(
        "an id that is known is decided again",
        f"{DECIDING}/score.py",
        "        if known.scored_offset is not None:\n",
        "        if False:\n",
        ("mixed", "calm", "power-loss"),
    ),
    Planted(
        "a receipt is given before the append",
        f"{DECIDING}/submit.py",
        "        position = await append_submission(submission, context)\n"
        "        await context.ledger.passed(position.partition, position.offset)\n",
        "        append_submission(submission, context)\n"
        "        return Receipt(submission.subject, False)\n",
    ),
    # The log, and what is remembered of it
    Planted(
        "the last decision counts",
        f"{LOG}/admission/first_wins.py",
        "return known.scored_offset is None or known.scored_offset == offset",
        "return True",
        ("mixed", "calm", "power-loss"),
    ),
    Planted(
        "a decision of other content counts",
        f"{LOG}/admission/first_wins.py",
        " or known.digest != digest",
        "",
        ("mixed", "calm"),
    ),
    Planted(
        "an id is free again at once",
        f"{LOG}/admission/first_wins.py",
        "envelope.known_time - known.known_time > HORIZON_US",
        "envelope.known_time > known.known_time",
        ("mixed", "power-loss"),
    ),
    Planted(
        "waiting ends one record early",
        f"{LOG}/ledger/waiting.py",
        "waiting[0][0] < self._ends[partition]",
        "waiting[0][0] <= self._ends[partition]",
    ),
    Planted(
        "a barrier takes the ends that others asked for",
        f"{LOG}/ledger/ledger.py",
        "        if self._next is None or self._next.done():\n"
        "            self._next = asyncio.ensure_future(self._follow(self._running, log))\n"
        "        return await asyncio.shield(self._next)\n",
        "        return await asyncio.shield(self._running)\n",
        ("calm", "mixed"),
    ),
    Planted(
        "a ledger begins where the log ends",
        f"{LOG}/ledger/ledger.py",
        "max(min(at, covered.get(partition, at)), at - _REACH)",
        "at",
        ("mixed", "features-stopped"),
    ),
    # Features as they are read
    Planted(
        "the tail may begin anywhere",
        f"{ONLINE}/reader.py",
        "joins = [start <= covered[source] + 1 for source, start in enumerate(starts)]",
        "joins = [True for _ in starts]",
        ("features-stopped", "mixed"),
    ),
    Planted(
        "no tail is folded",
        f"{ONLINE}/reader.py",
        "        if joins[source] and covered[source] < offset < ends[source]:\n",
        "        if False:\n",
        ("calm", "mixed"),
    ),
    Planted(
        "the tail is said to reach further than it was folded",
        f"{ONLINE}/reader.py",
        "covered[source] = max(covered[source], end - 1)",
        "covered[source] = max(covered[source], end)",
        ("calm", "mixed"),
    ),
    # Agents
    Planted(
        "an agent moves on before it decides",
        f"{AGENTS}/scoring_agent.py",
        "        await asyncio.gather(*alerts, *(self._decide_now(each, batch.partition) "
        "for each in now))\n        self._positions.commit({batch.partition: batch.next})\n",
        "        self._positions.commit({batch.partition: batch.next})\n"
        "        await asyncio.gather(*alerts, *(self._decide_now(each, batch.partition) "
        "for each in now))\n",
        ("mixed", "agents-come-and-go"),
    ),
    Planted(
        "what is undecided at a start stays so",
        f"{AGENTS}/scoring_agent.py",
        "            if known.partition in partitions:\n",
        "            if False:\n",
        ("mixed", "power-loss"),
    ),
    Planted(
        "a void decision raises an alert",
        f"{AGENTS}/scoring_agent.py",
        "(known.partition, known.scored_offset) != (partition, offset)",
        "False",
        ("mixed", "power-loss", "calm"),
    ),
    Planted(
        "alerts are sent without waiting",
        f"{AGENTS}/scoring_agent.py",
        "        await asyncio.gather(*alerts, *(self",
        "        await asyncio.gather(*(self",
        ("calm", "mixed"),
    ),
    Planted(
        "an alert is posted and its delivery not recorded",
        f"{AGENTS}/alert_webhook.py",
        "        await appending(self._log.append, ALERTS, raised.subject, delivered)\n",
        "",
        ("calm",),
    ),
    Planted(
        "an alert that was not taken is forgotten",
        f"{AGENTS}/alert_webhook.py",
        "retry=retry_if_result(not_)",
        "retry=retry_if_result(lambda _: False)",
        ("agents-come-and-go", "mixed"),
    ),
    Planted(
        "the position passes an open alert",
        f"{AGENTS}/alert_webhook.py",
        "min([self._next[partition], *open_offsets])",
        "self._next[partition]",
        ("mixed", "agents-come-and-go"),
    ),
    Planted(
        "an inbox record is passed before it is submitted",
        f"{AGENTS}/inbox.py",
        '            await asyncio.gather(*(self._take(batch, at, value or b"") '
        "for at, _, value in some))\n",
        "            for at, _, value in some:\n"
        '                asyncio.ensure_future(self._take(batch, at, value or b""))\n',
    ),
    Planted(
        "an inbox record is set aside when the log is away",
        f"{AGENTS}/inbox.py",
        "        except UnavailableError:\n            raise\n        except RetraceError",
        "        except RetraceError",
    ),
    # Projections
    Planted(
        "records below the first of a jump are skipped",
        f"{FAUST}/worker.py",
        "        if batch.first > expected and",
        "        if False and",
    ),
    Planted(
        "the position passes a batch that failed",
        f"{FAUST}/projection_handler.py",
        "        if batch.next > start:\n",
        "        if False:\n",
        ("calm",),
    ),
    Planted(
        "a reader knows no first record",
        f"{FAUST}/admission.py",
        'return "counts" if counts else "void"',
        'return "counts"',
        ("calm", "mixed", "power-loss"),
    ),
    Planted(
        "a record that cannot be read is passed over",
        f"{FAUST}/admission.py",
        "            await self.dead_letter(position, value, reason)\n",
        "            pass\n",
        ("mixed",),
    ),
    # Online states
    Planted(
        "markers move before their states are stored",
        f"{ONLINE}/writer.py",
        "            self._states.save(states, moves)\n",
        "            self._states.save((), moves)\n            self._states.save(states)\n",
        ("between-states-and-marker", "mixed"),
    ),
    Planted(
        "a gap is taken for none",
        f"{LOG}/routing.py",
        "self.last > covered and self.first <= covered + 1",
        "self.last > covered",
        ("markers-lost", "redis-a-second-back"),
    ),
    Planted(
        "a writer that was refused goes on",
        f"{ONLINE}/writer.py",
        "        if _now() - self._refused_at >= pause:\n            self._again()\n",
        "        self._refused = None\n",
        ("redis-a-second-back", "old-owner-writes"),
    ),
    Planted(
        "a writer that was refused stays so",
        f"{ONLINE}/writer.py",
        "        if _now() - self._refused_at >= pause:\n            self._again()\n",
        "        await asyncio.sleep(1.0)\n",
        ("redis-a-second-back", "old-owner-writes"),
    ),
    Planted(
        "a writer reads no states back",
        f"{ONLINE}/writer.py",
        "            self._held.clear()\n            self._unsaved.clear()\n"
        "            self._refused = None\n",
        "            self._refused = None\n",
        ("redis-a-second-back", "old-owner-writes"),
    ),
    Planted(
        "a state that knew an event is not written",
        f"{ONLINE}/writer.py",
        "            self._held[key].fold(*entry)\n"
        "            # Also one that knew it before: the store may have lost what it was read "
        "from.\n            self._unsaved[key] = None\n",
        "            if self._held[key].fold(*entry):\n                self._unsaved[key] = None\n",
        ("redis-a-second-back", "mixed"),
    ),
    Planted(
        "a lost marker goes on at the end",
        f"{ONLINE}/router.py",
        "                if marker.covers(source) < awaited.last:\n",
        "                if False:\n",
        ("markers-lost", "redis-a-second-back"),
    ),
    Planted(
        "what could not be sent counts as sent",
        f"{ONLINE}/router.py",
        "            sent[:] = before\n            raise\n",
        "            raise\n",
        ("leader-away", "mixed"),
    ),
    Planted(
        "a router forgets what it could not send",
        f"{ONLINE}/router.py",
        "            sent[:] = before\n            raise\n",
        "            pass\n",
        ("leader-away", "mixed"),
    ),
    # Vectors offline
    Planted(
        "offline vectors wait for nobody",
        f"{OFFLINE}/merge.py",
        "        return all(\n            (source.frontier, partition) >= place",
        "        return any(\n            (source.frontier, partition) >= place",
        ("mixed", "calm"),
    ),
    Planted(
        "stragglers change nothing",
        f"{OFFLINE}/stragglers.py",
        "            self._note(place, entry.arrived)\n",
        "            pass\n",
        ("import-beside-traffic",),
    ),
    Planted(
        "positions pass a straggler",
        f"{OFFLINE}/stragglers.py",
        "return self._since is not None or self._running is not None",
        "return False",
        ("import-beside-traffic", "mixed"),
    ),
    Planted(
        "vectors anew end too soon",
        f"{OFFLINE}/remaking.py",
        "span.since <= place <= span.upto",
        "span.since <= place < span.upto",
        ("import-beside-traffic",),
    ),
    Planted(
        "a label that is overruled counts in vectors",
        f"{OFFLINE}/merge.py",
        "return replace(entry, overruled=True) if overruled else entry",
        "return entry",
        ("labels-cross",),
    ),
    Planted(
        "rows of a write whose answer was lost are dropped",
        f"{OFFLINE}/worker.py",
        "            await asyncio.to_thread(self._ports.store.write, self._writing)\n"
        "        self._writing = None\n",
        "            writing, self._writing = self._writing, None\n"
        "            await asyncio.to_thread(self._ports.store.write, writing)\n",
        ("mixed", "store-away-at-a-rebalance"),
    ),
    # Assignment
    Planted(
        "an older assignment takes effect after a newer one",
        f"{FAUST}/worker.py",
        "        if epoch != self._epoch:\n",
        "        if False:\n",
        ("old-owner-writes", "mixed", "store-away-at-a-rebalance"),
    ),
    # Labels
    Planted(
        "a label is acknowledged before it is stored",
        "commands/labels/label.py",
        "    position = await context.log.append(TRANSACTIONS, command.transaction_id, "
        "envelope)\n    await context.ledger.passed(position.partition, position.offset)\n"
        "    # Another process may have recorded it meanwhile.\n",
        "    context.log.append(TRANSACTIONS, command.transaction_id, envelope)\n"
        "    return LabelReceipt(envelope.id, duplicate=False)\n",
    ),
)
