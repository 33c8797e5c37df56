"""list, reproduce, cite: papers run again."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from deeptheory.cli.application import Json, app, print_json, put, say, use_data
from deeptheory.cli.tables import print_table
from deeptheory.core.errors import InputError
from deeptheory.core.places import Folder


def study_names(incomplete: str) -> list[str]:
    """For completion by the shell."""
    from deeptheory.studies import STUDIES

    return [name for name in STUDIES if name.startswith(incomplete)]


@app.command("list")
def list_studies(
    study: Annotated[
        str | None,
        typer.Argument(help="One study, with its steps, settings and claims.", autocompletion=study_names),
    ] = None,
    plugins: Annotated[bool, typer.Option("--plugins", help="What other packages add, of every kind.")] = False,
    as_json: Json = False,
) -> None:
    """The studies, their scales and what those cost; of one study also protocols, settings and claims."""
    from deeptheory.cli.plugins import added, told
    from deeptheory.studies import STUDIES, find

    if plugins:
        if study is not None:
            raise InputError(f"--plugins lists what packages add, and {study!r} is one study; give one of them")
        print_json([vars(p) for p in added()]) if as_json else put(told(added()))
        return
    if study is not None:
        known = find(study)
        print_json(_described(known)) if as_json else _describe(known)
        return
    every = [find(name) for name in STUDIES]
    if as_json:
        print_json([_summary(s) for s in every])
        return
    for s in every:
        put(f"{s.name}\n  {s.title}\n  {s.paper}")
        for name, scale in s.scales.items():
            put(f"  --scale {name}: {scale.cost}")
        put(f"  --protocol {', '.join(s.protocols)}\n  --set {', '.join(s.settings)}")
    put("\ndeeptheory list STUDY: what its settings accept, and its claims")
    if added():
        put(f"\n{told(added())}")


def _summary(s) -> dict:
    """What is said of every study."""
    return {
        "name": s.name,
        "title": s.title,
        "paper": s.paper,
        "arxiv": s.arxiv,
        "scales": {k: v.cost for k, v in s.scales.items()},
        "protocols": list(s.protocols),
        "settings": {k: v.about for k, v in s.settings.items()},
    }


def _described(s) -> dict:
    """What is said of one study."""
    values = {scale: s.values(scale)[0] for scale in s.scales}
    return _summary(s) | {
        "scales": {k: {"cost": v.cost, "settings": dict(v.settings)} for k, v in s.scales.items()},
        "protocols": {k: dict(v) for k, v in s.protocols.items()},
        "settings": {
            k: {"about": v.about, "kind": v.kind, "range": v.range, "published": v.published,
                "default": {scale: given[k] for scale, given in values.items()}}
            for k, v in s.settings.items()
        },
        "steps": [step.name for step in s.part("steps").STEPS],
        "claims": [
            {"id": c.id, "source": c.source, "statement": c.statement,
            "region": c.region or ""} for c in s.part("claims").CLAIMS
        ],
    }  # fmt: skip


def _describe(s) -> None:
    """The same as text."""
    said = _described(s)
    put(f"{s.name}\n{s.title}\n{s.paper}\n\nscales (--scale)")
    for name, scale in s.scales.items():
        put(f"  {name}: {scale.cost}")
    put("\nprotocols (--protocol), the first by default")
    for name, values in s.protocols.items():
        put(f"  {name}: {', '.join(f'{k} = {_shown(v)}' for k, v in values.items())}")
    put("\nsettings (--set NAME=VALUE); * changing one leaves the verdicts")
    for name, setting in said["settings"].items():
        default = ", ".join(f"{scale} {_shown(v)}" for scale, v in setting["default"].items())
        star = "" if setting["published"] is True else " *"
        star += f" (not at scale {setting['published']})" if isinstance(setting["published"], str) else ""
        put(f"  {name}{star}: {setting['about']}; {setting['range']}; default: {default}")
    put(f"\nsteps (--only)\n  {', '.join(said['steps'])}")
    put(f"\nclaims ({len(said['claims'])})")
    for claim in said["claims"]:
        put(f"  {claim['id']}: {claim['region'] or 'no region'}")


def _shown(value: object) -> str:
    """A value as --set takes it."""
    return (
        ",".join(map(str, value))
        if isinstance(value, list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


@app.command()
def reproduce(
    study: Annotated[
        str | None,
        typer.Argument(
            help="A name that `deeptheory list` shows, or the paper's arXiv number.", autocompletion=study_names
        ),
    ] = None,
    scale: Annotated[str, typer.Option(help="quick, standard or paper, as far as the study has them.")] = "quick",
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Run folder, also s3://BUCKET/RUN; default runs/STUDY-SCALE, with -SEED for a seed other than 0.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="All randomness is drawn from it.")] = 0,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="A published set of settings, by name; default: the study's first (`deeptheory list STUDY`)."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="serial, processes, dask or ray, or dask:ADDRESS or ray:ADDRESS of a cluster.")
    ] = "processes",
    jobs: Annotated[int | None, typer.Option(help="Workers; default one a core.")] = None,
    only: Annotated[
        str | None, typer.Option(help="One step alone, by a name that `deeptheory list STUDY` shows.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only go on: an error where the folder holds no run.")
    ] = False,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE of a setting of the study; may be repeated.")
    ] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="More NAME=VALUE after --set.", metavar="[NAME=VALUE]...")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder to look for data in first (DEEPTHEORY_DATA).")] = None,
    fail_on: Annotated[
        str | None, typer.Option(help="Exit with 1 if any claim has this verdict, e.g. contradicted.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a paper again: steps, claims ledger, report. A killed run in the same folder goes on where it stopped."""
    from deeptheory.core.verdicts import VERDICTS
    from deeptheory.runs import members
    from deeptheory.studies import STUDIES, find
    from deeptheory.studies import reproduce as run

    if study is None:
        raise InputError(f"name a study, or the arXiv number of its paper; known: {', '.join(STUDIES)}")

    if fail_on is not None and fail_on not in VERDICTS:
        raise InputError(f"--fail-on is {fail_on!r}; known: {', '.join(VERDICTS)}")
    use_data(data)
    changed = dict(_change(text) for text in [*(changes or []), *(more or [])])
    known = find(study)
    known.values(scale, protocol, changed)  # what is refused is refused before its cost is stated
    members(seed, 1)
    if not as_json:
        say(f"{known.name}, scale {scale}: {known.scales[scale].cost}")
    result = run(
        study,
        cast(Any, scale),  # the words are checked where they are used
        out,
        seed=seed,
        protocol=protocol,
        engine=cast(Any, engine),
        jobs=jobs,
        only=only,
        resume=True if resume else None,
        **changed,
    )
    if as_json:
        print_json({"study": known.name, "scale": scale, "folder": str(result.folder), "claims": result.claims.rows()})
    else:
        _told(result.claims, result.folder)
    if fail_on is not None and result.claims.counts()[fail_on]:
        raise typer.Exit(1)


