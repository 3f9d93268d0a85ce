"""Features of the request alone: amount, hour, night, weekend, channel."""

from domain.features.kernel.arrays import Floats, Ints
from domain.features.kernel.compiled import compiled
from domain.features.kernel.layout import (
    DAY_US,
    F_NUMBER,
    F_OUT,
    HOUR_US,
    R_AMOUNT,
    R_HOUR_COS,
    R_HOUR_SIN,
    R_NIGHT,
    R_WEEKEND,
    S_FIRST,
    S_LAST,
)
from domain.features.kernel.row_layout import AMOUNT, HAS_CHANNEL, IS_REMOTE, PRESENT, TIME

MONDAY = 3  # 1970-01-01 was a Thursday
NIGHT_ENDS = 6
_QUARTER = (
    0.0,
    0.25881904510252074,
    0.5,
    0.7071067811865476,
    0.8660254037844386,
    0.9659258262890683,
)
_HALF = (*_QUARTER, 1.0, *_QUARTER[:0:-1])
# sin of 0, 15 ... 345 degrees, one per hour, correctly rounded; cos is six hours ahead.
SIN = (*_HALF, *(0.0 - value for value in _HALF))


@compiled
def finish_request(stores: Ints, features: Ints, s: int, row: Ints, out: Floats) -> None:
    time, present = row[TIME], row[PRESENT]
    hour = time // HOUR_US % 24
    for f in range(stores[s, S_FIRST], stores[s, S_LAST]):
        asked, place = features[f, F_NUMBER], features[f, F_OUT]
        if asked == R_AMOUNT:
            out[place] = float(row[AMOUNT]) / 100.0
        elif asked == R_HOUR_SIN:
            out[place] = SIN[hour]
        elif asked == R_HOUR_COS:
            out[place] = SIN[(hour + 6) % 24]
        elif asked == R_NIGHT:
            out[place] = 1.0 if hour < NIGHT_ENDS else 0.0
        elif asked == R_WEEKEND:
            out[place] = 1.0 if (time // DAY_US + MONDAY) % 7 >= 5 else 0.0
        elif present & HAS_CHANNEL:
            out[place] = 1.0 if present & IS_REMOTE else 0.0
