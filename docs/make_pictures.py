"""The pictures of the papers' pages, from the small runs stored for the tests.

PYTHONPATH=tests python docs/make_pictures.py. Chosen: figures that are exact at any size of a run (one neuron, gates,
the bound), so that a small run shows what a large one does.
"""

from pathlib import Path

from drawn import draw

from deeptheory.studies import find
from oracles.stored_runs import load

IMAGES = Path(__file__).parent / "images"
FIGURES = {"tishby-zaslavsky-2015": "figure-2", "saxe-2018": "one-neuron", "goldfeld-2019": "one-neuron",
           "lin-tegmark-rolnick-2017": "gates"}  # fmt: skip


def main() -> None:
    for study, name in FIGURES.items():
        results, settings, _ = load(study)
        makers = [make for _, _, makers in find(study).part("figures").SECTIONS for make in makers]
        for make in makers:
            plate = make(results, settings)
            if plate is not None and plate.name == name:
                draw(plate.figure, IMAGES / f"{study}.png", width=6.4, legend=True)
                break
        else:
            raise SystemExit(f"{study} draws no {name}")


if __name__ == "__main__":
    main()
