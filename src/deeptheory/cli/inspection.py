"""inspect: what these theories say about a model, on one page."""

import shlex
import time
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from deeptheory.cli.application import STARTED, Json, app, columns, print_json, put, say, use_data
from deeptheory.core.errors import InputError
from deeptheory.core.places import place


@app.command("inspect")
def inspect_model(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            help="file.py:factory, package.module:factory, model.pt2, a TorchScript file (its output alone), hf:NAME, "
            "timm:NAME or torchvision:NAME."
        ),
    ],
    probe: Annotated[
        str | None,
        typer.Option(
            help=".npz, .npy, .pt, .csv, .tsv, .parquet, .txt (text, for hf:), a folder of images by class, "
            "module:loader, or a built-in set (digits, mnist, ...); default: what the factory returns with the model."
        ),
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Column or name of the labels, or a file of them.")] = None,
    weights: Annotated[
        Path | None, typer.Option(help=".safetensors, or a state dict saved by torch (read with weights_only).")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Open pickles of more than weights; that runs their code.")
    ] = False,
    download: Annotated[
        bool, typer.Option("--download", help="hf:, timm: and torchvision: may fetch weights.")
    ] = False,
    split: Annotated[
        str,
        typer.Option(
            show_default=False, help="Which split the probe is: train or test. The page warns where you do not say."
        ),
    ] = "not said",
    first: Annotated[int, typer.Option(help="At most so many samples, drawn with the seed; 0 for all.")] = 2000,
    size: Annotated[int | None, typer.Option(help="Scale the images of a folder to SIZE x SIZE.")] = None,
    only: Annotated[
        str | None,
        typer.Option(
            help="Instruments to run, by name, separated by commas; default: all but hessian and capsule_routing."
        ),
    ] = None,
    skip: Annotated[str | None, typer.Option(help="Instruments to leave out, separated by commas.")] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Layers by name or glob, separated by commas; default: what --plan shows as kept."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="Seconds, or 30s, 2min; instruments that do not fit are left out.")
    ] = None,
    task: Annotated[str, typer.Option(help="classes, regression or auto.")] = "auto",
    twins: Annotated[int, typer.Option(help="Untrained copies that are measured as a control.")] = 5,
    permutations: Annotated[int, typer.Option(help="Permutations of the labels, the other control.")] = 20,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder of checkpoints, or weights of one state; may be repeated. All are measured, the last is the "
            "one described."
        ),
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Samples per forward pass.")] = None,
    seed: Annotated[int, typer.Option(help="All randomness is drawn from it.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, ...; default: where the model is.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16, ...; default: the model's.")] = None,
    out: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Run folder with the page, also s3://BUCKET/RUN; default runs/inspect-NAME."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="Where checkpoints and twins are measured: serial, processes, dask, ray; see reproduce.")
    ] = "serial",
    jobs: Annotated[int | None, typer.Option(help="Workers of the engine; default one a core.")] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be measured and what it costs.")] = False,
    data: Annotated[Path | None, typer.Option(help="Folder to look for data in first (DEEPTHEORY_DATA).")] = None,
    as_json: Json = False,
) -> None:
    """Put the instruments to every layer of a model, beside untrained twins and permuted labels, and write one page."""
    from deeptheory.inspection.checkpoints import states_of
    from deeptheory.inspection.inspecting import inspect, promised
    from deeptheory.inspection.model_sources import read_model
    from deeptheory.inspection.probe_sources import ProbeSource, read_probe

    use_data(data)
    say(f"loading {target}")
    if first < 0:
        raise InputError(f"--first is {first}; needed: a number of samples, or 0 for all")
    source = read_model(target, weights, trust=trust, download=download)
    if probe is not None:
        given = read_probe(probe, source, labels=labels, split=split, first=first or None, seed=seed, size=size)
    elif source.inputs is not None:
        given = ProbeSource(inputs=source.inputs, targets=source.targets, said=f"from {source.title}")
    else:
        raise InputError("no probe: pass --probe, or let the factory return (model, inputs, targets)")
    folder = _folder(source.title) if out is None else place(out)
    seen: dict[str, Any] = {}

    def before(setup: Any, found: Any, refused: Any) -> None:
        seen.update(layers=[dict(r) for r in setup.table], seconds=found.seconds, refused=dict(refused))
        lines = _layers(setup, plan)
        for line in [*lines, "", *promised(found, refused)]:
            (put if plan and not as_json else say)(line)
        if plan:
            raise typer.Exit()

    command = _command(target, _given(context, seed))
    try:
        found = inspect(
            source.model,
            given.inputs,
            given.targets,
            instruments=None if only is None else _names(only),
            checkpoints=states_of(checkpoints, trust) if checkpoints else None,
            out=folder,
            skip=_names(skip),
            layers=_names(layers) or None,
            first=first or None,
            split=cast(Any, split),
            task=cast(Any, task),
            twins=twins,
            permutations=permutations,
            budget=budget,
            batch=batch if batch is not None else source.batch,
            seed=seed,
            device=device,
            dtype=dtype,
            title=source.title,
            probe=given.said,
            command=command,
            before=before,
            since=STARTED,
            engine=engine,
            jobs=jobs,
        )
    except typer.Exit:
        if as_json:
            print_json(seen)
        raise
    page = folder / "report.html"
    if as_json:
        print_json({**found.document(), "page": str(page)})
        return
    for k, (_, f) in enumerate(found.findings(), start=1):
        put(f"{k}. {f.text}")
    for name, why in found.refused.items():
        say(f"not run: {name}: {why}")
    took, planned = found.facts["spent_seconds"], found.facts["planning_seconds"]
    writing = time.perf_counter() - STARTED - took  # below 0 where an earlier session measured
    put(
        f"\nabout {found.facts['promised_seconds']:.2g} s promised, {took:.2g} s taken, of which {planned:.2g} s to "
        f"load and plan{f'; {writing:.2g} s more to write' if writing > 0 else ''}\npage: {page}"
    )


