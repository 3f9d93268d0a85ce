"""Planted bugs in decisions, agents, labels, and what is remembered of the log; and all of them."""

from tests.mutation.index_bugs import INDEX_BUGS
from tests.mutation.planted import AGENTS, DECIDING, LOG, ONLINE, Planted
from tests.mutation.projection_bugs import PROJECTION_BUGS

_SHARES = ("agents-share",)

PLANTED = (
    # Decisions
    Planted(
        "it answers what it decided, whatever counts",
        f"{DECIDING}/decide.py",
        "    return await _recorded_decision(submission.subject, known, context)\n",
        "    return scored\n",
    ),
    Planted(
        "it answers before its tail has read the decision",
        f"{DECIDING}/decide.py",
        "    await context.ledger.passed(position.partition, position.offset)\n    known = "
        "await context",
        "    known = await context",
    ),
    Planted(
        "recent events are not folded",
        f"{ONLINE}/reader.py",
        "[recent.rows for _, recent in found]",
        "[() for _ in found]",
        ("thick-traffic", "calm"),
    ),
    Planted(
        "what cannot be told is answered at once",
        f"{ONLINE}/telling.py",
        "(left := self._left()) > 0",
        "(left := 0.0) > 0",
        ("host-cut-off-from-redis",),
    ),
    Planted(
        "a process vouches for what another of its tasks has yet to push",
        f"{ONLINE}/telling.py",
        "now if missing or self._owed else lapses",
        "now if missing or self._untold else lapses",
        ("host-cut-off-from-redis",),
    ),
    Planted(
        "a process vouches for the one before it",
        f"{ONLINE}/telling.py",
        "                self._miss(at, end - 1)\n",
        "                pass\n",
        ("host-cut-off-from-redis",),
    ),
    Planted(
        "a silent process is not heeded",
        f"{ONLINE}/reader.py",
        "        if read.silent or self._states",
        "        if self._states",
        ("host-cut-off-from-redis",),
    ),
    Planted(
        "a server that comes back is taken at its word",
        f"{ONLINE}/reader.py",
        "read.silent or self._states.connection != self._connection",
        "read.silent",
    ),
    Planted(
        "other content gets the recorded decision",
        f"{DECIDING}/decide.py",
        "    check_same_content(submission, known)\n",
        "",
        ("mixed", "calm"),
    ),
    Planted(
        "a receipt is given before the append",
        f"{DECIDING}/submit.py",
        "        position = await context.ledger.append(submission)\n"
        "        await context.ledger.passed(position.partition, position.offset)\n",
        "        context.ledger.append(submission)\n"
        "        return Receipt(submission.subject, False)\n",
    ),
    Planted(
        "a decision is answered and no other process is told",
        f"{DECIDING}/decide.py",
        "    await context.features.answered(known.partition, known.scored_offset, decision)\n",
        "",
        ("thick-traffic", "calm"),
    ),
    # The log, and what is remembered of it
    Planted(
        "what others wrote before us is passed over",
        f"{LOG}/ledger/ledger.py",
        "if place.offset != self._waiters.end(place.partition)",
        "if place.offset < self._waiters.end(place.partition)",
        ("mixed", "calm"),
    ),
    Planted(
        "a partition that becomes ours is read from the second record on",
        f"{LOG}/ledger/following.py",
        "{partition: self._waiters.end(partition) for partition in readable}",
        "{partition: self._waiters.end(partition) + 1 for partition in readable}",
        ("apis-come-and-go", "mixed"),
    ),
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
        "a decision that is void is kept for answers",
        f"{LOG}/ledger/ledger.py",
        "            self.void += 1\n            return False\n",
        "            self.void += 1\n            if isinstance(envelope.data, TransactionScored):\n"
        "                self._records.keep(envelope)\n            return False\n",
        ("mixed", "thick-traffic"),
    ),
    Planted(
        "a process looks only once whether its log is still the same",
        f"{LOG}/binding/bound.py",
        "        await asyncio.sleep(WATCH_SECONDS)\n",
        "        await asyncio.sleep(WATCH_SECONDS * 1e6)\n",
        ("kafka-recreated",),
    ),
    Planted(
        "a log that was made anew is bound like the first",
        f"{LOG}/binding/bound.py",
        "        if before not in (None, now):\n",
        "        if False:\n",
        ("kafka-recreated",),
    ),
    # Features as they are read
    # Agents
    Planted(
        "an agent moves on before it decides",
        f"{AGENTS}/scoring_agent.py",
        "        await asyncio.gather(*(each for one in found for each in self._work(*one)))\n"
        "        self._positions.commit({batch.partition: batch.next for batch in batches})\n",
        "        self._positions.commit({batch.partition: batch.next for batch in batches})\n"
        "        await asyncio.gather(*(each for one in found for each in self._work(*one)))\n",
        ("agents-die", "outages-with-kills"),
    ),
    Planted(
        "what is undecided at a start stays so",
        f"{AGENTS}/scoring_agent.py",
        "        for transaction_id, known in (await self._ledger.undecided(starts)).items():\n",
        "        for transaction_id, known in ():\n",
        ("deciders-die",),
    ),
    Planted(
        "a void decision raises an alert",
        f"{AGENTS}/scoring_agent.py",
        "return self._alerts(subject, value) if known.scored_offset == place.offset else []",
        "return self._alerts(subject, value)",
        ("thick-traffic", "mixed"),
    ),
    Planted(
        "alerts are sent without waiting",
        f"{AGENTS}/scoring_agent.py",
        "        return [self._log.append(ALERTS, alert.subject, alert)] if alert else []\n",
        "        if alert:\n            self._log.append(ALERTS, alert.subject, alert)\n"
        "        return []\n",
        ("agents-die", "outages-with-kills"),
    ),
    Planted(
        "an alert is posted and its delivery not recorded",
        f"{AGENTS}/alert_delivery.py",
        "            await asyncio.gather(*(self._surely(fact.subject, fact) for fact in part))\n",
        "            assert part\n",
        ("calm",),
    ),
    Planted(
        "an alert that was not taken is forgotten",
        "commands/alerts/lane.py",
        "            parcel.task = None\n",
        "            self._forget(parcel)\n",
        ("agents-die", "outages-with-kills"),
    ),
    Planted(
        "the position passes an open alert",
        f"{AGENTS}/alert_delivery.py",
        "min([self._next[partition], *open_offsets])",
        "self._next[partition]",
        ("agents-die", "outages-with-kills"),
    ),
    Planted(
        "a new owner posts alerts before it has read which were delivered",
        f"{AGENTS}/alert_delivery.py",
        "        if batch.next >= self._there[batch.partition]:\n            self._caught_up",
        "        if True:\n            self._caught_up",
        ("agents-come-and-go", "agents-die"),
    ),
    Planted(
        "an inbox record is passed before it is submitted",
        f"{AGENTS}/inbox.py",
        "            await asyncio.gather(*(self._take(*each) "
        "for each in records[start : start + _AT_ONCE]))\n",
        "            for each in records[start : start + _AT_ONCE]:\n"
        "                asyncio.ensure_future(self._take(*each))\n",
        ("agents-die", "outages-with-kills"),
    ),
    Planted(
        "an inbox record is set aside when the log is away",
        f"{AGENTS}/inbox.py",
        "        except UnavailableError:\n            raise\n        except RetraceError",
        "        except RetraceError",
        ("agents-die", "leader-away", "outages-with-kills"),
    ),
    # Shares of agents
    Planted(
        "an inbox record that names no id is nobody's",
        f"{AGENTS}/inbox.py",
        ' or f"{batch.partition}/{offset}"\n',
        "\n        if named is None:\n            return False\n",
        _SHARES,
    ),
    Planted(
        "the inbox is taken by the share of before",
        f"{AGENTS}/deciding.py",
        "        TRANSACTIONS: agent,\n"
        '        INBOX_TRANSACTIONS: _inbox_agent(context, memories("inbox"), key, unwrap),\n',
        '        INBOX_TRANSACTIONS: _inbox_agent(context, memories("inbox"), key, unwrap),\n'
        "        TRANSACTIONS: agent,\n",
        _SHARES,
    ),
    Planted(
        "a label of another's partition is taken for recorded",
        f"{AGENTS}/label_retry.py",
        "        except NotOwnedError:\n            return False\n",
        "        except NotOwnedError:\n"
        "            self._parked.remove(self._parked.of(transaction_id))\n"
        "            return False\n",
        _SHARES,
    ),
    # Labels
    Planted(
        "a label is acknowledged before it is stored",
        "commands/labels/label.py",
        "    position = await context.ledger.append(envelope)\n"
        "    await context.ledger.passed(position.partition, position.offset)\n",
        "    context.ledger.append(envelope)\n"
        "    return LabelReceipt(envelope.id, duplicate=False)\n",
        ("apis-and-read-models-die", "leader-away", "outages-with-kills"),
    ),
    Planted(
        "a label takes the keys of an earlier use of its transaction's id",
        "commands/labels/label.py",
        "    known = await context.ledger.recalled(command.transaction_id, now)\n",
        "    known = await context.ledger.recalled(command.transaction_id)\n",
        ("id-used-again",),
    ),
    *INDEX_BUGS,
    *PROJECTION_BUGS,
)
