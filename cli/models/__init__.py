"""`retrace models`: the models of an installation."""
