"""The page of an axis code: a run folder without claims, with the bench's figures, each saying how far to trust it."""

from pathlib import Path

import numpy as np

from deeptheory.axis import AxisCode
from deeptheory.core.errors import InputError
from deeptheory.core.storage import write_text
from deeptheory.runs import Page, PageFigure, Record, Section

_DOUBT = "Simulated cells of known code say how often this is right: the page “What these tests can and cannot tell”."


def write_axis_page(code: AxisCode, out: str | Path, *, command: str = "axis_code(...)", source: str = "") -> Path:
    """Write figures, their numbers and report.html of an axis code into the folder `out`; the page's path.

    code: what dt.axis_code returned. out: is made where it is missing; units.csv in it is code.table(). command: what
    was called, for the foot of the page. source: a sentence on what responses and features are, for its head.
    StoreError: the folder holds something else, or cannot be written.
    """
    from deeptheory.report import write_page

    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    settings = {"normalize": code.normalize, "units": len(code.units), "stimuli": code.stimuli}
    if code.models is not None:
        settings |= {"folds": code.models.folds, "radius bound": round(code.models.bound, 4)}
    record = Record(
        study="axis",
        scale="own data",
        seed=code.seed,
        seeds=[],
        settings=settings,
        changed={},
        threads=1,
        command=command,
    ).enter(out, None)
    write_text(out / "claims.json", "[]")
    write_text(out / "units.csv", code.table().to_csv(index=False, lineterminator="\n"))
    axis_page(code, source).write(out)
    record.finish(out)
    write_page(out)
    return out / "report.html"


def axis_page(code: AxisCode, source: str = "") -> Page:
    """The page itself, for other pages that show an axis code among other things.

    One unit, and units of which one has no axis, have no figure of how axes lie to each other; a notice says so.
    """
    notices = code.notes
    try:
        geometry = [_geometry(code)]
    except InputError as error:
        geometry, notices = [], (*notices, f"how the axes lie to each other cannot be shown: {error}")
    sections = [
        Section(
            title="Tuning along the axis",
            text="The preferred axis is the mean of the stimuli weighted by the response above its mean.",
            figures=(_ramp(code), *([_preference(code)] if len(code.preference.blocks) > 1 else []), *geometry),
        ),
        Section(
            title="Flat orthogonal to it?",
            text="An axis cell responds alike to all stimuli of the same projection, however they differ.",
            figures=(_flatness(code),),
        ),
        Section(
            title="Reading the population",
            text="Each stimulus is decoded from the others.",
            figures=(_decoding(code), _identification(code)),
        ),
    ]
    if code.models is not None:
        rivals = Section(
            title="Which code?",
            text="Rival models of each unit, scored on stimuli that they were not fitted to.",
            figures=(_models(code),),
        )
        sections.insert(0, rivals)
    return Page(
        title="Which code do these units use?", lead=_lead(code, source), sections=tuple(sections), notices=notices
    )


def _lead(code: AxisCode, source: str) -> str:
    said = f"{len(code.units)} units, {code.stimuli} stimuli, features normalized by “{code.normalize}”"
    if code.models is not None:
        said += ": " + ", ".join(f"{n} {name}" for name, n in code.models.counts.items() if n)
    return f"{source}{' ' if source else ''}{said}."


def _models(code: AxisCode) -> PageFigure:
    assert code.models is not None
    return PageFigure(
        name="models",
        title="Axis against exemplar, held out",
        figure=code.figure("models"),
        table=code.models.table(),
        shows="Above the diagonal the axis predicts new stimuli better. Colors are verdicts, which also weigh norm x "
        "direction, energy, angle, a full quadratic and two energies, need half of the ceiling where there are trials, "
        "and may be undetermined; the table says why.",
        limitations=f"The exemplar has all its coordinates free within |e| <= {code.models.bound:.3g}; without a "
        f"bound it becomes an axis. Verdicts at half and twice the bound stand in the table. {_DOUBT}",
        alt="Scatter plot, one dot a unit: held-out R squared of the axis model against that of the exemplar model.",
    )