def _change(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise InputError(f"--set got {text!r}; write NAME=VALUE, e.g. activation=relu")
    return name, value


def _told(claims, folder: Folder) -> None:
    """What a run prints on stdout: the claims, the headline, and last what to open."""
    _ledger(claims.rows())
    _headline(claims)
    put(f"\nOpen in a browser: {folder / 'report.html'}")


def _headline(claims) -> None:
    """Verdicts counted by setting, and how far they can be trusted as a whole."""
    put("\n" + "\n".join(claims.headline()))
    judged = [e for e in claims if e.study_wise is not None]
    if judged:
        firm = sum(e.study_wise for e in judged)
        put(
            f"{firm} of the {len(judged)} verdicts from intervals hold for the study as a whole (Holm, 5 %); "
            f"at most {claims.wrong_by_chance():.2g} of them are expected to be wrong by chance"
        )


def _ledger(rows: list[dict]) -> None:
    """The claims on stdout: a table where it fits, else two lines per claim."""
    from deeptheory.report.page import interval

    cells = [
        (
            "not judged" if r["verdict"] == "measured, not judged" else r["verdict"],
            r["id"],
            interval(r),
            r["region"],
            "" if r["unit"] == "1" else r["unit"],
        )
        for r in rows
        if r["measured"] is not None
    ]
    print_table(("verdict", "claim", "measured [95 %]", "region", "unit"), cells)
    waiting = [r["id"] for r in rows if r["measured"] is None]
    if waiting:
        shown = ", ".join(waiting[:8]) + (
            f" and {len(waiting) - 8} more; the report gives each with its reason" if len(waiting) > 8 else ""
        )
        put(f"not run ({len(waiting)}): {shown}")


@app.command()
def cite(
    study: Annotated[
        str | None,
        typer.Argument(help="A study, or the paper's arXiv number; none: the package.", autocompletion=study_names),
    ] = None,
    as_json: Json = False,
) -> None:
    """BibTeX of a study's paper and of this package."""
    from deeptheory.studies.citing import bibtex

    entries = bibtex(study)
    print_json(entries) if as_json else print("\n\n".join(entries.values()))
