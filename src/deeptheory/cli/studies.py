"""list, reproduce, report: papers run again."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deeptheory.cli.application import Json, app, print_json, say, use_data
from deeptheory.core.errors import InputError


@app.command("list")
def list_studies(as_json: Json = False) -> None:
    """The studies, their scales, what those cost, and the knobs."""
    from deeptheory.studies import STUDIES, find

    known = [find(name) for name in STUDIES]
    if as_json:
        print_json([
            {
                "name": s.name,
                "title": s.title,
                "paper": s.paper,
                "scales": {k: v.cost for k, v in s.scales.items()},
                "protocols": list(s.protocols),
                "knobs": {k: v.about for k, v in s.knobs.items()},
            }
            for s in known
        ])  # fmt: skip
        return
    for s in known:
        print(f"{s.name}\n  {s.title}\n  {s.paper}")
        for name, scale in s.scales.items():
            print(f"  --scale {name}: {scale.cost}")
        print(f"  --protocol {', '.join(s.protocols)}\n  --set {', '.join(s.knobs)}")


@app.command()
def reproduce(
    study: Annotated[str, typer.Argument(help="A name that `deeptheory list` shows.")],
    scale: Annotated[str, typer.Option(help="quick, standard or paper, as far as the study has them.")] = "quick",
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/STUDY-SCALE.")] = None,
    seed: Annotated[int, typer.Option(help="All randomness is drawn from it.")] = 0,
    protocol: Annotated[str | None, typer.Option(help="A published set of settings, by name.")] = None,
    engine: Annotated[str, typer.Option(help="serial or processes.")] = "processes",
    jobs: Annotated[int | None, typer.Option(help="Workers; default one a core.")] = None,
    only: Annotated[str | None, typer.Option(help="One step alone.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder; error if none.")] = False,
    knobs: Annotated[list[str] | None, typer.Option("--set", help="KNOB=VALUE, may be repeated.")] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="More KNOB=VALUE after --set.", metavar="[KNOB=VALUE]...")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder to look for data in first (DEEPTHEORY_DATA).")] = None,
    fail_on: Annotated[str | None, typer.Option(help="Exit 1 if a claim has this verdict, e.g. contradicted.")] = None,
    as_json: Json = False,
) -> None:
    """Run a paper again: steps, claims ledger, report. A killed run goes on where it stopped."""
    from deeptheory.core.verdicts import VERDICTS
    from deeptheory.studies import find
    from deeptheory.studies import reproduce as run

    if fail_on is not None and fail_on not in VERDICTS:
        raise InputError(f"--fail-on is {fail_on!r}; known: {', '.join(VERDICTS)}")
    use_data(data)
    turned = dict(_knob(text) for text in [*(knobs or []), *(more or [])])
    known = find(study)
    if scale in known.scales and not as_json:
        say(f"{study}, scale {scale}: {known.scales[scale].cost}")
    result = run(
        study,
        scale,
        out,
        seed,
        protocol=protocol,
        engine=engine,
        jobs=jobs,
        only=only,
        resume=True if resume else None,
        **turned,
    )
    if as_json:
        print_json({"study": study, "scale": scale, "folder": str(result.folder), "claims": result.claims.rows()})
    else:
        _ledger(result.claims.rows())
        _headline(result.claims)
        print(f"report: {result.folder / 'report.html'}")
    if fail_on is not None and result.claims.counts()[fail_on]:
        raise typer.Exit(1)


def _knob(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise InputError(f"--set got {text!r}; write KNOB=VALUE, e.g. activation=relu")
    return name, value


def _headline(claims) -> None:
    """Verdicts counted by setting, and how far they can be trusted as a whole."""
    print("\n" + "\n".join(claims.headline()))
    judged = [e for e in claims if e.study_wise is not None]
    if judged:
        firm = sum(e.study_wise for e in judged)
        print(
            f"{firm} of the {len(judged)} verdicts from intervals hold for the study as a whole (Holm, 5 %); "
            f"at most {claims.wrong_by_chance():.2g} of them are expected to be wrong by chance"
        )


def _ledger(rows: list[dict]) -> None:
    """The claims table on stdout: coloured on a terminal, plain columns elsewhere."""
    from rich.console import Console
    from rich.table import Table

    from deeptheory.report.page import interval

    colors = {
        "reproduced": "green",
        "holds here": "green",
        "contradicted": "red",
        "fails here": "red",
        "inconclusive": "yellow",
    }
    table = Table(box=None, pad_edge=False)
    for name in ("verdict", "claim", "measured [95 %]", "region", "unit"):
        table.add_column(name, no_wrap=name != "unit", overflow="fold")
    shown = [r for r in rows if r["measured"] is not None]
    for row in shown:
        color = colors.get(row["verdict"], "dim")
        unit = "" if row["unit"] == "1" else row["unit"]
        verdict = "not judged" if row["verdict"] == "measured, not judged" else row["verdict"]
        cells = (interval(row).replace("[", r"\["), row["region"].replace("[", r"\["), unit)
        table.add_row(f"[{color}]{verdict}[/]", row["id"], *cells)
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    waiting = [r["id"] for r in rows if r["measured"] is None]
    if waiting:
        shown = ", ".join(waiting[:8]) + (
            f" and {len(waiting) - 8} more; the report gives each with its reason" if len(waiting) > 8 else ""
        )
        print(f"not run ({len(waiting)}): {shown}")


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Json = False,
) -> None:
    """Build the page of a run again from the files in its folder."""
    from deeptheory.report import write_page

    if not run.is_dir():
        raise InputError(f"{run} is no folder; give that of a run")
    path = write_page(run)
    print_json({"report": str(path)}) if as_json else print(path)
