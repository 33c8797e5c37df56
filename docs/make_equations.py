"""Write where each numbered statement of the papers is computed: python docs/make_equations.py docs/equations.md

Read from docstrings alone: a number counts for the paper that the same docstring names before it.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "deeptheory"
HEAD = """# Where is equation N?

Every numbered statement of the nine papers that a docstring names, and the file and functions that compute it. Made by
`docs/make_equations.py` from the docstrings; a test holds it up to date. Paths are below `src/deeptheory/`.
"""
PAPERS = {  # as docstrings cite them -> the heading
    r"Tishby & Zaslavsky 2015": "Tishby & Zaslavsky 2015",
    r"Shwartz-Ziv & Tishby 2017": "Shwartz-Ziv & Tishby 2017",
    r"Saxe et al\. 2018": "Saxe et al. 2018",
    r"Goldfeld et al\. 2019": "Goldfeld et al. 2019",
    r"Lin, Tegmark & Rolnick 2017": "Lin, Tegmark & Rolnick 2017",
    r"Rolnick & Tegmark 2018": "Rolnick & Tegmark 2018",
    r"Chang & Tsao 2017": "Chang & Tsao 2017",
    r"Sabour(?:, Frosst & Hinton| et al\.) 2017": "Sabour, Frosst & Hinton 2017",
    r"Hinton(?:, Sabour & Frosst| et al\.) 2018": "Hinton, Sabour & Frosst 2018",
}
KINDS = {  # as docstrings write them -> the row
    r"eqs?\.|equations?": "equation",
    r"theorems?": "theorem",
    r"propositions?": "proposition",
    r"corollar(?:y|ies)": "corollary",
    r"conjectures?": "conjecture",
    r"procedures?": "procedure",
    r"figures?": "figure",
    r"tables?": "table",
    r"sections?": "section",
    r"appendix": "appendix",
}
NUMBER = r"(?:[IVX]+\b(?:\.[A-Z]\b)?|\d+(?:\.\d+)*[A-Z]?\b|[A-Z]\b)"
CITED = re.compile(
    "|".join(f"({p})" for p in PAPERS) + r"|[A-Z][\w-]+(?:(?:,? & |, | and )[A-Z][\w-]+| et al\.)* \d{4}\b"
)
STATED = re.compile(
    "(?:" + "|".join(f"({k})" for k in KINDS) + rf")\s+({NUMBER}(?:(?:, and |, | and | to |-){NUMBER})*)", re.IGNORECASE
)


def numbers(text: str) -> list[str]:
    """From 4.1 to 4.4 and 5.1: 4.1, 4.2, 4.3, 4.4, 5.1; ends that are no digits stay two numbers."""
    out: list[str] = []
    for part in re.split(r", and |, | and ", text):
        first, *last = re.split(r" to |-", part)
        stem, dot, low = first.rpartition(".")
        high = last[0].removeprefix(stem + dot) if last else low
        if last and low.isdigit() and high.isdigit():
            out += [f"{stem}{dot}{k}" for k in range(int(low), int(high) + 1)]
        else:
            out += [first, *last]
    return out


def stated(text: str) -> Iterator[tuple[str, str, str]]:
    """(paper, kind, number) of every numbered statement in a docstring."""
    text, paper = " ".join(text.split()), None
    found = [(m.start(), 0, m) for m in CITED.finditer(text)] + [(m.start(), 1, m) for m in STATED.finditer(text)]
    for _, statement, match in sorted(found, key=lambda f: f[:2]):
        if not statement:
            paper = next((h for h, g in zip(PAPERS.values(), match.groups()) if g), None)
        elif paper:
            kind = next(k for k, g in zip(KINDS.values(), match.groups()) if g)
            for number in numbers(match.group(len(KINDS) + 1)):
                yield paper, kind, number


def imported(package: Path) -> set[str]:
    """What a package's own file hands on."""
    nodes = [node for node in ast.parse(package.read_text()).body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in nodes for alias in node.names}


def docstrings() -> Iterator[tuple[str, list[str], str]]:
    """(file, public names, text) of every module, function and class of the core and the sciences."""
    for path in sorted(SOURCE.rglob("*.py")):
        room = path.relative_to(SOURCE).parts[0]
        if room in ("studies", "inspection", "report", "cli", "playground"):
            continue
        package, file = SOURCE / room / "__init__.py", path.relative_to(SOURCE).as_posix()
        public = imported(package) if package.exists() else set()
        tree = ast.parse(path.read_text())
        parts = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        yield file, [f"dt.{room}.{n.name}" for n in parts if n.name in public], ast.get_docstring(tree) or ""
        for node in parts:
            yield file, [f"dt.{room}.{node.name}"] if node.name in public else [], ast.get_docstring(node) or ""


@cache
def places() -> dict[tuple[str, str, str], dict[str, set[str]]]:
    """(paper, kind, number) -> file -> public names."""
    out: dict[tuple[str, str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file, names, text in docstrings():
        for key in stated(text):
            out[key][file] |= set(names)
    return out


def page() -> str:
    """The page: a table for each paper."""
    found, lines = places(), [HEAD]
    for paper in PAPERS.values():
        rows = sorted((k for k in found if k[0] == paper), key=lambda k: (list(KINDS.values()).index(k[1]), k[2]))
        lines += [f"## {paper}", "", "| statement | file | functions |", "|---|---|---|"]
        for key in rows:
            for file, names in sorted(found[key].items()):
                lines.append(f"| {key[1]} {key[2]} | `{file}` | {', '.join(f'`{n}`' for n in sorted(names))} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
