"""Rolnick & Tegmark 2018, "The power of deeper networks for expressing natural functions" (arXiv 1705.05502).

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and figures.
"""

from deeptheory.studies.rolnick_tegmark_2018.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="rolnick-tegmark-2018",
    title="The power of deeper networks: counting neurons exactly, and training against the count",
    paper="Rolnick & Tegmark 2018, arXiv 1705.05502",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    body="deeptheory.studies.rolnick_tegmark_2018.body",
)
