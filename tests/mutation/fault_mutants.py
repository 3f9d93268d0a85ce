"""Planted bugs in decisions, agents, labels, and what is remembered of the log; and all of them."""

from tests.mutation.planted import AGENTS, DECIDING, LOG, ONLINE, Planted
from tests.mutation.projection_bugs import PROJECTION_BUGS

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
        ("mixed", "calm"),
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
        ("mixed", "calm"),
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
        ("mixed",),
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
        ("mixed",),
    ),
    Planted(
        "what is undecided at a start stays so",
        f"{AGENTS}/scoring_agent.py",
        "            if known.partition in partitions:\n",
        "            if False:\n",
        ("mixed",),
    ),
    Planted(
        "a void decision raises an alert",
        f"{AGENTS}/scoring_agent.py",
        "(known.partition, known.scored_offset) != (partition, offset)",
        "False",
        ("mixed", "calm"),
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
        ("mixed",),
    ),
    Planted(
        "the position passes an open alert",
        f"{AGENTS}/alert_webhook.py",
        "min([self._next[partition], *open_offsets])",
        "self._next[partition]",
        ("mixed",),
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
    *PROJECTION_BUGS,
)
