"""Simulated card traffic with its frauds and labels, a function of the settings alone."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.day import Day
    from simulator.frauds import FRAUD_KINDS, FraudKind
    from simulator.output.submission import label_to_submission, to_submission
    from simulator.records import LabelKind, SimulatedLabel, SimulatedTransaction
    from simulator.settings import SimulationSettings
    from simulator.simulation import Simulation

__all__ = [
    "FRAUD_KINDS",
    "Day",
    "FraudKind",
    "LabelKind",
    "SimulatedLabel",
    "SimulatedTransaction",
    "Simulation",
    "SimulationSettings",
    "label_to_submission",
    "to_submission",
]

_MODULE_OF = {
    "FRAUD_KINDS": "frauds",
    "Day": "day",
    "FraudKind": "frauds",
    "LabelKind": "records",
    "SimulatedLabel": "records",
    "SimulatedTransaction": "records",
    "Simulation": "simulation",
    "SimulationSettings": "settings",
    "label_to_submission": "output.submission",
    "to_submission": "output.submission",
}


def __getattr__(name: str) -> Any:
    # Late, so that a command line that mounts cli.simulate does not wait for numpy.
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
