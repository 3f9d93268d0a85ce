"""Delivery of a backtest's alerts, as text: what each route would have sent, and how late."""

from __future__ import annotations

from typing import Any

from cli.output import print_table
from operations.backtest.reports import told


def print_deliveries(policies: list[dict[str, Any]]) -> None:
    """Of each policy, with the delay of alerts and the busiest minute, hour and day of messages."""
    titles = [each.upper() for each in told.ROUTES]
    for policy in policies:
        print(f"\n{told.delivered(policy)}")
        if rows := list(told.route_rows(policy)):
            print_table(rows, titles, titles[1:])
