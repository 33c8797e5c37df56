"""Deep and cheap learning (Lin, Tegmark & Rolnick 2017; Rolnick & Tegmark 2018): compile, count, certify; and the physics.

One import line a file.
"""

from deeptheory.cheap.activations import ACTIVATIONS as ACTIVATIONS
from deeptheory.cheap.bayes import BayesSoftmax as BayesSoftmax
from deeptheory.cheap.bayes import GaussianHamiltonian as GaussianHamiltonian
from deeptheory.cheap.certificates import Certificate as Certificate
from deeptheory.cheap.compiler import ToleranceError as ToleranceError
from deeptheory.cheap.compiler import compile_polynomial as compile_polynomial
from deeptheory.cheap.costs import Cost as Cost
from deeptheory.cheap.costs import cost as cost
from deeptheory.cheap.counts import CONVENTIONS as CONVENTIONS
from deeptheory.cheap.counts import Count as Count
from deeptheory.cheap.counts import DepthCounts as DepthCounts
from deeptheory.cheap.counts import neuron_count as neuron_count
from deeptheory.cheap.counts import neurons_by_depth as neurons_by_depth
from deeptheory.cheap.flattening import FlatteningCost as FlatteningCost
from deeptheory.cheap.flattening import flattening_cost as flattening_cost
from deeptheory.cheap.gates import Gate as Gate
from deeptheory.cheap.gates import bit_product_gate as bit_product_gate
from deeptheory.cheap.gates import identity_gate as identity_gate
from deeptheory.cheap.gates import monomial_layer as monomial_layer
from deeptheory.cheap.gates import product_gate as product_gate
from deeptheory.cheap.gates import square_gate as square_gate
from deeptheory.cheap.groups import product_optimum as product_optimum
from deeptheory.cheap.groups import real_groups as real_groups
from deeptheory.cheap.hamiltonian_count import linear_map_count as linear_map_count
from deeptheory.cheap.hamiltonian_count import parameter_count as parameter_count
from deeptheory.cheap.hamiltonian_fit import HamiltonianFit as HamiltonianFit
from deeptheory.cheap.hamiltonian_fit import hamiltonian_fit as hamiltonian_fit
from deeptheory.cheap.hamiltonian_graph import FactorGraph as FactorGraph
from deeptheory.cheap.hamiltonian_graph import bonds as bonds
from deeptheory.cheap.hamiltonian_graph import ising as ising
from deeptheory.cheap.hamiltonian_graph import potts as potts
from deeptheory.cheap.hamiltonian_terms import Assumptions as Assumptions
from deeptheory.cheap.hierarchy import MarkovHierarchy as MarkovHierarchy
from deeptheory.cheap.hierarchy import Theorem2 as Theorem2
from deeptheory.cheap.hierarchy_merging import Distillation as Distillation
from deeptheory.cheap.hierarchy_sources import lumpable_chain as lumpable_chain
from deeptheory.cheap.network import CompiledNetwork as CompiledNetwork
from deeptheory.cheap.partition_function import partition_counterexample as partition_counterexample
from deeptheory.cheap.reading import PolynomialApproximation as PolynomialApproximation
from deeptheory.cheap.reading import to_polynomial as to_polynomial
from deeptheory.cheap.relu import relu_count as relu_count
from deeptheory.cheap.renormalisation import block_average as block_average
from deeptheory.cheap.renormalisation import gaussian_field as gaussian_field
from deeptheory.cheap.renormalisation import renormalisation_flow as renormalisation_flow
from deeptheory.cheap.renormalisation import renormalised as renormalised
