"""Chang & Tsao 2017, "The code for facial identity in the primate brain" (Cell 169:1013).

Here stands what can be said without running it: scales, protocols, knobs. The recordings are not public with the
coordinates of the faces that were shown, so that layers of networks stand in for areas, and their units for cells.
"""

from deeptheory.studies.chang_tsao_2017.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="chang-tsao-2017",
    title="The code for facial identity: axes, flat null planes and read-outs, in networks that tell people apart",
    paper="Chang & Tsao 2017, Cell 169:1013; measures as in their released code, with its units replaced by networks'",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    setting=lambda scale, protocol: "other data",
    body="deeptheory.studies.chang_tsao_2017.body",
)
