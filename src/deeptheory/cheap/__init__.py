"""Deep and cheap learning (Lin, Tegmark & Rolnick 2017; Rolnick & Tegmark 2018): compile, count, certify; and the physics.

One import line a file.
"""

from deeptheory.cheap.hierarchy import MarkovHierarchy as MarkovHierarchy
from deeptheory.cheap.hierarchy import Theorem2 as Theorem2
from deeptheory.cheap.hierarchy_merging import Distillation as Distillation
from deeptheory.cheap.hierarchy_sources import lumpable_chain as lumpable_chain
