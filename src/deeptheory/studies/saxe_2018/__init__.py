"""Saxe et al. 2018, "On the information bottleneck theory of deep learning" (ICLR; JSTAT 2019).

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and figures.
"""

from deeptheory.studies.saxe_2018.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="saxe-2018",
    title="On the information bottleneck theory: compression is a matter of the nonlinearity and of how one looks",
    paper="Saxe, Bansal, Dapello, Advani, Kolchinsky, Tracey & Cox 2018, ICLR; settings of their released program (ibsgd)",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    setting=lambda scale, protocol: "reference code",
    body="deeptheory.studies.saxe_2018.body",
)
