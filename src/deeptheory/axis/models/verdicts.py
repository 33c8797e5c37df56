"""What the models say of each unit: axis, exemplar, norm x direction, energy, none, or that it is undetermined, and
why.

A model is told from another where its held-out R^2 is larger by two standard errors of the paired difference and by 2 %
of what the best model explains; the exemplar from the axis by three: its ball makes it the more regular model, which at
few stimuli follows noise less. Then, in this order:
  none               no significant ramp and no model above 0, where an axis of a tenth of the variance would have been
  found,
                     and responses that repeat no better from trial to trial than that
  energy             told from exemplar, and neither axis nor norm x direction, whose curves contain it, told from it;
  and
                     the response turns back on both sides along its axis (both_arms.py)
  exemplar           told from axis, norm x direction and energy
  norm x direction   told from all of them, from axis by 5 %: in a Gaussian cloud another output curve looks the same.
  Instead of two
                     standard errors of that difference, which a few far stimuli make wide, it may be that the norm has
                     an effect at a given projection (norm_effect.py, p < .001)
  axis               a significant ramp; told from exemplar and energy; told from norm x direction, or their difference
  is known to
                     within 2 % (one-sided 95 %) and that cannot be better by 2 %; and the norm has no such effect, or
                     one so small that norm x direction cannot be better by a quarter of a per cent (units without noise
                     show any)
  undetermined       otherwise, and whatever the name where its model leaves half of the explainable variance
  unexplained, where
                     angle, the full quadratic or two energies explain more, or where the stimuli cannot decide: with
                     features of equal length about some point |s - e|^2 is linear in s, so that exemplar, axis and norm
                     x direction are one family
"""

from dataclasses import dataclass

import numpy as np

from deeptheory.axis.models.scores import DISTANCES, MODELS, SECOND

UNDETERMINED = "undetermined"
VERDICTS = ("axis", "exemplar", "norm x direction", "energy", "none", UNDETERMINED)
ERRORS, STRICT, MARGIN, WIDE, TIGHT, DOUBT = 2.0, 3.0, 0.02, 0.05, 0.0025, 0.001
HALF, FOUND, ONE_FAMILY = 0.5, 0.1, 0.25
REASONS = {
    "ceiling": "no reliable response: the ceiling is at or below 0",
    "family": "the stimuli cannot decide: features of (nearly) equal length, exemplar, axis and norm x direction "
    "are one family",
    "half": "no code explains half of what is reliable",
    "richer": "a richer model (angle, full quadratic, two energies) explains more",
    "power": "too few stimuli: an axis of a tenth of the variance would be missed",
    "rivals": "no model is told from its rivals",
}


@dataclass(frozen=True)
class Evidence:
    """What verdicts are made of. r2 [model, u]; lead, error [model, model, u]; norm_p, arms, ceiling [u] (NaN:
    unknown); tuned [u]: significant ramp; detectable: share of variance along an axis that would be found; family: how
    far |s|^2 is from linear in s, beside the projections of exemplars (family.py); stimuli: how many count."""

    r2: np.ndarray
    lead: np.ndarray
    error: np.ndarray
    norm_p: np.ndarray
    arms: np.ndarray
    ceiling: np.ndarray
    tuned: np.ndarray
    detectable: float
    family: float
    stimuli: float


def verdicts(e: Evidence, bound: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """([u] names, [u] keys of REASONS, "" where there is a name). bound: index in DISTANCES."""
    at = {name: MODELS.index(name) for name in MODELS}
    a, n, q, g, f, constant = (at[m] for m in ("axis", "norm x direction", "energy", "angle", "quadratic", "constant"))
    x = at[DISTANCES[bound]]
    mine = [a, x, n, q, g, at["norm"], f]
    top = np.maximum(e.r2[mine].max(0), 1e-9)

    def told(one: int, other: int, margin: float = MARGIN, errors: float = ERRORS) -> np.ndarray:
        return (e.lead[one, other] > errors * e.error[one, other]) & (e.lead[one, other] > margin * top)

    needed = np.where(np.array(mine) == f, STRICT + 1, STRICT)[
        :, None
    ]  # the quadratic's penalty is the best of several
    above = (e.lead[mine, constant] > needed * e.error[mine, constant]).any(0)
    nothing = ~e.tuned & ~above
    reliable = e.ceiling > max(FOUND, 2 / np.sqrt(e.stimuli))  # NaN: not known to be
    energy = told(q, x) & ~told(a, q) & ~told(n, q) & told(q, constant) & (e.arms > STRICT)
    exemplar = told(x, a, errors=STRICT) & told(x, n) & told(x, q)
    beyond = told(n, a, WIDE) | ((e.norm_p < DOUBT) & (e.lead[n, a] > WIDE * top))
    norm = beyond & told(n, x) & told(n, q) & ~told(a, n)
    doubt = 1.645 * e.error[n, a]
    same = (e.lead[n, a] + doubt < MARGIN * top) & (doubt < MARGIN * top)
    no_effect = (e.norm_p > DOUBT) | (e.lead[n, a] + doubt < TIGHT * top)
    axis = e.tuned & told(a, x) & told(a, q) & (same | told(a, n)) & no_effect
    out = np.full(e.r2.shape[1], UNDETERMINED, dtype=object)
    why = np.full(e.r2.shape[1], "rivals", dtype=object)
    one_family = e.family < ONE_FAMILY
    if one_family:
        why[:] = "family"
    for name, index, found in (("axis", a, axis), ("norm x direction", n, norm), ("exemplar", x, exemplar), ("energy",
    q, energy)):  # fmt: skip
        # two energies: of a product of two projections, one squared projection is half
        richer = found & (told(g, index) | told(f, index, WIDE) | told(at[SECOND], index, WIDE))
        short = found & (e.r2[index] < HALF * e.ceiling)
        barred = found & (name != "energy") & one_family
        why[short], why[richer], why[barred] = "half", "richer", "family"
        out[found & ~richer & ~short & ~barred] = name
    weak = e.r2[[a, x, n, q]].max(0) < HALF * e.ceiling
    why[(out == UNDETERMINED) & weak] = "half"
    why[nothing] = "power"
    out[nothing & (e.detectable < FOUND) & ~reliable] = "none"
    why[nothing & reliable] = "half"
    lost = (e.ceiling <= 0) & (out != "none")
    out[lost], why[lost] = UNDETERMINED, "ceiling"
    why[out != UNDETERMINED] = ""
    return out.astype(str), why.astype(str)
