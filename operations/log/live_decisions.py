"""Live decisions so far, as a deciding process shows them at /metrics."""

import re

from commands.imports.flow.back_pressure import LiveDecisions

_SAMPLE = re.compile(r"^(retrace_[a-z_]+)\{([^}]*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'([a-z]+)="([^"]*)"')
_REQUESTS = "retrace_http_request_seconds"
_DECISIONS, _FLAGS = "retrace_decisions_total", "retrace_decision_flags_total"
_OLD = frozenset({"stale_features", "features_unavailable"})


def decisions_of(text: str) -> LiveDecisions:
    """`text` is of the Prometheus format; what it lacks counts as nothing."""
    count, worse, within = 0, 0, dict[float, int]()
    for name, inside, number in _SAMPLE.findall(text):
        if not name.startswith((_REQUESTS, _DECISIONS, _FLAGS)):
            continue
        labels, value = dict(_LABEL.findall(inside)), int(float(number))
        if name.startswith(_REQUESTS) and labels.get("route") == "/score":
            if name.endswith("_bucket") and labels["le"] != "+Inf":
                bound = float(labels["le"])
                within[bound] = within.get(bound, 0) + value
            elif name.endswith("_count"):
                count += value
                worse += value if labels["status"].startswith("5") else 0
        elif name == _DECISIONS:
            worse += value if labels["path"] != "full" else 0
        elif name == _FLAGS:
            worse += value if labels["flag"] in _OLD else 0
    return LiveDecisions(count, within, worse)
