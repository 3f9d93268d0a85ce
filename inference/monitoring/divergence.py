"""Divergence of two histograms, and how much of it chance alone explains.

The distances are SciPy's. PSI is the symmetrised Kullback-Leibler divergence (J of S. Kullback and
R. Leibler, On Information and Sufficiency, 1951) of two histograms over the same bins.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr
from scipy.stats import chi2

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Divergence:
    """`psi` in nats, >= 0. `js` is the Jensen-Shannon distance to base 2, in [0, 1].

    `by_chance` is the PSI to be expected of two samples of one population, `p_value` the chance
    that they would lie as far apart as these.
    """

    psi: float
    js: float
    by_chance: float
    p_value: float


def divergence(before: Floats, live: Floats) -> Divergence:
    """Of two histograms [bins] of counts, each with a sum > 0; symmetric.

    Without drift PSI / (1/n + 1/m) is distributed as chi-squared with B - 1 degrees of freedom, n
    and m the sizes of the samples and B the bins that either of them fills; so (B - 1)(1/n + 1/m)
    is its mean (B. Yurdakul, Statistical Properties of Population Stability Index, Western Michigan
    University, 2018).
    """
    noise = 1 / before.sum() + 1 / live.sum()
    # An empty bin counts as half an observation: the logarithm of 0 is infinite.
    least = 0.5 / min(before.sum(), live.sum())
    filled = (before > 0) | (live > 0)
    p, q = _shares(before[filled], least), _shares(live[filled], least)
    psi = float(rel_entr(p, q).sum() + rel_entr(q, p).sum())
    free = int(filled.sum()) - 1
    # A rounding error below zero has no root.
    with np.errstate(invalid="ignore"):
        js = float(np.nan_to_num(jensenshannon(p, q, base=2)))
    if not free:
        return Divergence(0.0, 0.0, 0.0, 1.0)
    return Divergence(max(psi, 0.0), js, free * noise, float(chi2.sf(psi / noise, free)))


def _shares(counts: Floats, least: float) -> Floats:
    shares: Floats = np.maximum(counts / counts.sum(), least)
    result: Floats = shares / shares.sum()
    return result
