"""Deep and cheap learning (Lin, Tegmark & Rolnick 2017; Rolnick & Tegmark 2018): compile, count, certify; and the physics.

One import line a file.
"""

from deeptheory.cheap.bayes import BayesSoftmax as BayesSoftmax
from deeptheory.cheap.bayes import GaussianHamiltonian as GaussianHamiltonian
from deeptheory.cheap.hamiltonian_graph import FactorGraph as FactorGraph
from deeptheory.cheap.hamiltonian_graph import bonds as bonds
from deeptheory.cheap.hamiltonian_graph import ising as ising
from deeptheory.cheap.hamiltonian_graph import potts as potts
from deeptheory.cheap.hierarchy import MarkovHierarchy as MarkovHierarchy
from deeptheory.cheap.hierarchy import Theorem2 as Theorem2
from deeptheory.cheap.hierarchy_merging import Distillation as Distillation
from deeptheory.cheap.hierarchy_sources import lumpable_chain as lumpable_chain
from deeptheory.cheap.partition_function import partition_counterexample as partition_counterexample
from deeptheory.cheap.renormalisation import block_average as block_average
from deeptheory.cheap.renormalisation import gaussian_field as gaussian_field
from deeptheory.cheap.renormalisation import renormalisation_flow as renormalisation_flow
from deeptheory.cheap.renormalisation import renormalised as renormalised
