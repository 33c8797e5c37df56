"""Sabour, Frosst & Hinton 2017, "Dynamic routing between capsules" (arXiv 1710.09829).

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and figures.
"""

from deeptheory.studies.sabour_2017.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="sabour-2017",
    title="Capsules routed by agreement: digits, moved digits, overlaid digits, and what a pose means",
    paper="Sabour, Frosst & Hinton 2017, arXiv 1710.09829; released program: Sarasra/models, research/capsules",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    setting=lambda scale, protocol: (
        "scaled down" if scale != "paper" else "reference code" if protocol == "code" else "published"
    ),
    body="deeptheory.studies.sabour_2017.body",
)
