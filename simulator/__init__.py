"""Owns simulated card traffic, its frauds and its labels; sends nothing and decides nothing."""

from simulator.day import Day
from simulator.frauds import FRAUD_KINDS, FraudKind
from simulator.records import LabelKind, SimulatedLabel, SimulatedTransaction
from simulator.settings import SimulationSettings
from simulator.simulation import Simulation
from simulator.submission import label_to_submission, to_submission

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
