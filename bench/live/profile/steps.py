"""Steps of the hot route, each named with the functions of the product whose work it is.

They are wrapped in the profiled process alone: a process that is not profiled has nothing of this.
"""

import inspect
from collections.abc import Callable
from typing import Any

import api.routes.scoring
import commands.transactions.decide
import commands.transactions.score
import eventlog.adapters.kafka
from api.serving.gate import Gate
from api.serving.timing import TimingMiddleware
from bench.live.profile.clock import StepClock
from inference.serving.adapters.litert import LiteRtScorer
from inference.serving.explain import Explainer
from projections.online.adapters.serving_states import RedisServingStates
from projections.online.reader import OnlineFeatureReader

ROOT = "respond"
OUTERMOST = (TimingMiddleware, "__call__")

STEPS: dict[str, list[tuple[Any, str]]] = {
    "parse": [(api.routes.scoring, "read_object")],
    "gate": [(Gate, "__aenter__")],
    "clean": [(commands.transactions.score, "prepare_submission")],
    "states": [(RedisServingStates, "read")],
    "finish": [(OnlineFeatureReader, "read")],
    "model": [(LiteRtScorer, "score")],
    "reasons": [(Explainer, "reasons")],
    "decide": [
        (api.routes.scoring, "score_transaction"),
        (commands.transactions.decide, "make_decision"),
    ],
    "encode": [(eventlog.adapters.kafka, "encode")],
    "append": [(commands.transactions.score, "decide_submission")],
    "recents": [(OnlineFeatureReader, "answered")],
    ROOT: [],
}
"""In the order of the route. What a step has within it and another names is that other's:

`gate` is the wait for a free place; `append` are the two appends, the wait for both
acknowledgements and the look at who came first; `finish` folds recents and finishes the features;
`decide` is the lock of the id, the look-up, the policy and the event; `respond` is all else between
the server and the answer.
"""


def install(clock: StepClock) -> Callable[[], None]:
    """Measures the steps of this process from now on; returns the function that ends it."""
    before = [(owner, name, getattr(owner, name)) for owner, name in places()]
    owner, name = OUTERMOST
    setattr(owner, name, clock.root(ROOT, getattr(owner, name)))
    for step, functions in STEPS.items():
        for owner, name in functions:
            work = getattr(owner, name)
            wrap = clock.awaited if inspect.iscoroutinefunction(work) else clock.called
            setattr(owner, name, wrap(step, work))

    def end() -> None:
        for owner, name, work in before:
            setattr(owner, name, work)

    return end


def places() -> list[tuple[Any, str]]:
    """Owner and name of each function that a profile wraps."""
    return [OUTERMOST, *(each for functions in STEPS.values() for each in functions)]
