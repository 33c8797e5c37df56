"""Which faults would the tests not see? `python -m benchmarks.mutants SCIENCE [--most 40] [--seed 0]`; not part of CI.

A kernel's file is changed in one place (a comparison, an operator, a constant), in a copy of the package; the science's
tests that run that line, then what else of their files runs its file, run on the copy (covering.py). A mutant that
passes them all survives: it is fixed by a test, or explained. Finished mutants are kept in runs/mutants/SCIENCE.json,
so that a second call goes on. --page FILE: nothing is tried; what is kept of all sciences becomes a page, each survivor
with its reason from benchmarks/survivors.json. --tests: other arguments of pytest in the place of the science's tests,
on a machine too slow for all of them; what survives those may still die of the rest.
"""

import argparse
import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.covering import PYTEST, record

ROOT = Path(__file__).resolve().parents[1]
KERNELS = {  # science -> files whose numbers people read, tests that must see a fault in them
    "statistics": (["core/statistics.py", "core/nulls.py", "runs/intervals.py", "core/region.py", "runs/decision.py"],
    ["tests/trials/test_statistics.py", "tests/runs/test_ledger.py"]),
    "information": (["information/estimators", "information/counting.py", "information/compression.py"],
    ["tests/information", "tests/trials/test_information.py"]),
    "bottleneck": (["information/bottleneck", "information/layer_bound.py", "information/phases.py"],
    ["tests/information/bottleneck", "tests/information/test_layer_bound.py", "tests/trials/test_bottleneck.py"]),
    "recording": (["recording", "information/readouts", "information/plane.py"], ["tests/recording",
    "tests/information/test_plane.py", "tests/information/test_readouts.py", "tests/trials/test_recording.py",
    "tests/trials/test_planes.py"]),
    "capsules": (["capsules/routing", "capsules/losses.py", "capsules/squashing.py"], ["tests/capsules",
    "tests/trials/test_capsules.py"]),
    "cheap": (["cheap"], ["tests/cheap", "tests/trials/test_cheap.py"]),
    "axis": (["axis"], ["tests/axis", "tests/trials/test_axis.py"]),
    "faces": (["faces", "datasets/images/image_files.py", "datasets/images/landmark_files.py"], ["tests/faces",
    "tests/datasets/images/test_face_folder.py", "tests/trials/test_faces.py"]),
}  # fmt: skip
_SWAPPED: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
    ast.USub: ast.UAdd,
}  # fmt: skip


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Nodes that a mutant changes; text in f-strings and raised messages is left alone."""
    quiet = {
        id(n) for raised in ast.walk(tree) if isinstance(raised, ast.Raise | ast.JoinedStr) for n in ast.walk(raised)
    }
    for node in ast.walk(tree):
        if id(node) in quiet:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPPED:
            yield node, "compare"
        elif isinstance(node, ast.BinOp | ast.BoolOp | ast.UnaryOp) and type(node.op) in _SWAPPED:
            yield node, "operator"
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
        ):
            yield node, "constant"


def change(node: ast.AST, kind: str) -> str:
    """Change the node in place; what was done, in words."""
    if kind == "compare":
        was, node.ops[0] = type(node.ops[0]), _SWAPPED[type(node.ops[0])]()
        return f"{was.__name__} to {type(node.ops[0]).__name__}"
    if kind == "operator":
        was, node.op = type(node.op), _SWAPPED[type(node.op)]()
        return f"{was.__name__} to {type(node.op).__name__}"
    was = node.value
    node.value = was + 1 if isinstance(was, int) else was * 2 if was else 1.0
    return f"{was} to {node.value}"


def passed(code: int, ran_before: bool = False) -> bool:
    """Whether pytest passed; a crash or a failure is a kill. SystemExit: it ran nothing, which would look like one.

    ran_before: these tests ran on the package as it is, so that 4 (none of that name) is a module that no longer loads.
    """
    if code == 5 or (code == 4 and not ran_before):
        raise SystemExit(f"pytest found no such tests (exit {code}); nothing was decided")
    return code == 0


def page(folder: Path, reasons: dict[str, str]) -> str:
    """What became of the mutants kept in a folder, and why survivors were let live."""
    found = {f.stem: json.loads(f.read_text()) for f in sorted(folder.glob("*.json"))}
    lines = [
        *_HEAD,
        "",
        "| science | mutants | killed | survived | out of time |",
        "|---|---|---|---|---|",
    ]
    for science, done in found.items():
        ends = [end.partition(" ")[0] for end in done.values()]
        counts = (len(ends), *(ends.count(e) for e in ("killed", "survived", "undecided")))
        lines.append(f"| {science} | {' | '.join(map(str, counts))} |")
    lines += ["", "| survivor | why |", "|---|---|"]
    for done in found.values():
        for name in (n for n, end in done.items() if end == "survived"):
            place, _, line = name.partition(" | ")
            code = line.replace("|", "\\|").replace("`", "'")
            lines.append(f"| {place}: `{code}` | {reasons.get(unnumbered(name), 'not explained yet')} |")
    return "\n".join(lines) + "\n"


_HEAD = """# Faults that the tests would not see

