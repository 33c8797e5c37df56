"""What a study is, and how it is run: steps in a run folder, then the ledger, the plates and the page."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick, unknown
from deeptheory.core.results import Result

if TYPE_CHECKING:
    from deeptheory.runs import Ledger, Results

STUDIES = {  # name -> module with STUDY
    "shwartz-ziv-tishby-2017": "deeptheory.studies.shwartz_ziv_tishby_2017",
    "tishby-zaslavsky-2015": "deeptheory.studies.tishby_zaslavsky_2015",
    "saxe-2018": "deeptheory.studies.saxe_2018",
    "goldfeld-2019": "deeptheory.studies.goldfeld_2019",
    "lin-tegmark-rolnick-2017": "deeptheory.studies.lin_tegmark_rolnick_2017",
    "rolnick-tegmark-2018": "deeptheory.studies.rolnick_tegmark_2018",
    "chang-tsao-2017": "deeptheory.studies.chang_tsao_2017",
    "sabour-2017": "deeptheory.studies.sabour_2017",
    "hinton-2018": "deeptheory.studies.hinton_2018",
}


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Settings of a scale, and what it costs: a sentence that is said before a run of it begins."""

    settings: Mapping[str, Any]
    cost: str


@dataclass(frozen=True, kw_only=True)
class Knob:
    """A setting that a user may turn. about: one line. published: False for sizes that no claim states."""

    read: Callable[[Any], Any]
    about: str
    published: bool = True


def whole(value: Any) -> int:
    """For Knob.read: a whole number, also as 1e3. ValueError: a fraction, infinity, NaN."""
    number = float(value)
    if not number.is_integer():
        raise ValueError(value)
    return int(number)


def numbers(value: Any) -> list[float]:
    """For Knob.read: numbers, a list or text with commas."""
    return [float(p) for p in (value.split(",") if isinstance(value, str) else value)]


def whole_numbers(value: Any) -> list[int]:
    """For Knob.read: whole numbers, a list or text with commas."""
    return [whole(p) for p in (value.split(",") if isinstance(value, str) else value)]


@dataclass(frozen=True, kw_only=True)
class Study:
    """A paper's experiments. Importing the module that holds it loads no torch; `body` names the one that does the work.

    protocols: named sets of settings that were published, the first of them the default. setting(scale, protocol): of the
    claims that state none themselves, one of runs.region.SETTINGS. body: a module with
    STEPS, CLAIMS, members(settings) -> seeds, check(settings) and page(results, ledger, settings) -> runs.Page.
    """

    name: str
    title: str
    paper: str
    scales: Mapping[str, Scale]
    protocols: Mapping[str, Mapping[str, Any]]
    knobs: Mapping[str, Knob] = field(default_factory=dict)
    setting: Callable[[str, str], str] = lambda scale, protocol: "published"
    body: str

    def settings(self, scale: str, protocol: str | None, knobs: Mapping[str, Any]) -> tuple[dict, dict]:
        """All settings, and those of them that no publication states. InputError: unknown scale, protocol or knob, or
        a value that the knob cannot read."""
        chosen = next(iter(self.protocols)) if protocol is None else protocol
        published = {**pick(self.scales, scale, what="scale").settings}
        published |= {**pick(self.protocols, chosen, what="protocol"), "protocol": chosen}
        turned = {}
        for name, value in knobs.items():
            if name not in self.knobs:
                raise InputError(unknown(name, self.knobs, what="knob"))
            try:
                turned[name] = self.knobs[name].read(value)
            except (TypeError, ValueError) as error:
                raise InputError(f"{name} is {value!r}; needed: {self.knobs[name].about}") from error
        changed = {k: v for k, v in turned.items() if v != published.get(k) and self.knobs[k].published}
        return published | turned, changed


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudyResult(Result):
    """A study that was run. claims: the ledger. results: Dataset by step. folder: of the run, with report.html."""

    study: str
    scale: str
    folder: Path
    claims: "Ledger"
    results: "Results"

    def __repr__(self) -> str:
        return f"StudyResult({self.study}, {self.scale}: {self.claims!r}, report in {self.folder / 'report.html'})"

    def table(self):
        """The ledger, one row a claim."""
        return self.claims.table()

    def dataset(self):
        """InputError: a study has several; use .results[STEP]."""
        raise InputError(f"a study has a dataset a step; use .results[NAME], NAME in {', '.join(self.results)}")

    def figure(self, name: str | None = None) -> Any:
        """A figure of the run by name, as in figures/NAME.json; the first of the page where no name is given."""
        from deeptheory.core.storage import read_json
        from deeptheory.runs import read_figure

        page = read_json(self.folder / "page.json", "run")
        names = [plate for section in page["sections"] for plate in section["plates"]]
        if name is None and not names:
            raise InputError("this run has no figure yet; run all its steps")
        return read_figure(self.folder, names[0] if name is None else name)

    def scalars(self) -> dict[str, float]:
        """Measured values by claim id."""
        return self.claims.scalars()


