"""Lin, Tegmark & Rolnick 2017, "Why does deep and cheap learning work so well?" (arXiv 1608.08225).

The paper trains nothing and measures nothing, so that all sizes here are ours, fixed before anything was measured.
"""

from typing import Any

from deeptheory.studies.settings import Setting, size
from deeptheory.studies.study import Scale, Study

PROTOCOLS: dict[str, dict[str, Any]] = {"text": {"couplings": [0.02, 1.0, 4.0], "k_max": 1.2}}
SCALES = {
    "quick": Scale(
        settings={"seeds": 8, "chains": 1000, "field": 512, "samples": 20_000},
        cost="1 to 3 minutes on 2 cores: 1,000 chains, 8 fields of 512 x 512, four kinds of data in 8 parts",
    ),
    "standard": Scale(
        settings={"seeds": 24, "chains": 10_000, "field": 512, "samples": 100_000},
        cost="about 10 minutes on 2 cores: 10,000 chains, 24 fields, four kinds of data in 24 parts",
    ),
    "paper": Scale(
        settings={"seeds": 50, "chains": 10_000, "field": 1024, "samples": 100_000},
        cost="about 30 minutes on 2 cores: the paper states no sizes; 10,000 chains, 50 fields of 1024 x 1024",
    ),
}

SETTINGS = {
    "seeds": size(
        "number of independent fields, and of parts of the data, each with two of 1,797 images or more",
        least=2,
        most=898,
    ),
    "chains": size("random chains for theorem 2", least=2),
    "samples": size("samples of each simulated kind of data", least=1000),
    "field": Setting(
        "integer", "sites per side of a field, even", least=64, rule=lambda n: n % 2 == 0, published=False
    ),
    "couplings": Setting("numbers", "y_0,y_1,y_2 of the fields", above=0, length=(3, 3)),
    "k_max": Setting("number", "largest wave number of the fits, radians per site", above=0),
}

STUDY = Study(
    name="lin-tegmark-rolnick-2017",
    title="Why does deep and cheap learning work: gates, Hamiltonians, hierarchies and flattening, measured",
    paper="Lin, Tegmark & Rolnick 2017, arXiv 1608.08225",
    arxiv="1608.08225",
    count="seeds",
    scales=SCALES,
    protocols=PROTOCOLS,
    settings=SETTINGS,
)
