"""`retrace demo` on a running stack: history, training, live traffic, and its closing account."""

import json

from tests.e2e.stack import RunningStack


def test_the_demo_ends_with_nothing_lost_or_doubled(stack: RunningStack) -> None:
    done = stack.retrace("demo", "--days", "15", "--seconds", "5", "--json", check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads(done.stdout)
    assert (figures["lost"], figures["doubled"]) == (0, 0)
    assert figures["decisions"] > 0
    assert figures["history_transactions"] > 0
    named = {"alerts", "p50_ms", "p99_ms", "freshness_p99_ms", "recall", "precision", "model_id"}
    assert named <= set(figures)
