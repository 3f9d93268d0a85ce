"""Settings of a simulation and their limits."""

from dataclasses import dataclass

from domain.errors import SettingsError
from domain.times import DAY

# 2026-01-01T00:00:00Z: a fixed day, since the simulator reads no clock.
DEFAULT_START_US = 1_767_225_600_000_000


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """Day n is the 24 hours from ``start_us + n`` days; ``start_us`` may be any moment.

    The id prefix touches ids alone: two runs that differ in it are otherwise the same.
    """

    seed: int = 1
    start_us: int = DEFAULT_START_US
    customers: int = 5_000
    merchants: int = 800
    per_day: float = 20_000.0  # mean transactions a day, fraud included
    fraud_rate: float = 0.007  # mean share of transactions that are fraud
    id_prefix: str = "sim-"
    verification_rate: float = 0.01  # share of genuine remote payments with amount 0
    unreported_rate: float = 0.08  # share of frauds that nobody ever reports
    false_report_rate: float = 0.0005  # share of genuine ones reported as fraud, then reversed
    confirmed_rate: float = 0.01  # share of genuine ones that a person confirms

    def __post_init__(self) -> None:
        _within("seed", self.seed, 0, 2**63 - 1)
        _within("start_us", self.start_us, 0, 4_000_000_000_000_000)
        _within("customers", self.customers, 10, 10_000_000)
        _within("merchants", self.merchants, 10, 1_000_000)
        _within("per_day", self.per_day, 1, 50_000_000)
        _within("fraud_rate", self.fraud_rate, 0, 0.5)
        for name in ("verification_rate", "unreported_rate", "false_report_rate", "confirmed_rate"):
            _within(name, getattr(self, name), 0, 1)

    def day_start(self, day: int) -> int:
        return self.start_us + day * DAY


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError(f"{name} must be from {low} to {high}, not {value}")
