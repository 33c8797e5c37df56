"""The settings. The paper trains nothing and measures nothing, so that all sizes here are ours, chosen beforehand."""

from typing import Any

from deeptheory.studies.study import Knob, Scale, numbers, whole

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


KNOBS = {
    "seeds": Knob(read=whole, about="number of independent fields, and of parts of the data", published=False),
    "chains": Knob(read=whole, about="random chains for theorem 2", published=False),
    "samples": Knob(read=whole, about="samples of each simulated kind of data", published=False),
    "field": Knob(read=whole, about="sites a side of a field, even", published=False),
    "couplings": Knob(read=numbers, about="y_0,y_1,y_2 of the fields, above 0"),
    "k_max": Knob(read=float, about="largest wave number of the fits, radians a site"),
}
