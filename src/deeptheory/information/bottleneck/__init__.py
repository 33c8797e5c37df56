"""Every bottleneck solver behind one form: what T must keep of X to tell Y."""

from deeptheory.information.bottleneck.branches import BottleneckBranches, bottleneck_branches
from deeptheory.information.bottleneck.curve import BottleneckCurve, bottleneck_curve, first_critical_beta
from deeptheory.information.bottleneck.finite_sample import FiniteSampleBound, finite_sample_bound
from deeptheory.information.bottleneck.gaussian import GaussianBottleneck, gaussian_bottleneck
from deeptheory.information.bottleneck.solution import BottleneckSolution
from deeptheory.information.bottleneck.solve import METHODS, bottleneck

__all__ = [
    "METHODS",
    "BottleneckBranches",
    "BottleneckCurve",
    "BottleneckSolution",
    "FiniteSampleBound",
    "GaussianBottleneck",
    "bottleneck",
    "bottleneck_branches",
    "bottleneck_curve",
    "finite_sample_bound",
    "first_critical_beta",
    "gaussian_bottleneck",
]
