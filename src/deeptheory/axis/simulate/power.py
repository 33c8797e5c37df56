"""How often is a verdict right at your sizes? The bench on simulated cells of known code, as many as you like.

`verdict_power("exemplar", n=400, d=20, reliability=0.6)` before an experiment says what its data could tell. Intervals
are Clopper and Pearson's: exact for a count, and never narrower than 95 %.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.axis.bench.code import axis_code
from deeptheory.axis.models.verdicts import VERDICTS
from deeptheory.axis.simulate.simulation import Simulation, Variances, simulate
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole
from deeptheory.core.statistics import proportion_interval

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class Power(Result):
    """How often simulated cells get the verdict that is true of them.

    counts: {code: {verdict: number of cells}}, all six verdicts; n, d, reliability, variances, seed: of the simulation;
    controversial: stimuli added.
    """

    counts: dict[str, dict[str, int]]
    n: int
    d: int
    reliability: float
    variances: str
    controversial: int
    seed: int

    def __repr__(self) -> str:
        said = ", ".join(f"{code} {self.share(code)[0]:.3f}" for code in self.counts)
        return f"Power(right: {said}; {self.n} stimuli, {self.d} features, reliability {self.reliability:g})"

    def cells(self, code: str) -> int:
        """Number of simulated cells of that code. InputError: no such code here."""
        return sum(pick(self.counts, code, what="code").values())

    def share(self, code: str, *verdicts: str) -> tuple[float, float, float]:
        """(fraction, low, high): cells of a code that got one of the verdicts (default: its own), 95 % interval.

        Source of the interval: Clopper & Pearson 1934. InputError: no such code here, no such verdict, one twice.
        """
        known = dict.fromkeys(VERDICTS)
        for name in verdicts:
            pick(known, name, what="verdict")
        if len(set(verdicts)) < len(verdicts):
            raise InputError(f"verdicts are {', '.join(verdicts)}; needed: each once")
        cells = self.cells(code)
        found = proportion_interval(sum(self.counts[code].get(v, 0) for v in verdicts or (code,)), cells)
        return found.value, found.low, found.high

    def wrong(self, code: str) -> tuple[float, float, float]:
        """(fraction, low, high), as share: cells of a code called by another name ("none" too), not "undetermined"."""
        return self.share(code, *(v for v in VERDICTS if v not in (code, "undetermined")))

    def table(self) -> "pandas.DataFrame":
        """One row per code: number of cells by verdict."""
        import pandas as pd

        rows = [{"code": code, **{v: k.get(v, 0) for v in VERDICTS}} for code, k in self.counts.items()]
        return pd.DataFrame(rows)


def verdict_power(
    code: Any = "axis",
    *,
    n: int = 2000,
    d: int = 50,
    units: int = 100,
    variances: Variances = "isotropic",
    reliability: float = 0.9,
    controversial: int = 0,
    seed: int = 0,
    folds: int = 10,
    permutations: int = 200,
    **simulation: Any,
) -> Power:
    """The verdicts of axis_code(normalize="none") on simulated cells whose code is known; -> Power.

    code: a name of CODES, or {name: fraction}. n: stimuli; d: features; units: simulated cells; variances, reliability,
    simulation (trials, radius, sign, noise): as in simulate; folds, permutations: as in axis_code. seed: of both.
    controversial: so many stimuli of AxisCode.controversial are shown beside the n, and all is measured again. A cell
    that never responds counts as "none". InputError: as simulate and axis_code.
    """
    check_whole(controversial=(controversial, 0), seed=(seed, 0), folds=(folds, 2), permutations=(permutations, 0))
    options = {"variances": variances, "reliability": reliability, "seed": seed, **simulation}
    sim = simulate(code, n=n, d=d, units=units, **options)
    said = _verdicts(sim, controversial, folds=folds, permutations=permutations, seed=seed)
    counts = {}
    for name in dict.fromkeys(sim.codes):
        mine = said[np.array(sim.codes) == name]
        counts[name] = {v: int((mine == v).sum()) for v in VERDICTS}
    return Power(
        counts=counts, n=n, d=d, reliability=reliability, variances=variances, controversial=controversial, seed=seed
    )


def _verdicts(sim: Simulation, controversial: int, **options: Any) -> np.ndarray:
    """A unit left out, which never responded, has no code that could be seen: none."""
    code = axis_code(sim.responses, sim.features, normalize="none", **options)
    if controversial:
        x = code.controversial(controversial)
        y = np.concatenate([sim.responses, sim.respond(x, sim.seed + 1)])
        code = axis_code(y, np.concatenate([sim.features, x]), normalize="none", **options)
    said = np.full(len(sim.codes), "none", dtype=object)
    said[code.units] = code.verdict
    return said.astype(str)
