"""Layout of the plan's tables and of a state's memory: column numbers and constants."""

# Kinds of store
TILES, SKETCH, PAIRS, VALUES, PLACES, LABELS, REQUEST = range(7)

# Columns of the table of stores
(
    S_KIND, S_TILE, S_HORIZON, S_FILTER, S_FIELD, S_CAP, S_BASE, S_STRIDE, S_COLUMNS, S_FIRST,
    S_LAST, S_SPAN,
) = range(12)  # fmt: skip
# of TILES: the column of each channel, or -1; tile and count are always columns 0 and 1
(
    C_SUM, C_HIGH, C_LOW, C_LEAST, C_GREATEST, C_FIRST, C_LATEST, C_HOUR_X, C_HOUR_Y,
) = range(12, 21)  # fmt: skip
# of VALUES: where the amounts that were sorted last lie in `spare`
S_CACHE = 21
S_WIDTH = 22

# Columns of the table of features
F_AGGREGATION, F_OUT, F_SPAN, F_TILE, F_HORIZON, F_NUMBER, F_CAP, F_TIMES = range(8)
# of LABELS: the number within its store of the first feature with the same window and cap
F_LIKE = 8
F_WIDTH = 9

# Aggregations, in the order of declarations.Aggregation
(
    A_REQUEST, A_COUNT, A_SUM, A_MEAN, A_STD, A_MIN, A_MAX, A_RATIO_TO_MEAN, A_RATIO_TO_MAX,
    A_Z_SCORE, A_SINCE_LAST, A_SINCE_FIRST, A_HOUR_DEVIATION, A_QUANTILE, A_RATIO_TO_QUANTILE,
    A_ROBUST_Z, A_RATIO_TO_CORE_MEAN, A_HIGH_COUNT, A_SINCE_HIGH, A_SINCE_FIRST_HIGH,
    A_MAX_TO_QUANTILE, A_DISTINCT, A_IS_NEW, A_DISTANCE, A_SPEED, A_LABEL_COUNT, A_FRAUD_COUNT,
    A_FRAUD_RATE, A_FRAUD_RUN, A_FRAUD_RUN_HOURS, A_FRAUD_RUN_DAYS, A_FRAUD_RUN_MIN,
    A_FRAUD_RUN_MEAN, A_FRAUD_MEAN, A_LAST_FRAUD, A_SINCE_FRAUD, A_SINCE_FIRST_FRAUD,
    A_SINCE_GENUINE, A_FRAUD_OF_LAST, A_NTH_LAST_LABEL,
) = range(40)  # fmt: skip

# Values of the request, in F_NUMBER
R_AMOUNT, R_HOUR_SIN, R_HOUR_COS, R_NIGHT, R_WEEKEND, R_REMOTE = range(6)

# The head of a state
H_LATEST, H_LATEST_LABEL, H_TRANSACTIONS, H_LABELS = range(4)
HEAD = 4
NEVER = -(1 << 62)
FOR_EVER = 1 << 62

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
FLOAT_HOUR_US = 3_600_000_000.0