A place of a kernel, drawn by seed, is changed: a comparison, an operator, a constant. The science's tests that run that
place run on the package so changed. What passes them all survives, and is named here with the reason: it changes
nothing that anybody can see, or a test was written and it lives no more. Out of time: the tests of one mutant took
longer than `--timeout`, as an endless loop does, or a busy machine; nothing was decided. Sciences that are not in the
table were not tried yet. Made by `python -m benchmarks.mutants SCIENCE` and
`python -m benchmarks.mutants --page docs/mutants.md`.
""".splitlines()


def unnumbered(name: str) -> str:
    """A mutant's name without the number of its line, which other changes move."""
    return re.sub(r":\d+ ", ": ", name, count=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("science", choices=KERNELS, nargs="?")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--most", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--timeout", type=float, default=300, help="seconds for the tests of one mutant; past them it is undecided"
    )
    parser.add_argument("--tests", nargs=argparse.REMAINDER, help="the last option: pytest's arguments")
    given = parser.parse_args()
    kept = ROOT / "runs" / "mutants"
    if given.page is not None:
        reasons = json.loads((ROOT / "benchmarks" / "survivors.json").read_text())
        given.page.write_text(page(kept, reasons), encoding="utf-8")
        return 0
    if given.science is None:
        parser.error(f"name a science: {', '.join(KERNELS)}")
    folders, tests = KERNELS[given.science]
    arguments = given.tests or [t for t in tests if (ROOT / t).exists()]
    source = ROOT / "src" / "deeptheory"
    files = [
        f
        for name in folders
        for f in ([source / name] if name.endswith(".py") else sorted((source / name).rglob("*.py")))
    ]
    sites = [(f, k) for f in files for k, _ in enumerate(places(ast.parse(f.read_text())))]
    chosen = random.Random(given.seed).sample(sites, min(given.most, len(sites)))
    path = kept / f"{given.science}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    done = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "src"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
        code, covering = record(arguments, copy / "deeptheory", path.with_suffix(".coverage"), environment)
        if not passed(code):
            raise SystemExit("the tests fail without a mutant; every one would look killed")
        for file, k in chosen:
            text = file.read_text()
            tree = ast.parse(text)
            node, kind = list(places(tree))[k]
            line = node.lineno
            said = change(node, kind)
            name = f"{file.relative_to(source)}:{line} {said} | {text.splitlines()[line - 1].strip()[:90]}"
            if name in done:
                continue
            at = copy / "deeptheory" / file.relative_to(source)
            at.write_text(ast.unparse(tree))
            seen = covering.tests(str(file.relative_to(source)), line, getattr(node, "end_lineno", None) or line)
            stages, code = list(filter(None, seen)) or [arguments], 0
            try:
                for some in stages:
                    code = subprocess.run(
                        [*PYTEST, *some], cwd=ROOT, env=environment, capture_output=True, timeout=given.timeout
                    ).returncode
                    if not passed(code, ran_before=some is not arguments):
                        break
            except subprocess.TimeoutExpired:
                code = None
            finally:
                at.write_text(text)
            done[name] = "survived" if code == 0 else "undecided (time)" if code is None else "killed"
            path.write_text(json.dumps(done, indent=1))
            print(f"{done[name]}  {name}", flush=True)
    survivors = [name for name, end in done.items() if end == "survived"]
    print(f"{given.science}: {len(survivors)} of {len(done)} mutants survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
