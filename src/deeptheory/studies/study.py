"""What a study is, and how it is run: steps in a run folder, then the ledger, the figures and the page."""

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.plugins import Registry
from deeptheory.core.results import Result
from deeptheory.runs.engines import Engine
from deeptheory.studies.settings import Setting

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

    from deeptheory.runs import Ledger, Results

_PARTS = {"steps": ("STEPS",), "claims": ("CLAIMS",), "figures": ("TITLE", "lead", "SECTIONS")}


def accept(name: str, loaded: Any) -> str:
    """The module of a plug-in's study, a folder like ours or one file with all parts.

    TypeError: no module with a STUDY. InputError: a STUDY of another name, without scales, or a part that is not there.
    """
    study = getattr(loaded, "STUDY", None)
    if not isinstance(loaded, ModuleType) or not isinstance(study, Study):
        raise TypeError(f"it is a {type(loaded).__name__}; needed: a module whose STUDY is a deeptheory.studies.Study")
    if study.name != name:
        raise InputError(f"the study calls itself {study.name!r}; give both one name")
    if not (study.scales and study.protocols):
        raise InputError("it has no scale or no protocol; it needs one of each")
    for scale in study.scales:
        study.values(scale)
    for part, needed in _PARTS.items():
        if not hasattr(loaded, "__path__"):
            lacking = [n for n in needed if not hasattr(loaded, n)]
        else:
            lacking = [] if find_spec(f"{loaded.__name__}.{part}") else [part]
        if lacking:
            raise InputError(f"{loaded.__name__} lacks {', '.join(lacking)}; a study has steps, claims and figures")
    return loaded.__name__


STUDIES: Registry[str] = Registry(
    "studies",
    {  # name -> module with STUDY
        "shwartz-ziv-tishby-2017": "deeptheory.studies.shwartz_ziv_tishby_2017",
        "tishby-zaslavsky-2015": "deeptheory.studies.tishby_zaslavsky_2015",
        "saxe-2018": "deeptheory.studies.saxe_2018",
        "goldfeld-2019": "deeptheory.studies.goldfeld_2019",
        "lin-tegmark-rolnick-2017": "deeptheory.studies.lin_tegmark_rolnick_2017",
        "rolnick-tegmark-2018": "deeptheory.studies.rolnick_tegmark_2018",
        "chang-tsao-2017": "deeptheory.studies.chang_tsao_2017",
        "sabour-2017": "deeptheory.studies.sabour_2017",
        "hinton-2018": "deeptheory.studies.hinton_2018",
    },
    accept=accept,
)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """One scale of a study. settings: value by name; cost: a sentence that is said before a run of it begins."""

    settings: Mapping[str, Any]
    cost: str


@dataclass(frozen=True, kw_only=True)
class Study:
    """A paper's experiments; loads no torch until a part of it is asked for.

    name: as in STUDIES; title: in a few words; scales: by name. paper: the citation. arxiv: its number there, by which
    the study is found as well. links: further addresses of it, (text, address). protocols: named sets of settings that
    were published, the first of them the default. settings: what a user may change. claim_setting(scale, protocol): of
    the claims that state none themselves, one of "published", "reference code", "scaled down" and "other data". count:
    the setting that says how many independent networks or draws there are.

    The study's folder has steps (STEPS, and where settings depend on each other check(settings), which raises
    InputError), claims (CLAIMS) and figures (TITLE, lead(settings, scale) -> str, SECTIONS, and where wanted MAIN,
    the name of the figure that the page opens with, notices(settings) -> list of str, and FIRST, the step and the
    maker of the figure that is drawn while the rest is still at work). A plug-in's may have all in one file."""

    name: str
    title: str
    paper: str
    arxiv: str = ""
    links: tuple[tuple[str, str], ...] = ()
    scales: Mapping[str, Scale]
    protocols: Mapping[str, Mapping[str, Any]]
    settings: Mapping[str, Setting] = field(default_factory=dict)
    claim_setting: Callable[[str, str], str] = lambda scale, protocol: "published"
    count: str = "networks"

    def values(
        self, scale: str, protocol: str | None = None, given: Mapping[str, Any] | None = None
    ) -> tuple[dict, dict]:
        """All settings with their values, and those of them that differ from what is published.

        Later ones win: the scale's settings, the protocol's (by default the first), those given. given: by name, as a
        user wrote them. Settings that no publication states never count as different. InputError: unknown scale,
        protocol or setting, or a value that its setting does not accept.
        """
        chosen = next(iter(self.protocols)) if protocol is None else protocol
        published = {**pick(self.scales, scale, what="scale").settings}
        published |= {**pick(self.protocols, chosen, what="protocol"), "protocol": chosen}
        read = {k: pick(self.settings, k, what="setting").read(k, v) for k, v in (given or {}).items()}
        stated = (True, scale)
        changed = {k: v for k, v in read.items() if v != published.get(k) and self.settings[k].published in stated}
        return published | read, changed

    def part(self, name: str) -> Any:
        """The module "steps", "claims" or "figures" of the study's folder; of a study in one file, that file.

        InputError: another name.
        """
        pick(_PARTS, name, what="part of a study")
        home = import_module(STUDIES[self.name])
        return import_module(f"{home.__name__}.{name}") if hasattr(home, "__path__") else home


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudyResult(Result):
    """A study that was run.

    study, scale: their names. claims: the Ledger. results: xarray.Dataset by step. folder: of the run, with
    report.html.
    """

    study: str
    scale: str
    folder: Folder
    claims: "Ledger"
    results: "Results"

    def __repr__(self) -> str:
        return f"StudyResult({self.study}, {self.scale}: {self.claims!r}, report in {self.folder / 'report.html'})"

    def table(self) -> "pandas.DataFrame":
        """The ledger, one row per claim: see Ledger.table."""
        return self.claims.table()

    def _shown(self) -> "pandas.DataFrame":
        return self.claims._shown()

    def dataset(self) -> "xarray.Dataset":
        """A study has no dataset of its own but one per step: InputError, always; use .results[STEP]."""
        raise InputError(f"a study has a dataset a step; use .results[NAME], NAME in {', '.join(self.results)}")

    def figure(self, name: str | None = None) -> "plotly.graph_objects.Figure":
        """A figure of the run by name, as in figures/NAME.json; the first of the page where no name is given.

        InputError: no figure of that name, or none at all. StoreError: a file of the run is missing or damaged.
        """
        from deeptheory.core.storage import read_json
        from deeptheory.runs import read_figure

        page = read_json(self.folder / "page.json", "run")
        names = [drawn for section in page["sections"] for drawn in section["figures"]]
        if name is None and not names:
            raise InputError("this run has no figure yet; run all its steps")
        return read_figure(self.folder, names[0] if name is None else name)

    def scalars(self) -> dict[str, float]:
        """Measured values by claim id: see Ledger.scalars."""
        return self.claims.scalars()


