"""Planted bugs in projections: states, vectors, assignments."""

from tests.mutation.planted import FAUST, LOG, OFFLINE, ONLINE, Planted

PROJECTION_BUGS = (
    # Projections
    Planted(
        "records below the first of a jump are skipped",
        f"{FAUST}/worker.py",
        "        lost = self._sought[tp][1] <= _FETCHES\n",
        "        lost = False\n",
        ("states-lost", "redis-a-second-back"),
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
        '"counts" if admit(each, partition, offset) else "void"',
        '"counts" if admit(each, partition, offset) else "counts"',
        ("calm", "mixed"),
    ),
    Planted(
        "a record that cannot be read is passed over",
        f"{FAUST}/admission.py",
        "            await self.dead_letter(Position(topic, partition, offset), value, reason)\n",
        "            pass\n",
        ("calm", "mixed"),
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
        ("redis-a-second-back",),
    ),
    Planted(
        "a writer that was refused stays so",
        f"{ONLINE}/writer.py",
        "        if _now() - self._refused_at >= pause:\n            self._again()\n",
        "        await asyncio.sleep(1.0)\n",
        ("redis-a-second-back",),
    ),
    Planted(
        "a writer reads no states back",
        f"{ONLINE}/writer.py",
        "            self._held.clear()\n            self._unsaved.clear()\n",
        "",
        ("redis-a-second-back", "old-owner-writes"),
    ),
    Planted(
        "a read takes a lost state for one that never was",
        f"{ONLINE}/reader.py",
        "0 if gone else 1 + shard for",
        "1 + shard for",
        ("states-lost",),
    ),
    Planted(
        "a writer folds onto a lost state",
        f"{ONLINE}/writer.py",
        "            self._refuse_lost(loaded.lost)\n",
        "",
        ("states-lost",),
    ),
    Planted(
        "a lost state that nobody asks for is not looked for",
        f"{ONLINE}/writer.py",
        "                await self._sweep()\n",
        "",
        ("states-lost",),
    ),
    Planted(
        "a shard that has lost a state goes on from its marker",
        f"{ONLINE}/writer.py",
        "claim, nexts, anew)",
        "claim, nexts)",
        ("states-lost",),
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
        "                self._sent[source][:] = at\n            raise\n",
        "                pass\n            raise\n",
        ("leader-away", "mixed"),
    ),
    Planted(
        "a router forgets what it could not send",
        f"{ONLINE}/router.py",
        "                self._sent[source][:] = at\n            raise\n",
        "                pass\n",
        ("leader-away", "mixed"),
    ),
    # Vectors offline
    Planted(
        "offline vectors wait for nobody",
        f"{OFFLINE}/merge.py",
        "        return all(\n            (source.frontier, partition) >= place",
        "        return any(\n            (source.frontier, partition) >= place",
        ("features-stopped",),
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
        ("import-beside-traffic",),
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
        "    def _check(self, epoch: int) -> None:\n        if epoch != self._epoch:\n",
        "    def _check(self, epoch: int) -> None:\n        if False:\n",
        ("store-away-at-a-rebalance",),
    ),
)
