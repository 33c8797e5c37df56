"""Deep and cheap learning (Lin, Tegmark & Rolnick 2017; Rolnick & Tegmark 2018): compile, count, certify;
and the physics.

One import line a file.
"""

from types import ModuleType as _ModuleType

from deeptheory.cheap.compile.activations import ACTIVATIONS as ACTIVATIONS
from deeptheory.cheap.compile.certificates import Certificate as Certificate
from deeptheory.cheap.compile.compiler import compile_polynomial as compile_polynomial
from deeptheory.cheap.compile.gates import Gate as Gate
from deeptheory.cheap.compile.gates import bit_product_gate as bit_product_gate
from deeptheory.cheap.compile.gates import identity_gate as identity_gate
from deeptheory.cheap.compile.gates import monomial_layer as monomial_layer
from deeptheory.cheap.compile.gates import product_gate as product_gate
from deeptheory.cheap.compile.gates import square_gate as square_gate
from deeptheory.cheap.compile.network import CompiledNetwork as CompiledNetwork
from deeptheory.cheap.compile.problem import ToleranceError as ToleranceError
from deeptheory.cheap.compile.relu import relu_count as relu_count
from deeptheory.cheap.compile.to_polynomial import PolynomialApproximation as PolynomialApproximation
from deeptheory.cheap.compile.to_polynomial import to_polynomial as to_polynomial
from deeptheory.cheap.counting.costs import Cost as Cost
from deeptheory.cheap.counting.costs import cost as cost
from deeptheory.cheap.counting.counts import CONVENTIONS as CONVENTIONS
from deeptheory.cheap.counting.counts import Count as Count
from deeptheory.cheap.counting.counts import DepthCounts as DepthCounts
from deeptheory.cheap.counting.counts import neuron_count as neuron_count
from deeptheory.cheap.counting.counts import neurons_by_depth as neurons_by_depth
from deeptheory.cheap.counting.flattening import FlatteningCost as FlatteningCost
from deeptheory.cheap.counting.flattening import flattening_cost as flattening_cost
from deeptheory.cheap.counting.groups import product_optimum as product_optimum
from deeptheory.cheap.counting.groups import real_groups as real_groups
from deeptheory.cheap.hamiltonians.bayes import BayesSoftmax as BayesSoftmax
from deeptheory.cheap.hamiltonians.bayes import GaussianHamiltonian as GaussianHamiltonian
from deeptheory.cheap.hamiltonians.fit import HamiltonianFit as HamiltonianFit
from deeptheory.cheap.hamiltonians.fit import hamiltonian_fit as hamiltonian_fit
from deeptheory.cheap.hamiltonians.graph import FactorGraph as FactorGraph
from deeptheory.cheap.hamiltonians.graph import bonds as bonds
from deeptheory.cheap.hamiltonians.graph import ising as ising
from deeptheory.cheap.hamiltonians.graph import potts as potts
from deeptheory.cheap.hamiltonians.parameter_count import linear_map_count as linear_map_count
from deeptheory.cheap.hamiltonians.parameter_count import parameter_count as parameter_count
from deeptheory.cheap.hamiltonians.partition_function import partition_counterexample as partition_counterexample
from deeptheory.cheap.hamiltonians.renormalization import block_average as block_average
from deeptheory.cheap.hamiltonians.renormalization import gaussian_field as gaussian_field
from deeptheory.cheap.hamiltonians.renormalization import renormalization_flow as renormalization_flow
from deeptheory.cheap.hamiltonians.renormalization import renormalized as renormalized
from deeptheory.cheap.hamiltonians.terms import Assumptions as Assumptions
from deeptheory.cheap.hierarchy.hierarchy import MarkovHierarchy as MarkovHierarchy
from deeptheory.cheap.hierarchy.hierarchy import Theorem2 as Theorem2
from deeptheory.cheap.hierarchy.merging import Distillation as Distillation
from deeptheory.cheap.hierarchy.sources import lumpable_chain as lumpable_chain


def __dir__() -> list[str]:
    return sorted(k for k, v in globals().items() if not k.startswith("_") and not isinstance(v, _ModuleType))