def _ramp(code: AxisCode) -> PageFigure:
    return PageFigure(
        name="ramp",
        title="The most tuned units along their own axes",
        figure=code.figure("ramp"),
        table=code.ramp.table(),
        shows=f"{int(code.ramp.tuned.sum())} of {len(code.units)} units are tuned (shuffled stimuli, false discovery "
        f"rate 5 %), {int((code.ramp.tuned & code.ramp.monotone).sum())} of them shown to rise monotonically: on "
        "left-out stimuli no fall of more than 15 % of the curve's range within 2 standard deviations (95 %).",
        limitations="Exemplar cells ramp too: a ramp alone says nothing about the code. The axis is made from the same "
        "responses; significance is against shuffles that have axes of their own.",
        alt="Line plots of mean response with standard errors in bins along the preferred axis, one line a unit.",
    )


def _preference(code: AxisCode) -> PageFigure:
    first = code.preference.blocks[0]
    return PageFigure(
        name="preference",
        title=f"Preference for {first}",
        figure=code.figure("preference"),
        table=code.preference.table(),
        shows=f"Right: axes lie in {first}; left: in the others. Gray: where untuned units would lie. A unit is "
        f"tuned to a median of {float(np.median(code.preference.tuned_dimensions)):g} features.",
        limitations="The index depends on how blocks are normalized, and noise pulls it to the gray band.",
        alt="Histogram of the preference index of all units, with the band of the shuffled null.",
    )


def _geometry(code: AxisCode) -> PageFigure:
    found = code.geometry()
    return PageFigure(
        name="geometry",
        title="How the axes lie to each other",
        figure=found.figure(),
        table=found.table(),
        shows=f"{len(found.cosines)} axes span {found.rank} of {found.most} dimensions (participation ratio "
        f"{found.participation:.1f}, random directions {found.null_participation[0]:.1f}).",
        limitations=f"At most {found.most} axes can be mutually orthogonal. Whitened axes; "
        "noise makes them look more random.",
        alt="Histogram of the cosines between the axes of all pairs of units.",
    )


def _flatness(code: AxisCode) -> PageFigure:
    return PageFigure(
        name="flatness",
        title="Variance explained along the axis and orthogonal to it",
        figure=code.figure("flatness"),
        table=code.flatness.table(),
        shows=f"{int((code.flatness.flat & code.ramp.tuned).sum())} of the {int(code.ramp.tuned.sum())} tuned units "
        f"are flat: nothing found where a tenth of the axis's share would have been, or less than 5 % of it. "
        "Units without tuning lie on the left.",
        limitations="Squares along all orthogonal axes, cleared of all that is linear in the features, F test; below "
        "the dotted line an effect would usually be missed. Norm x direction passes this test.",
        alt="Scatter plot, one dot a unit: share of variance orthogonal to the axis against share along it.",
    )


def _decoding(code: AxisCode) -> PageFigure:
    return PageFigure(
        name="decoding",
        title="Which features can be read out",
        figure=code.figure("decoding"),
        table=code.decoding.table(),
        shows="Explained variance of each feature, each stimulus left out in turn; negative where reading it fails.",
        limitations=" ".join(("Linear decoder; exemplar populations decode well, too.", *code.decoding.notes)),
        alt="Line plot of explained variance by feature, blocks of features in colors.",
    )


def _identification(code: AxisCode) -> PageFigure:
    numbers = [k for k in (2, 5, 10, 20, 40, 100, 200, 400) if k <= code.stimuli]
    sizes = [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500) if k < len(code.units)]
    found = code.identification(numbers, sizes)
    return PageFigure(
        name="identification",
        title="Which stimulus was it?",
        figure=found.figure(),
        table=found.table(),
        shows=f"Of {numbers[-1]} candidates all units together identify {float(found):.0%}, the best single unit "
        f"{found.best_single[-1]:.0%}, chance {1 / numbers[-1]:.1%}.",
        limitations="Exact expectation over all sets of candidates; units are subsets drawn at random. High "
        "identification does not single out an axis code.",
        alt="Two line plots: share identified against the number of candidates, and against the number of units.",
    )
