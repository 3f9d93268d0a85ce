"""Files made from Python: rules of the objectives, dashboards, the PrometheusRule of Kubernetes.

    python deploy/observability/generate.py [--check]

With --check nothing is written, and the exit status is 1 where a file is another.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

from dashboards import DASHBOARDS
from panels import to_json
from slo import groups

HERE = Path(__file__).resolve().parent
_MADE = "# Made by deploy/observability/generate.py\n"


def files() -> dict[Path, str]:
    alerts = yaml.safe_load((HERE / "rules" / "alerts.yaml").read_text())["groups"]
    made = {HERE / "rules" / "slo.yaml": _MADE + _yaml({"groups": groups()})}
    for each in DASHBOARDS:
        name = f"{each.uid.removeprefix('retrace-')}.json"
        made[HERE / "grafana" / "dashboards" / name] = json.dumps(to_json(each), indent=1) + "\n"
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "retrace", "labels": {"app.kubernetes.io/name": "retrace"}},
        "spec": {"groups": [*groups(), *alerts]},
    }
    made[HERE.parent / "k8s" / "components" / "monitoring" / "prometheus-rule.yaml"] = (
        _MADE + _yaml(rule)
    )
    return made


def _yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100))


def main(check: bool) -> int:
    other = [
        path for path, text in files().items() if not path.exists() or path.read_text() != text
    ]
    for path in other:
        print(f"{path.relative_to(HERE.parents[1])} {'is another' if check else 'written'}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files()[path])
    return 1 if check and other else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv))
