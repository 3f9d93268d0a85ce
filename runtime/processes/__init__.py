"""One module for each process, with its wiring in view."""
