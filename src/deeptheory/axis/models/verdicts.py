"""What the models say of each unit: axis, exemplar, norm x direction, energy, none, or that it cannot be told.

A model is told from another where its held-out R^2 is larger by two standard errors of the paired difference and by 2 % of
what the best model explains; the exemplar from the axis by three: its ball makes it the more regular model, which at few
stimuli follows noise less. Then, in this order:
  none               no shuffle-significant ramp and no model above 0
  energy             told from exemplar, and neither axis nor norm x direction, whose curves contain it, told from it
  exemplar           told from axis, norm x direction and energy
  norm x direction   told from all of them, from axis by 5 %: in a Gaussian cloud another output curve looks the same. Instead of two
                     standard errors of that difference, which a few far stimuli make wide, it may be that the norm has an
                     effect at a given projection (norm_effect.py, p < .001)
  axis               a significant ramp; told from exemplar and energy; told from norm x direction, or their difference is known to
                     within 2 % (one-sided 95 %) and that cannot be better by 2 %; and the norm has no such effect, or one so small that
                     norm x direction cannot be better by a quarter of a per cent (units without noise show any)
  cannot tell        otherwise, or where angle or the full quadratic explain more than the model that would be named
"""

import numpy as np

from deeptheory.axis.models.scores import DISTANCES, MODELS

VERDICTS = ("axis", "exemplar", "norm x direction", "energy", "none", "cannot tell")
ERRORS, STRICT, MARGIN, WIDE, TIGHT, DOUBT = 2.0, 3.0, 0.02, 0.05, 0.0025, 0.001


def verdicts(
    r2: np.ndarray, lead: np.ndarray, error: np.ndarray, norm_p: np.ndarray, tuned: np.ndarray, bound: int = 0
):
    """[u] names. r2 [model, u]; lead, error [model, model, u]; tuned [u]: significant ramp; bound: index in DISTANCES."""
    at = {name: MODELS.index(name) for name in MODELS}
    a, n, q, g, f = (at[m] for m in ("axis", "norm x direction", "energy", "angle", "quadratic"))
    e = at[DISTANCES[bound]]
    mine = [a, e, n, q, g, at["norm"], f]
    top = np.maximum(r2[mine].max(0), 1e-9)

    def told(x: int, y: int, margin: float = MARGIN, errors: float = ERRORS) -> np.ndarray:
        return (lead[x, y] > errors * error[x, y]) & (lead[x, y] > margin * top)

    above = (lead[mine, at["constant"]] > 3 * error[mine, at["constant"]]).any(0)
    none = ~tuned & ~above
    energy = told(q, e) & ~told(a, q) & ~told(n, q) & told(q, at["constant"])
    exemplar = told(e, a, errors=STRICT) & told(e, n) & told(e, q)
    beyond = told(n, a, WIDE) | ((norm_p < DOUBT) & (lead[n, a] > WIDE * top))
    norm = beyond & told(n, e) & told(n, q) & ~told(a, n)
    doubt = 1.645 * error[n, a]
    same = (lead[n, a] + doubt < MARGIN * top) & (doubt < MARGIN * top)
    no_effect = (norm_p > DOUBT) | (lead[n, a] + doubt < TIGHT * top)
    axis = tuned & told(a, e) & told(a, q) & (same | told(a, n)) & no_effect
    out = np.full(r2.shape[1], "cannot tell", dtype=object)
    for name, index, found in (("axis", a, axis), ("norm x direction", n, norm), ("exemplar", e, exemplar), ("energy", q, energy)):  # fmt: skip
        out[found & ~told(g, index) & ~told(f, index, WIDE)] = name
    out[none] = "none"
    return out.astype(str)