def find(name: str) -> Study:
    """The study of that name. InputError: unknown (near names are suggested)."""
    return import_module(pick(STUDIES, name, what="study")).STUDY


def reproduce(
    study: str,
    scale: str = "quick",
    out: str | Path | None = None,
    seed: int = 0,
    *,
    protocol: str | None = None,
    engine: str = "serial",
    jobs: int | None = None,
    only: str | None = None,
    resume: bool | None = None,
    progress: Any = None,
    **knobs: Any,
) -> StudyResult:
    """Run a paper again and decide its claims.

    study: a name in STUDIES. scale: "quick", "standard" or "paper", as far as the study has them. out: the run folder,
    by default runs/STUDY-SCALE; a second call goes on where the first stopped. seed: networks, splits and bootstrap are
    drawn from it. protocol: a published set of settings by name. engine: "serial" or "processes", with `jobs` workers.
    only: one step alone. knobs: settings by name, e.g. activation="relu"; a run with one turned decides no published
    claim. progress: as in runs.Run.execute.
    InputError: an unknown name, a value that cannot be read. StoreError: the folder holds another run.
    """
    from deeptheory.report import write_page
    from deeptheory.runs import Run, decide

    known = find(study)
    settings, changed = known.settings(scale, protocol, knobs)
    body = import_module(known.body)
    body.check(settings)
    folder = (
        Path(out) if out is not None else Path("runs") / "-".join([study, scale, *map(str, [seed] if seed else [])])
    )
    command = _command(study, scale, seed, protocol, engine, knobs, folder)
    run = Run(
        folder,
        study=study,
        scale=scale,
        seed=seed,
        settings=settings,
        seeds=body.members({**settings, "seed": seed}),
        changed=changed,
        command=command,
        resume=resume,
    )
    results = run.execute(body.STEPS, engine=engine, jobs=jobs, only=only, progress=progress)
    setting = known.setting(scale, settings["protocol"])
    ledger = decide(body.CLAIMS, results, scale=scale, command=command, changed=changed, setting=setting)
    ledger.write(folder)
    body.page(results, ledger, settings, scale, changed).write(folder)
    write_page(folder)
    return StudyResult(study=study, scale=scale, folder=folder, claims=ledger, results=results)


def _command(study: str, scale: str, seed: int, protocol, engine: str, knobs: Mapping, folder: Path) -> str:
    parts: list[str] = ["deeptheory", "reproduce", study, "--scale", scale, "--seed", str(seed), "--engine", engine]
    parts += ["--protocol", protocol] if protocol else []
    parts += [p for k, v in knobs.items() for p in ("--set", f"{k}={_text(v)}")]
    if not folder.is_absolute():  # an absolute path would say whose machine it was
        parts += ["--out", str(folder)]
    return shlex.join(parts)


def _text(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(str(v) for v in value)
    return value if isinstance(value, str) else json.dumps(value)
