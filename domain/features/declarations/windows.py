"""Windows that features look back over, with their resolutions."""

from dataclasses import dataclass, field

from domain.times import DAY, HOUR, MINUTE, SECOND


@dataclass(frozen=True, slots=True)
class Window:
    """The last `span`, held in tiles of `tile` (the resolution), both in microseconds.

    At time t it holds the events with floor(t - span) <= floor(e.time) <= floor(t), floor being
    that of the tile; for labels only whole past tiles, the one of t left out. `horizon` is how far
    behind the greatest time seen a state reaches. The slack beyond the span is room for late
    arrivals: a tenth of the span, an hour at least, and twice the span where that is less, so that
    the finest tiles stay few.
    """

    name: str
    span: int
    tile: int
    horizon: int = field(init=False)

    def __post_init__(self) -> None:
        slack = max(self.span // 10, min(HOUR, 2 * self.span))
        object.__setattr__(self, "horizon", self.span + slack)


MINUTE_1 = Window("1m", MINUTE, SECOND)
MINUTES_10 = Window("10m", 10 * MINUTE, 20 * SECOND)
HOUR_1 = Window("1h", HOUR, MINUTE)
DAY_1 = Window("1d", DAY, 30 * MINUTE)
DAYS_7 = Window("7d", 7 * DAY, 3 * HOUR)
DAYS_14 = Window("14d", 14 * DAY, 6 * HOUR)
DAYS_30 = Window("30d", 30 * DAY, 12 * HOUR)
DAYS_90 = Window("90d", 90 * DAY, 36 * HOUR)

# Labels are kept one by one, so that a fine tile costs nothing: they count a minute later at most.
TILE_OF_LABELS = MINUTE
KNOWN_1D = Window("1d", DAY, TILE_OF_LABELS)
KNOWN_7D = Window("7d", 7 * DAY, TILE_OF_LABELS)
KNOWN_14D = Window("14d", 14 * DAY, TILE_OF_LABELS)
KNOWN_30D = Window("30d", 30 * DAY, TILE_OF_LABELS)
KNOWN_90D = Window("90d", 90 * DAY, TILE_OF_LABELS)

TILES = {
    each.span: each.tile
    for each in (MINUTE_1, MINUTES_10, HOUR_1, DAY_1, DAYS_7, DAYS_14, DAYS_30, DAYS_90)
}
"""By span the resolution that the catalogue has for it, of anything but labels."""
