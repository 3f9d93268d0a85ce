"""Panels of a Grafana dashboard, and its JSON: rows of the grid, filled from the left."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SOURCE = {"type": "prometheus", "uid": "prometheus"}


@dataclass(frozen=True, slots=True)
class Panel:
    """`queries` are (PromQL, legend); `kind` is a Grafana panel type."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    text: str = ""
    width: int = 8


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str
    title: str
    panels: Sequence[Panel]


def to_json(of: Dashboard) -> dict[str, Any]:
    return {
        "uid": of.uid,
        "title": of.title,
        "tags": ["retrace"],
        "schemaVersion": 41,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "editable": False,
        "panels": _placed(of.panels),
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    placed, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > 24:
            x, y = 0, y + height
        height = 4 if panel.kind == "stat" else 8
        placed.append(
            {
                "id": number,
                "title": panel.title,
                "description": panel.text,
                "type": panel.kind,
                "datasource": _SOURCE,
                "gridPos": {"x": x, "y": y, "w": panel.width, "h": height},
                "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
                "targets": [
                    {
                        "refId": chr(ord("A") + index),
                        "datasource": _SOURCE,
                        "expr": query,
                        "legendFormat": legend,
                    }
                    for index, (query, legend) in enumerate(panel.queries)
                ],
            }
        )
        x += panel.width
    return placed
