"""Model card: training data, metrics, calibration and feature importance of a model."""