def find(name: str) -> Study:
    """The study of that name, or of the paper with that arXiv number ("1703.00810").

    The names are those of STUDIES; "arXiv:1703.00810v3" is read too. InputError: unknown (near names are suggested).
    """
    number = re.fullmatch(r"(?:arxiv[:\s]*)?(\d{4}\.\d{4,5})(?:v\d+)?", name.strip(), re.I)
    if number is None:
        return import_module(pick(STUDIES, name, what="study")).STUDY
    numbered = {s.arxiv: s for s in map(find, STUDIES) if s.arxiv}
    return pick(numbered, number[1], what="arXiv number")


def reproduce(
    study: str,
    scale: Literal["quick", "standard", "paper"] = "quick",
    out: str | Path | RemotePath | None = None,
    *,
    seed: int = 0,
    protocol: str | None = None,
    engine: Engine | str = "processes",
    jobs: int | None = None,
    only: str | None = None,
    resume: bool | None = None,
    progress: Any = None,
    **settings: Any,
) -> StudyResult:
    """Run a paper again, decide its claims, and write the ledger, the figures and report.html into the run folder.

    study: a name in STUDIES, or the paper's arXiv number. scale: "quick", "standard" or "paper", as far as the study
    has them. out: the run folder, by default runs/STUDY-SCALE, for another seed than 0 runs/STUDY-SCALE-SEED; a second
    call goes on where the first stopped; "s3://bucket/run" and the like name one in an object store. seed: networks,
    splits and resamples are drawn from it. protocol: a published set of settings by name. engine: "processes", with
    `jobs` workers (None: one per core), "serial", "dask" or "ray", or "dask:ADDRESS" or "ray:ADDRESS" of a cluster
    whose workers see the folder. only: one step alone; claims whose steps are not done read "not run". settings: by
    name, e.g. activation="relu"; a run in which a published one is changed decides no claim. resume: True wants a run
    in the folder, False wants none, None takes either. progress: as in runs.Run.execute.
    InputError: an unknown name, a value that is not accepted, seed no integer of 0 or more, a folder that resume does
    not want; nothing is run then. NotDone: only=, and a step that it needs is not done. StoreError: the folder holds
    another run, cannot be written, or another process works in it.
    """
    from deeptheory.report import write_page
    from deeptheory.runs import Run, decide, members
    from deeptheory.studies.early import early_figure
    from deeptheory.studies.pages import page

    known = find(study)
    values, changed = known.values(scale, protocol, settings)
    steps = known.part("steps")
    getattr(steps, "check", lambda values: None)(values)
    folder = Path("runs") / "-".join([known.name, scale, *([str(seed)] if seed else [])]) if out is None else place(out)
    command = _command(known.name, scale, seed, protocol, engine, only, settings, folder)
    run = Run(
        folder,
        study=known.name,
        scale=scale,
        seed=seed,
        settings=values,
        seeds=members(seed, values[known.count]),
        changed=changed,
        command=command,
        resume=resume,
    )
    early = early_figure(folder, known, run.settings)
    results = run.execute(steps.STEPS, engine=engine, jobs=jobs, only=only, progress=progress, after=early)
    setting = known.claim_setting(scale, values["protocol"])
    ledger = decide(
        known.part("claims").CLAIMS, results, scale=scale, command=command, changed=changed, setting=setting
    )
    ledger.write(folder)
    page(known.name, known.part("figures"), results, values, scale, changed).write(folder)
    write_page(folder)
    return StudyResult(study=known.name, scale=scale, folder=folder, claims=ledger, results=results)


def _command(
    study: str, scale: str, seed: int, protocol, engine: str, only: str | None, settings: Mapping, folder: Folder
) -> str:
    parts: list[str] = ["deeptheory", "reproduce", study, "--scale", scale, "--seed", str(seed)]
    parts += ["--engine", engine.partition(":")[0]]  # an address would say whose cluster it was
    parts += ["--protocol", protocol] if protocol else []
    parts += ["--only", only] if only else []
    parts += [p for k, v in settings.items() for p in ("--set", f"{k}={_text(v)}")]
    if not folder.is_absolute():  # an absolute path would say whose machine it was
        parts += ["--out", str(folder)]
    return shlex.join(parts)


def _text(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(str(v) for v in value)
    return value if isinstance(value, str) else json.dumps(value)
