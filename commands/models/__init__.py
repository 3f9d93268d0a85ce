"""The life of models in the log, and the registry read from it."""
