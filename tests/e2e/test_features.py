"""Features verified, exported, rebuilt with a new one, swapped and rolled back under traffic."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
import redis
from numba.core.caching import _CacheLocator

from tests.architecture.tree import packages
from tests.e2e.stack import ROOT, RunningStack

# Traffic is to flow, not to take all there is: the machine builds a generation beside it.
_PAUSE_SECONDS = 0.05

ADDED = """
CATALOGUE = FeatureSet(
    [
        *CATALOGUE.features,
        *counts(Entity.DEVICE, DAYS_7),
    ]
)
"""


def features(
    stack: RunningStack, *arguments: str, code: Path = ROOT, check: bool = True
) -> dict[str, Any]:
    """The JSON that `retrace features ...` prints, run from the code in a folder."""
    command = (sys.executable, "-m", "cli.main", "features", *arguments, "--json")
    variables = {**servers(stack), "PYTHONPATH": str(code)}
    done = stack.run(*command, folder=code, variables=variables)
    assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}
    return {**answer, "status": done.returncode, "stderr": done.stderr}


def servers(stack: RunningStack) -> dict[str, str]:
    """What `retrace env` exports."""
    lines = stack.retrace("env").stdout.splitlines()
    pairs = [line.removeprefix("export ").split("=", 1) for line in lines if "=" in line]
    return {name: value.strip("'\"") for name, value in pairs}


class Traffic:
    """Scores transactions one after the other until told to stop; keeps every answer."""

    def __init__(self, stack: RunningStack, name: str) -> None:
        self._stack, self._name = stack, name
        self._over = Event()
        self.answers: list[dict[str, Any]] = []
        self.failures: list[str] = []

    def run(self) -> None:
        with self._stack.client() as client:
            number = 0
            while not self._over.is_set():
                answer = client.post(
                    "/score",
                    json={
                        "transaction_id": f"{self._name}-{number}",
                        "amount": "12.50",
                        "timestamp": datetime.now(UTC).isoformat(),
                        "customer_id": f"{self._name}-customer-{number % 3}",
                        "merchant_id": f"{self._name}-merchant-{number % 2}",
                        "device_id": f"{self._name}-device",
                    },
                )
                if answer.status_code == 200:
                    self.answers.append(answer.json())
                else:
                    self.failures.append(f"{answer.status_code} {answer.text}")
                number += 1
                self._over.wait(_PAUSE_SECONDS)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        thread = Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


def keep_machine_code(copied: Path) -> None:
    """numba keeps it by the folder of its source; compiling the kernel anew takes half a minute."""
    kernel = Path("domain", "features", "kernel")
    for source in kernel, kernel / "stores":
        before, now = (
            _CacheLocator.get_suitable_cache_subpath(root / source / "run.py")
            for root in (ROOT, copied)
        )
        for cache in (copied / kernel / "__pycache__").glob(f"*/{before}"):
            cache.rename(cache.with_name(now))


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code in which one feature more is declared, as a deployment of it would be."""
    folder = tmp_path_factory.mktemp("newer")
    for package in packages():
        shutil.copytree(ROOT / package, folder / package)
    keep_machine_code(folder)
    catalogue = folder / "domain" / "features" / "declarations" / "catalogue.py"
    catalogue.write_text(catalogue.read_text() + ADDED)
    return folder


@pytest.mark.timeout(900)
def test_a_feature_is_added_swapped_in_and_rolled_back_while_decisions_go_on(
    stack: RunningStack, newer: Path
) -> None:
    before = features(stack, "stats")["generation"]
    traffic = Traffic(stack, "swap")
    with traffic.flowing():
        built = features(stack, "rebuild", "--reason", "one feature more", code=newer)
        assert built["live"]
        assert built["different"] == 0
        assert built["generation"] > before
        seen = len(traffic.answers)
        while (newest := shown(stack, traffic, seen))["feature_set"] != built["feature_set"]:
            assert len(traffic.answers) < seen + 3000, "the new feature never came"
        assert len(newest["features"]) == built["features"]
        back = features(stack, "rollback")
        assert back["generation"] == before
        seen = len(traffic.answers)
        while shown(stack, traffic, seen)["feature_set"] == built["feature_set"]:
            assert len(traffic.answers) < seen + 3000, "the new feature never went"
    assert traffic.failures == []
    # A machine that builds a generation beside them may be late for a decision, and says so.
    paths = {answer["path"] for answer in traffic.answers}
    assert "full" in paths
    assert "fallback" not in paths
    proof = features(stack, "verify", "--sample", "10")
    assert proof["different"] == 0
    assert proof["compared"] > 0
    features(stack, "generations", "--drop", str(built["generation"]))