def _given(context: typer.Context, seed: int) -> dict[str, Any]:
    """The options that were typed, and the seed."""
    left_out = ("target", "plan", "data", "as_json", "seed", "engine", "jobs")
    typed = {p.name: context.params[p.name] for p in context.command.params if p.name and p.name not in left_out}
    defaults = {p.name: p.default for p in context.command.params}
    given = {
        names[-1].removeprefix("--"): typed[p.name]
        for p in context.command.params
        if (names := p.opts) and p.name in typed and typed[p.name] not in (None, "", [], (), defaults[p.name])
    }
    return {**given, "seed": seed}


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _layers(setup: Any, every: bool) -> list[str]:
    """What is measured, as lines; with `every`, also what is skipped, and why."""
    longest = max([len(p.name) for p in setup.measured], default=5)
    name = max(min(longest, 32, columns() - 44), 12)  # the other columns take 44
    lines = [f"{'layer':{name}}{'per sample':>15}{'columns':>9}  pooling"]
    lines += [
        f"{p.name[-name:]:{name}}{'x'.join(map(str, p.shape)):>15}{p.units:>9}  {p.pooling}" for p in setup.measured
    ]
    skipped = [r for r in setup.table if not r["kept"]]
    if every:
        lines += ["", *(f"skipped: {r['name']} ({r['kind']}): {r['why']}" for r in skipped)]
    else:
        lines.append(f"{len(skipped)} more tensors are met and skipped (--plan says why)")
    return lines


def _folder(title: str) -> Path:
    """runs/inspect-NAME, or, where that holds a finished run, the next number."""
    import json

    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in title.removesuffix(".py")).strip("-.") or "model"
    folder, k = Path("runs") / f"inspect-{name}", 1
    while True:
        try:
            record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            finished = record["times"]["finished"] is not None
        except (OSError, ValueError, KeyError, TypeError):
            finished = (
                folder.exists()
                and any(p.name not in (".lock",) for p in folder.iterdir())
                and not (folder / "run.json").exists()
            )
        if not finished:
            return folder
        k += 1
        folder = Path("runs") / f"inspect-{name}-{k}"


def _command(target: str, options: dict[str, Any]) -> str:
    """What to type to go on; files by their last name, so that the page names no folder of a machine.

    options: by name, those that were typed.
    """

    def named(value: Any) -> str:
        hub = str(value).partition(":")[0] in ("hf", "timm", "torchvision")  # whose names have parts, and are no paths
        return str(value) if hub or not (isinstance(value, Path) or "/" in str(value)) else Path(value).name

    parts = ["deeptheory", "inspect", named(target)]
    for name, value in options.items():
        for v in value if isinstance(value, list | tuple) else [value]:
            parts += [f"--{name}"] if v is True else [f"--{name}", named(v)]
    return shlex.join(parts)
