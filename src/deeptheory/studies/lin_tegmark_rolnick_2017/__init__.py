"""Lin, Tegmark & Rolnick 2017, "Why does deep and cheap learning work so well?" (arXiv 1608.08225).

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and figures.
"""

from deeptheory.studies.lin_tegmark_rolnick_2017.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="lin-tegmark-rolnick-2017",
    title="Why does deep and cheap learning work: gates, Hamiltonians, hierarchies and flattening, measured",
    paper="Lin, Tegmark & Rolnick 2017, arXiv 1608.08225",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    body="deeptheory.studies.lin_tegmark_rolnick_2017.body",
)
