"""The health of models and the lag of projections."""
