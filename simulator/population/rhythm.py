"""Activity by hour of the day and day of the week."""

import numpy as np

from domain.times import DAY, HOUR, to_datetime
from simulator.columns import Floats, Ints
from simulator.streams import stream

PROFILES = 48
# Monday to Sunday; the mean is 1, so that per_day means what it says.
WEEKDAY_VOLUME = (0.94, 0.95, 0.97, 1.02, 1.16, 1.14, 0.82)

_WAKING = np.array(
    [2, 1, 0.6, 0.4, 0.5, 1.2, 4, 9, 12, 12, 12, 13, 15, 14, 12, 12, 14, 17, 18, 15, 12, 9, 6, 4]
)


class Rhythm:
    """Daily profiles of activity, and draws of a local hour that fall within opening hours."""

    def __init__(self, seed: int) -> None:
        rng = stream(seed, "rhythm")
        hours = np.arange(24)
        weights = np.tile(_WAKING, (PROFILES, 1))
        for centre, spread in ((8.0, 1.2), (12.5, 1.5), (18.0, 1.5), (22.0, 2.0)):
            peak = centre + rng.normal(0.0, spread, (PROFILES, 1))
            away = np.abs(hours - peak)
            away = np.minimum(away, 24 - away)
            weights = weights + rng.gamma(1.0, 12.0, (PROFILES, 1)) * np.exp(-(away**2) / 3.0)
        cumulated = np.cumsum(weights, axis=1)
        cumulated /= cumulated[:, -1:]
        cumulated[:, -1] = 1.0
        self._until: Floats = np.hstack([np.zeros((PROFILES, 1)), cumulated])
        # Profile p occupies (p, p + 1], so that one binary search serves all profiles.
        self._flat = (cumulated + np.arange(PROFILES)[:, None]).ravel()

    def local_hours(
        self, rng: np.random.Generator, profile: Ints, opens: Ints, closes: Ints
    ) -> Floats:
        """Hours in [opens, closes), distributed as the profile is between them."""
        low, high = self._until[profile, opens], self._until[profile, closes]
        wanted = low + rng.random(len(profile)) * (high - low)
        hour = np.searchsorted(self._flat, profile + wanted, side="right") - 24 * profile
        hour = np.clip(hour, opens, closes - 1)
        start, end = self._until[profile, hour], self._until[profile, hour + 1]
        return np.asarray(hour + np.clip((wanted - start) / (end - start), 0.0, 1.0 - 1e-9))


def instants(day_start_us: int, local_hour: Floats, utc_offset: Ints) -> Ints:
    """The moment of the 24 hours from ``day_start_us`` at which local clocks show that hour."""
    local_us = np.floor(local_hour * HOUR).astype(np.int64)
    return day_start_us + (local_us - utc_offset * HOUR - day_start_us) % DAY


def weekday(day_start_us: int) -> int:
    """Of the middle of the 24 hours, in UTC: 0 is Monday."""
    return to_datetime(day_start_us + DAY // 2).weekday()
