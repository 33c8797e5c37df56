"""The pictures of the papers' pages, from the small runs stored for the tests; that of the front page, from a demo.

PYTHONPATH=tests python docs/make_pictures.py [RUN]. Chosen: figures that are exact at any size of a run (one neuron,
gates, the bound), so that a small run shows what a large one does; of RUN, a demo, its first figure.
"""

import sys
from pathlib import Path

from drawn import draw

from deeptheory.runs import Results, read_record
from deeptheory.runs.steps import in_order
from deeptheory.studies import find
from oracles.stored_runs import load

IMAGES = Path(__file__).parent / "images"
FIGURES = {"tishby-zaslavsky-2015": "figure-2", "saxe-2018": "one-neuron", "goldfeld-2019": "one-neuron",
           "lin-tegmark-rolnick-2017": "gates"}  # fmt: skip


def plane(run: Path) -> None:
    """The information plane of a run of shwartz-ziv-tishby-2017, at its last epoch, with the way there."""
    record, study = read_record(run), find("shwartz-ziv-tishby-2017")
    settings = {**record.settings, "seed": record.seed}
    results = Results(run, in_order(study.part("steps").STEPS), settings)
    step, make = study.part("figures").FIRST
    drawn = make({step: results[step]}, settings)
    draw(drawn.figure, IMAGES / "plane.png", width=7.2, height=3.6, legend=True)


def main() -> None:
    if len(sys.argv) > 1:
        plane(Path(sys.argv[1]))
        return
    for study, name in FIGURES.items():
        results, settings, _ = load(study)
        makers = [make for _, _, makers in find(study).part("figures").SECTIONS for make in makers]
        for make in makers:
            drawn = make(results, settings)
            if drawn is not None and drawn.name == name:
                draw(drawn.figure, IMAGES / f"{study}.png", width=6.4, legend=True)
                break
        else:
            raise SystemExit(f"{study} draws no {name}")


if __name__ == "__main__":
    main()