def shown(stack: RunningStack, traffic: Traffic, since: int) -> dict[str, Any]:
    """The newest decision as the API shows it, once there is one after `since`."""
    with stack.client() as client:
        while len(traffic.answers) <= since:
            assert not traffic.failures
        newest = traffic.answers[-1]["transaction_id"]
        answer: dict[str, Any] = client.get(f"/decisions/{newest}").raise_for_status().json()
        return answer


@pytest.mark.timeout(900)
def test_an_altered_value_is_found_and_named(stack: RunningStack) -> None:
    urls = servers(stack)
    with stack.client() as client:
        for number in range(5):
            client.post(
                "/score",
                json={
                    "transaction_id": f"altered-{number}",
                    "amount": "3.00",
                    "timestamp": datetime.now(UTC).isoformat(),
                    "customer_id": "altered-customer",
                    "merchant_id": "altered-merchant",
                },
            ).raise_for_status()
    assert features(stack, "verify", "--sample", "5")["different"] == 0
    change = (
        "UPDATE feature_vectors SET payer_count_1d = payer_count_1d + {}"
        " WHERE transaction_id = 'altered-3'"
    )
    with psycopg.connect(urls["DATABASE_URL"].replace("+psycopg", ""), autocommit=True) as pg:
        pg.execute(change.format(1))
        found = features(stack, "verify", "--sample", "0", check=False)
        pg.execute(change.format(-1))
    named = {(d["feature"], d["subject"]) for c in found["comparisons"] for d in c["shown"]}
    assert found["status"] == 1
    assert named == {("payer_count_1d", "altered-3")}
    client_of: Any = redis.Redis.from_url(urls["REDIS_URL"])
    (key,) = [
        key
        for key in client_of.scan_iter(match=b"*altered-customer*", count=10_000)
        if b"merchant" not in key and not key.startswith(b"retrace:")
    ]
    whole: dict[bytes, bytes] = client_of.hgetall(key)
    (name,) = [n for n in whole if not n.startswith(b"_")]
    client_of.hset(key, name, whole[name][:-1] + bytes([whole[name][-1] ^ 1]))
    found = features(stack, "verify", "--sample", "0", check=False)
    client_of.hset(key, name, whole[name])
    named = {(d["entity"], d["subject"]) for c in found["comparisons"] for d in c["shown"]}
    assert found["status"] == 1
    assert named == {("payer", "altered-customer")}
    planted = features(stack, "verify", "--sample", "0", "--self-test")
    assert planted["found"]
    assert {where for where, _ in planted["planted"]} == {
        "vectors in PostgreSQL",
        "Feast's historical read",
        "online states",
    }


def test_a_training_set_is_what_feast_gives_by_id(stack: RunningStack, tmp_path: Path) -> None:
    out = tmp_path / "set.parquet"
    made = features(stack, "dataset", "--out", str(out))
    table = pq.read_table(out)
    assert made["transactions"] == len(table) > 0
    columns = [name for name in table.column_names if name not in
               ("transaction_id", "event_timestamp", "known_time", "label")]  # fmt: skip
    script = (
        "import sys; from feast import FeatureStore\n"
        "store = FeatureStore(repo_path='feature_repo')\n"
        "frame = store.get_historical_features(entity_df='SELECT transaction_id, event_timestamp"
        " FROM feature_vectors', features=store.get_feature_service('training')).to_df()\n"
        "frame.to_parquet(sys.argv[1])"
    )
    feasts = tmp_path / "feast.parquet"
    stack.run(sys.executable, "-c", script, str(feasts), check=True, variables=servers(stack))
    mine = table.to_pandas().set_index("transaction_id")[columns]
    theirs = pq.read_table(feasts).to_pandas().set_index("transaction_id")[columns]
    assert theirs.loc[mine.index].equals(mine)
