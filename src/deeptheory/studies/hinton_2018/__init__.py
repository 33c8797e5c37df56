"""Hinton, Sabour & Frosst 2018, "Matrix capsules with EM routing" (ICLR; OpenReview HJWLfGWRb).

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and figures.
"""

from deeptheory.studies.hinton_2018.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="hinton-2018",
    title="Matrix capsules routed by EM: new viewpoints, ablations, votes, attacks",
    paper="Hinton, Sabour & Frosst 2018, ICLR, OpenReview HJWLfGWRb; released program: google-research, capsule_em",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    setting=lambda scale, protocol: (
        "other data" if scale != "paper" else "reference code" if protocol == "code" else "published"
    ),
    body="deeptheory.studies.hinton_2018.body",
)
