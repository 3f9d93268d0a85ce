"""Mutants: small wrongs in the engines, each of which a test is to find.

`{on}` in `after` is true where the mutant is switched on; without it `after` is an expression that
takes the place of `before`.
"""

from typing import NamedTuple

KERNEL = "domain/features/kernel"
STORES = "domain/features/kernel/stores"
REPLAY = "projections/replay"


class Mutant(NamedTuple):
    """`at` says which occurrence of `before` in the file changes.

    `equivalent` says why no test can tell it, where none can.
    """

    name: str
    file: str
    before: str
    after: str
    at: int = 0
    equivalent: str = ""


_LATEST_FALL = "heads[s, 1 if {on} else 0] += -1 if {on} else 1"
_HORIZON = "(latest - stores[s, S_HORIZON]) // stores[s, S_TILE]"

MUTANTS = (
    # Windows and horizons
    Mutant("a window begins late", f"{STORES}/tiles.py", "time - feature[F_SPAN]",
           "time - feature[F_SPAN] + 1"),
    Mutant("a window leaves its last tile out", f"{STORES}/tiles.py", "time // width + 1",
           "time // width"),
    Mutant("a window ignores the horizon", f"{STORES}/tiles.py",
           "latest - feature[F_HORIZON]", "-(1 << 62)",
           equivalent="what lies before the horizon was trimmed before it could be read"),
    Mutant("the oldest tile is dropped", f"{STORES}/tiles.py",
           "tile < (latest - store[S_HORIZON]) // width",
           "tile <= (latest - store[S_HORIZON]) // width"),
    Mutant("the oldest merged tile is dropped", f"{STORES}/tiles.py", "tile < oldest",
           "tile <= oldest"),
    Mutant("the oldest pair is dropped", f"{STORES}/pairs.py", f"tile < {_HORIZON}",
           f"tile <= {_HORIZON}", 0),
    Mutant("the oldest digest is dropped", f"{STORES}/pairs.py", f"tile < {_HORIZON}",
           f"tile <= {_HORIZON}", 1),
    Mutant("the oldest place is dropped", f"{STORES}/places.py",
           "tile < (latest - store[S_HORIZON]) // store[S_TILE]",
           "tile <= (latest - store[S_HORIZON]) // store[S_TILE]"),
    Mutant("the oldest amounts are dropped", f"{STORES}/values.py",
           "time // width < (latest - store[S_HORIZON]) // width",
           "time // width <= (latest - store[S_HORIZON]) // width"),
    Mutant("a step-up is an attempt", f"{KERNEL}/state.py",
           "row[KIND] == IS_STEP_UP and not stores[s, S_FILTER]", "False"),
    Mutant("amounts are trimmed within a tile", f"{KERNEL}/state.py",
           "(head[H_LATEST] - horizon) // width * width", "head[H_LATEST] - horizon"),
    Mutant("the window of amounts begins within a tile", f"{STORES}/values.py",
           "max(time - store[S_SPAN], latest - store[S_HORIZON]) // width * width",
           "max(time - store[S_SPAN], latest - store[S_HORIZON])"),
    Mutant("the window of amounts ends with the moment", f"{STORES}/values.py",
           "time // width * width + width", "time + 1"),
    Mutant("high amounts are counted from within a tile", f"{STORES}/values.py",
           "(time - feature[F_SPAN]) // tile * tile", "time - feature[F_SPAN]"),
    Mutant("high amounts are counted one microsecond late", f"{STORES}/values.py",
           "lower(mem, base, start, end, since)", "lower(mem, base, start, end, since + 1)"),
    Mutant("an amount that left its window stays sorted", f"{STORES}/sorted_amounts.py",
           "for i in range(gone):", "for i in range(0 if {on} else gone):"),
    Mutant("sorted amounts are taken over unseen", f"{STORES}/sorted_amounts.py",
           "spare[given + gone + i] == mem[first + i]", "True"),
    Mutant("replaced labels are counted", f"{STORES}/label_features.py",
           "mem[frauds + i] or mem[replaced + i] < upto", "mem[frauds + i]"),
    Mutant("the oldest label is dropped", f"{STORES}/labels.py",
           "known < latest - store[S_HORIZON]", "known <= latest - store[S_HORIZON]"),
    Mutant("labels of the tile of the moment count", f"{STORES}/label_features.py",
           "upto = time // tile * tile", "upto = time // tile * tile + (tile if {on} else 0)"),
    Mutant("the window of labels begins within a tile", f"{STORES}/label_features.py",
           "oldest // tile * tile", "oldest"),
    Mutant("states are not trimmed at a later event", f"{KERNEL}/state.py",
           "if row[TIME] > head[H_LATEST]:\n            head[H_LATEST] = row[TIME]\n"
           "            trim_all(stores, mem, heads, head)",
           "if row[TIME] > head[H_LATEST]:\n            head[H_LATEST] = row[TIME]\n"
           "            if not {on}:\n                trim_all(stores, mem, heads, head)"),
    # Caps, ties, duplicates
    Mutant("the latest pair falls to the cap", f"{STORES}/pairs.py", "heads[s, 0] += 1",
           _LATEST_FALL),
    Mutant("the latest amount falls to the cap", f"{STORES}/values.py", "heads[s, 0] += 1",
           _LATEST_FALL),
    Mutant("the latest label falls to the cap", f"{STORES}/labels.py", "heads[s, 0] += 1",
           _LATEST_FALL),
    Mutant("a cap of labels is that of the store", f"{STORES}/label_features.py",
           "max(heads[s, 0], last - features[f, F_CAP])", "heads[s, 0]"),
    Mutant("ties keep the order of arrival", f"{STORES}/slots.py",
           "(one == first and two <= second)", "one == first"),
    Mutant("of equal times the first place stays", f"{STORES}/places.py",
           "(time == then and order <= beside)", "time == then"),
    Mutant("a pair is kept twice", f"{STORES}/pairs.py",
           "    if known:\n        return\n    _insert",
           "    if known and not {on}:\n        return\n    _insert"),
    Mutant("a sampled digest is lost", f"{STORES}/pairs.py", "zeros(value) < level",
           "zeros(value) <= level"),
    Mutant("a sample begins at the cap", f"{STORES}/pairs.py", "values <= stores[s, S_CAP]",
           "values < stores[s, S_CAP]"),
    Mutant("a sample is counted above its level", f"{STORES}/pairs.py", "zeros(mem[i]) >= level",
           "zeros(mem[i]) > level"),
    Mutant("an event is folded twice", f"{KERNEL}/state.py",
           "row[OFFSET] <= version[row[PARTITION]]", "row[OFFSET] < version[row[PARTITION]]"),
    Mutant("a reversed label stands", f"{STORES}/labels.py", "max(known, mem[i])", "FOR_EVER"),
    Mutant("a label that was replaced before it was known is replaced at another time",
           f"{STORES}/labels.py", "max(known, mem[i])", "known"),
    Mutant("a label that was overruled before it was folded stands", f"{STORES}/labels.py",
           "replaced = row[TIME]", "replaced = FOR_EVER if {on} else row[TIME]"),
    Mutant("an overruled label replaces others", f"{STORES}/labels.py",
           "if row[PRESENT] & IS_OVERRULED:", "if row[PRESENT] & IS_OVERRULED and not {on}:"),
    Mutant("bytes do not tell what replaced a label out of order", f"{KERNEL}/stored.py",
           "listed = 1", "listed = 0 if {on} else 1"),
    Mutant("nothing overrules a label", f"{KERNEL}/ordering.py",
           "np.maximum.accumulate(rank) > rank", "rank < 0"),
    Mutant("a label counts in the tile in which it is replaced", f"{STORES}/label_features.py",
           "mem[replaced + i] >= upto", "mem[replaced + i] > upto", 0),
    Mutant("a run counts labels that were replaced", f"{STORES}/label_features.py",
           "mem[replaced + i] >= upto", "mem[replaced + i] > upto", 1),
    Mutant("the last k count labels that were replaced", f"{STORES}/label_features.py",
           "mem[replaced + i] >= upto", "mem[replaced + i] > upto", 2),
    # Values and their bits
    Mutant("the least is the greatest", f"{STORES}/tiles.py",
           "amount < mem[base + least * stride + at]",
           "amount > mem[base + least * stride + at]"),
    Mutant("the last is the first", f"{STORES}/tiles.py", "time > mem[base + last * stride + at]",
           "time < mem[base + last * stride + at]"),
    Mutant("a mean divides in another order", f"{STORES}/tiles.py",
           "float(total) / 100.0 / float(number)", "float(total) / float(number) / 100.0"),
    Mutant("a deviation divides in another order", f"{STORES}/tiles.py",
           "sqrt(wide) / float(number) / 100.0", "sqrt(wide) / 100.0 / float(number)"),
    Mutant("a ratio divides twice", f"{STORES}/tiles.py",
           "float(amount) * float(number) / float(total)",
           "float(amount) / (float(total) / float(number))"),
    Mutant("one amount deviates by nothing", f"{STORES}/tiles.py", "number > 1", "number > 0"),
    Mutant("a full limb is not carried", f"{STORES}/tiles.py", "mem[low] >= LIMB",
           "mem[low] > LIMB"),
    Mutant("bits that are cut off do not round", f"{KERNEL}/wide.py", "lost != _0",
           "lost != lost"),
    Mutant("no difference is less than none", f"{KERNEL}/wide.py",
           "high == _0 and low < less", "high == _0 and low <= less"),
    Mutant("a rank rounds to the nearest", f"{STORES}/values.py", "held * thousandths + 999",
           "held * thousandths + 500"),
    Mutant("an amount at the quantile is high", f"{STORES}/values.py",
           "mem[amounts + i] > limit", "mem[amounts + i] >= limit"),
    Mutant("a run goes on past a genuine label", f"{STORES}/label_features.py",
           "if not mem[frauds + i]:", "if not mem[frauds + i] and not {on}:"),
    Mutant("a speed has no least time", f"{STORES}/places.py", "max(hours, LEAST_HOURS)", "hours"),
    Mutant("a weekend begins on Sunday", f"{KERNEL}/request.py",
           "(time // DAY_US + MONDAY) % 7 >= 5", "(time // DAY_US + MONDAY) % 7 > 5"),
    Mutant("a night ends late", f"{KERNEL}/request.py", "hour < NIGHT_ENDS", "hour <= NIGHT_ENDS"),
    # Replay and training sets
    Mutant("the first of two labels is taken", f"{REPLAY}/payments.py",
           "np.flatnonzero(waited <= delay)", "np.flatnonzero(waited <= delay)[::-1]"),
    Mutant("labels go by the times at which they were known", f"{REPLAY}/payments.py",
           "given[:, OFFSET]", "given[:, TIME]"),
    Mutant("uses of an id share their labels", f"{REPLAY}/payments.py",
           "mixed(at, rows[:, TRANSACTION])", "rows[:, TRANSACTION].copy()"),
    Mutant("what is known at the moment is left out", f"{REPLAY}/dataset.py",
           "events.known[order] <= moment", "events.known[order] < moment"),
    Mutant("the last moment is taken in", f"{REPLAY}/dataset.py", "rows[:, TIME] < end",
           "rows[:, TIME] <= end"),
    Mutant("the first moment is left out", f"{REPLAY}/dataset.py", "rows[:, TIME] >= begin",
           "rows[:, TIME] > begin"),
    Mutant("equal known times go by offset alone", f"{REPLAY}/ideal.py",
           "(rows[:, OFFSET], rows[:, PARTITION], events.known)",
           "(rows[:, OFFSET], events.known)"),
    Mutant("a label on the day of its maturity is late", f"{REPLAY}/payments.py",
           "waited <= delay", "waited < delay"),
    Mutant("offsets that fall are taken for known", "domain/features/engine.py",
           "if not _rising(rows):", "if not _rising(rows) and not {on}:"),
)  # fmt: skip
