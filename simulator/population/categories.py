"""Merchant categories (ISO 18245 codes) with their prices and opening hours."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["pos", "ecom", "both", "moto", "atm"]


@dataclass(frozen=True, slots=True)
class Category:
    mcc: str
    name: str
    mode: Mode
    euros: float  # the median payment
    sigma: float  # of its logarithm
    weight: float  # how often it is visited, relative to the others of its mode
    opens: int = 0  # local hour
    closes: int = 24


CATEGORIES = (
    Category("5411", "grocery stores", "pos", 27.0, 0.75, 22.0, 7, 22),
    Category("5812", "restaurants", "pos", 34.0, 0.60, 10.0, 11, 24),
    Category("5814", "fast food", "pos", 11.0, 0.45, 12.0, 7, 24),
    Category("5813", "bars", "pos", 22.0, 0.60, 4.0, 16, 24),
    Category("5541", "service stations", "pos", 44.0, 0.45, 7.0),
    Category("5912", "drug stores", "pos", 17.0, 0.70, 6.0, 8, 20),
    Category("5311", "department stores", "both", 52.0, 0.80, 4.0, 9, 21),
    Category("5651", "family clothing", "both", 58.0, 0.70, 5.0, 10, 20),
    Category("5732", "electronics", "both", 130.0, 0.95, 2.5, 10, 20),
    Category("5942", "book stores", "both", 19.0, 0.55, 2.0, 9, 20),
    Category("5944", "jewellery", "pos", 190.0, 0.90, 0.6, 10, 19),
    Category("4111", "local transport", "pos", 3.8, 0.45, 9.0, 5, 24),
    Category("4121", "taxis", "pos", 16.0, 0.50, 3.0),
    Category("7011", "hotels", "both", 140.0, 0.65, 1.5),
    Category("7230", "hairdressers", "pos", 31.0, 0.45, 1.2, 9, 19),
    Category("7832", "cinemas", "pos", 21.0, 0.40, 1.5, 12, 24),
    Category("8099", "medical services", "pos", 55.0, 0.80, 1.2, 8, 18),
    Category("6011", "cash machines", "atm", 80.0, 0.60, 3.5),
    Category("5399", "general merchandise", "ecom", 33.0, 0.90, 12.0),
    Category("5815", "digital media", "ecom", 10.0, 0.40, 6.0),
    Category("5816", "digital games", "ecom", 9.0, 0.80, 5.0),
    Category("5968", "subscriptions", "ecom", 13.0, 0.45, 5.0),
    Category("4511", "airlines", "ecom", 210.0, 0.75, 1.2),
    Category("4722", "travel agencies", "ecom", 280.0, 0.80, 0.9),
    Category("4814", "telecommunication", "ecom", 28.0, 0.45, 3.0),
    Category("4900", "utilities", "ecom", 74.0, 0.55, 1.6),
    Category("7995", "betting", "ecom", 30.0, 0.90, 1.5),
    Category("6051", "quasi cash", "ecom", 120.0, 1.00, 0.6),
    Category("5964", "catalogue orders", "moto", 47.0, 0.70, 1.2, 8, 20),
)
