"""A formula to compile, how finely its functions are expanded for a tolerance, and what is said where none is met.

Both routes, of smooth activations (compiler.py) and of ReLU (relu.py), start from these.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deeptheory.cheap.compile.activations import Activation
from deeptheory.cheap.compile.expansions import FINEST
from deeptheory.cheap.compile.plans import Errors, Plan
from deeptheory.core.errors import InputError

if TYPE_CHECKING:
    import sympy

_REFINEMENTS = 9  # expansions are tried to .8 of the tolerance, a quarter of that, ...
_COARSE = (1e-2, 1e-4, 1e-8, 1e-13)  # of a function's size: to learn what the outputs feel

Maker = Callable[[Errors], Plan]  # errors of expansions -> plan


class ToleranceError(InputError):
    """No network of that dtype and depth meets the tolerance; an InputError.

    .best: the least tolerance that is reached, in the output's unit; .depth: the hidden layers that reach it.
    """

    def __init__(self, message: str, best: float, depth: int):
        super().__init__(message)
        self.best, self.depth = best, depth


@dataclass(frozen=True)
class Problem:
    """What is to be compiled: expressions of names in a box, units, and the bits of the dtype."""

    expressions: tuple["sympy.Expr", ...]
    names: tuple[str, ...]
    box: tuple[tuple[float, float], ...]
    activation: Activation
    bits: int

    @property
    def sizes(self) -> list[float]:
        """The largest |x| of each input."""
        return [max(abs(low), abs(high)) for low, high in self.box]


def scale_of(plan: Plan) -> float:
    """The size of the outputs."""
    return max((plan.graph.size(v) for v in plan.outputs), default=0.0)


def refinements(make: Maker, tolerance: float, own: str = "") -> Iterator[Plan]:
    """Plans of finer and finer expansions: every function gets an equal share of what the outputs may err in all.

    What the outputs feel of a function is learned from a coarse plan, and again from each that follows.
    InputError: a function that is not expanded, however fine the others are.
    """
    plan, refused = None, None
    for relative in _COARSE:
        try:
            plan = make(Errors(relative, own=own))
            break
        except InputError as error:  # an argument known too coarsely may leave where its function lives
            refused = refused or error
    if plan is None:
        assert refused is not None
        raise refused
    if not plan.expansions:
        yield plan
        return
    start = max(tolerance, FINEST * scale_of(plan))
    relative, last = 1e-3, None
    for step in range(_REFINEMENTS):
        share = 0.8 * start / 4.0**step / max(len(plan.felt), 1)
        shares = {
            key: max(share / feel, 2.0**-50 * size) if feel else relative * size
            for key, (feel, size) in plan.felt.items()
        }
        if shares == last:
            return
        try:
            plan = make(Errors(relative, shares, own))
        except InputError:
            if step == _REFINEMENTS - 1:
                raise
            relative /= 16
            continue
        last, relative = shares, relative / 16
        yield plan
