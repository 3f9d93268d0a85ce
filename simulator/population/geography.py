"""Countries, cities, distances and address blocks."""

from dataclasses import dataclass

import numpy as np

from simulator.columns import Floats, Ints
from simulator.population.currencies import CURRENCIES

EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class City:
    name: str
    country: str
    lat: float
    lon: float
    utc_offset: int  # hours; daylight saving is left out
    weight: float


# The first cities are far apart, so that even the smallest world has far places.
CITIES = (
    City("London", "GB", 51.507, -0.128, 0, 9.0),
    City("New York", "US", 40.713, -74.006, -5, 9.0),
    City("Berlin", "DE", 52.520, 13.405, 1, 6.0),
    City("Tokyo", "JP", 35.690, 139.692, 9, 8.0),
    City("Paris", "FR", 48.857, 2.352, 1, 7.0),
    City("Sydney", "AU", -33.869, 151.209, 10, 4.0),
    City("Toronto", "CA", 43.653, -79.383, -5, 4.0),
    City("Sao Paulo", "BR", -23.551, -46.633, -3, 6.0),
    City("Warsaw", "PL", 52.230, 21.012, 1, 3.0),
    City("Stockholm", "SE", 59.329, 18.069, 1, 2.5),
    City("Zurich", "CH", 47.377, 8.542, 1, 2.0),
    City("Kuwait City", "KW", 29.376, 47.977, 3, 1.5),
    City("Madrid", "ES", 40.417, -3.703, 1, 5.0),
    City("Los Angeles", "US", 34.052, -118.244, -8, 6.0),
    City("Chicago", "US", 41.878, -87.630, -6, 4.0),
    City("Manchester", "GB", 53.481, -2.242, 0, 3.0),
    City("Munich", "DE", 48.137, 11.575, 1, 3.0),
    City("Hamburg", "DE", 53.551, 9.994, 1, 2.5),
    City("Lyon", "FR", 45.764, 4.836, 1, 2.0),
    City("Marseille", "FR", 43.297, 5.370, 1, 1.8),
    City("Osaka", "JP", 34.694, 135.502, 9, 4.0),
    City("Melbourne", "AU", -37.814, 144.963, 10, 3.0),
    City("Vancouver", "CA", 49.283, -123.121, -8, 2.0),
    City("Rio de Janeiro", "BR", -22.907, -43.173, -3, 3.0),
    City("Krakow", "PL", 50.065, 19.945, 1, 1.5),
    City("Gothenburg", "SE", 57.709, 11.975, 1, 1.2),
    City("Geneva", "CH", 46.204, 6.143, 1, 1.0),
    City("Barcelona", "ES", 41.385, 2.173, 1, 3.0),
    City("Glasgow", "GB", 55.864, -4.252, 0, 1.5),
    City("Houston", "US", 29.760, -95.370, -6, 3.0),
)

CURRENCY_OF = {
    "GB": "GBP", "US": "USD", "DE": "EUR", "JP": "JPY", "FR": "EUR", "AU": "AUD", "CA": "CAD",
    "BR": "BRL", "PL": "PLN", "SE": "SEK", "CH": "CHF", "KW": "KWD", "ES": "EUR",
}  # fmt: skip

COUNTRIES = tuple(CURRENCY_OF)
COUNTRY_CURRENCIES = tuple(CURRENCIES[CURRENCY_OF[code]] for code in COUNTRIES)
# Minor units that one euro's worth has, by country.
MINOR_PER_EURO: Floats = np.array([c.per_euro * 10**c.exponent for c in COUNTRY_CURRENCIES])
# What cash machines give multiples of, in minor units, by country.
CASH_NOTE: Ints = np.array([c.note * 10**c.exponent for c in COUNTRY_CURRENCIES], dtype=np.int64)


def distance_km(lat: Floats, lon: Floats, to_lat: Floats, to_lon: Floats) -> Floats:
    """Great-circle distance (haversine) in kilometres; arguments in degrees, broadcast."""
    a, b = np.radians(lat), np.radians(to_lat)
    half_lat, half_lon = (b - a) / 2, np.radians(np.asarray(to_lon) - lon) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(a) * np.cos(b) * np.sin(half_lon) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0))))


def home_ip(country: Ints, host: Ints) -> Ints:
    """An address of 10.0.0.0/8, where each country has a /12."""
    return (10 << 24) | (country << 20) | (1 + host % ((1 << 20) - 2))


def mobile_ip(country: Ints, host: Ints) -> Ints:
    """An address of the carrier-grade NAT block 100.64.0.0/10: few, and shared by many."""
    return (100 << 24) | (64 << 16) | (country << 18) | (1 + host % ((1 << 12) - 2))


def ip_text(ip: int) -> str:
    return f"{ip >> 24}.{ip >> 16 & 255}.{ip >> 8 & 255}.{ip & 255}"
