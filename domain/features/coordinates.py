"""Coordinates as integer unit vectors, and the chord between two; uses no libm.

sin and cos of the platform differ in their last bits, so both are computed here by Taylor series
with + - * / alone, in one order: every machine gives the same integers.
"""

from functools import lru_cache
from math import floor, sqrt

Place = tuple[int, int, int]

SCALE = 1 << 24
EARTH_RADIUS_KM = 6371.0088
KM_PER_UNIT = EARTH_RADIUS_KM / SCALE
_RADIANS = 0.017453292519943295

_SIN = (-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1.0)
_COS = (1 / 479001600, -1 / 3628800, 1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1.0)


@lru_cache(maxsize=1 << 14)
def unit_vector(lat: float, lon: float) -> Place:
    """Degrees to a vector of length 2^24 (0.4 m on the ground), rounded half up per component."""
    sin_lat, cos_lat = _sin_cos(lat)
    sin_lon, cos_lon = _sin_cos(lon)
    return _whole(cos_lat * cos_lon), _whole(cos_lat * sin_lon), _whole(sin_lat)


def chord_km(here: Place, there: Place) -> float:
    """Straight line through the globe: 0.1% short of the arc at 1,000 km, 36% at the antipodes."""
    x, y, z = here[0] - there[0], here[1] - there[1], here[2] - there[2]
    return sqrt(float(x * x + y * y + z * z)) * KM_PER_UNIT


def _whole(component: float) -> int:
    return floor(component * SCALE + 0.5)


def _sin_cos(degrees: float) -> tuple[float, float]:
    quadrant = floor((degrees + 45.0) / 90.0)
    x = (degrees - 90.0 * quadrant) * _RADIANS
    square = x * x
    sin, cos = x * _horner(_SIN, square), _horner(_COS, square)
    return ((sin, cos), (cos, -sin), (-sin, -cos), (-cos, sin))[quadrant % 4]


def _horner(coefficients: tuple[float, ...], x: float) -> float:
    total = 0.0
    for coefficient in coefficients:
        total = total * x + coefficient
    return total
