"""Models: their artefacts, training, scoring, evaluation and monitoring."""

import os

# Read once, when scikit-learn's OpenMP is loaded. Threads that wait by spinning take the processors
# from what decides: a training beside other work took more than twice the time of them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
