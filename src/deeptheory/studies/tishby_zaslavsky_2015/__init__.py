"""Tishby & Zaslavsky 2015, "Deep learning and the information bottleneck principle" (arXiv 1503.02406).

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and figures.
"""

from deeptheory.studies.study import Study
from deeptheory.studies.tishby_zaslavsky_2015.protocols import KNOBS, PROTOCOLS, SCALES

STUDY = Study(
    name="tishby-zaslavsky-2015",
    title="Deep learning and the information bottleneck: figure 2 with real numbers",
    paper="Tishby & Zaslavsky 2015, arXiv 1503.02406; the paper has no experiment, so data and networks are ours",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    body="deeptheory.studies.tishby_zaslavsky_2015.body",
)
