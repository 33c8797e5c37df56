"""Goldfeld et al. 2019, "Estimating information flow in deep neural networks" (ICML), with Lorenzen, Igel & Nielsen 2022 and
Butakov et al. 2024: networks whose information is finite and known.

Here stands what can be said without running it: scales, protocols, knobs. The work is in steps, claims and page.
"""

from deeptheory.studies.goldfeld_2019.protocols import KNOBS, PROTOCOLS, SCALES
from deeptheory.studies.study import Study

STUDY = Study(
    name="goldfeld-2019",
    title="Estimating information flow: noisy networks, clustering, quantised networks, compressed estimates",
    paper="Goldfeld et al. 2019, arXiv 1810.05728; Lorenzen et al. 2022, arXiv 2106.12912; Butakov et al. 2024, arXiv 2305.08013",
    scales=SCALES,
    protocols=PROTOCOLS,
    knobs=KNOBS,
    # the noise is from memory, the optimizer assumed: not the papers' own settings until somebody has checked them
    setting=lambda scale, protocol: "published" if scale == "paper" else "scaled down",
    body="deeptheory.studies.goldfeld_2019.body",
)
