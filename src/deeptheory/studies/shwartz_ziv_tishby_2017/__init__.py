"""Shwartz-Ziv & Tishby 2017, "Opening the black box of deep neural networks via information" (arXiv 1703.00810).

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and figures.
"""

from deeptheory.studies.shwartz_ziv_tishby_2017.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="shwartz-ziv-tishby-2017",
    title="Opening the black box: fitting, compression and gradient phases in the information plane",
    paper="Shwartz-Ziv & Tishby 2017, arXiv 1703.00810; code protocol: their released program (IDNNs)",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    setting=lambda scale, protocol: "reference code" if protocol == "code" else "published",
    body="deeptheory.studies.shwartz_ziv_tishby_2017.body",
)
