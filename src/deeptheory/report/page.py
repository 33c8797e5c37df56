"""One self-contained page from a run folder: run.json, claims.json, page.json and figures/.

It makes no network request and runs under a Content-Security-Policy that begins with default-src 'none'. Every figure
is a static drawing, which needs no script and prints; where scripts run, the interactive one takes its place once it is
pointed at.
Pitfall: twelve inline plotly figures are over 5 MB; here the library is packed once, and unpacked in the browser
(DecompressionStream). Every script, the unpacked library too, is allowed by its hash alone.
"""

import json
import math
import re
from datetime import date
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deeptheory import __version__
from deeptheory.core.errors import StoreError
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.storage import check_schema, read_json, write_text
from deeptheory.core.verdicts import counted, headline
from deeptheory.report.assets import NAME, asset, hash_of, seconds
from deeptheory.report.downloads import as_csv, as_json, link, pack, packed, rounded
from deeptheory.report.inspection import write_inspection_page
from deeptheory.report.measured import as_measured
from deeptheory.report.static import draw
from deeptheory.report.strips import strip, swatch, tally

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
WORDING = {
    "published": "At the paper’s settings",
    "reference code": "At the settings of the authors’ program",
    "scaled down": "Scaled down",
    "other data": "On other data",
}


def write_page(folder: str | Path | RemotePath) -> Folder:
    """Write report.html, one self-contained page, into the folder of a run or of an inspection; returns its path.

    Read are run.json, claims.json, page.json and figures/, or inspection.json where it is there; nothing is computed
    again, and no network is asked. The same files give the same bytes; runs in folders next to this one are linked.
    StoreError: the folder is no finished run, a file in it is damaged or of another version, or the disk is full.
    """
    folder = place(folder)
    if (folder / "inspection.json").is_file():
        return write_inspection_page(folder)
    run = read_json(folder / "run.json", "run")
    claims = read_json(folder / "claims.json", "finished run")
    page = read_json(folder / "page.json", "finished run")
    check_schema(run, claims)
    try:
        text = _render(folder, run, claims, page)
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{folder.name} has files of another form ({type(error).__name__}: {error}); run the study again into it"
        ) from error
    write_text(folder / NAME, text)
    return folder / NAME


def _render(folder: Folder, run: dict, claims: list[dict], page: dict) -> str:
    from jinja2 import Environment, StrictUndefined

    style, script = asset("page.css"), asset("page.js")
    library, library_hash, styles = _library()
    told = [c | {"strip": strip(c)} for c in _grouped(claims)]
    sections = [{**s, "figures": [_figure(folder, name, told) for name in s["figures"]]} for s in page["sections"]]
    shown = [p for s in sections for p in s["figures"]]
    first = next((p for p in shown if p["name"] == page.get("main")), shown[0] if shown else None)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "anchor": anchor,
        "counted": lambda pair: counted(*pair),
        "number": number,
        "interval": interval,
        "seconds": seconds,
        "swatch": swatch,
    }
    # plotly makes one empty <style> and fills it by script, which is allowed; its SVG labels carry style attributes
    policy = (
        f"default-src 'none'; script-src {hash_of(script)} {library_hash}; style-src {hash_of(style)} {hash_of('')}; "
        "style-src-attr 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    paper, counts = page.get("paper") or {}, headline(claims)
    if paper:
        paper = paper | {"links": [pair for pair in paper["links"] if pair[1].startswith("https://")]}
    return environment.from_string(asset("page.html.j2")).render(
        page=page,
        paper=paper,
        bibtex=paper.get("bibtex", ""),
        day=_day(run),
        run=run,
        claims=told,
        files=_files(claims, run),
        headline=counts,
        wording=WORDING,
        tally=tally(counts),
        judged=[c["study_wise"] for c in claims if c["study_wise"] is not None],
        hero=first,
        sections=sections,
        links=beside(folder, run, claims, page.get("links", [])),
        style=style,
        script=script,
        library=library,
        policy=policy,
        styles=styles,
        version=__version__,
    )


def _day(run: dict) -> str:
    """When the run began, "30 November 2026"; nothing where it does not say."""
    try:
        day = date.fromisoformat(str(run["times"]["started"])[:10])
    except (KeyError, TypeError, ValueError):
        return "day unknown"
    return f"{day.day} {day:%B %Y}"


def _files(claims: list[dict], run: dict) -> list[dict[str, Any]]:
    """The ledger and the record of the run, inside the page."""
    texts = {"claims.csv": ("all claims (CSV)", as_csv(claims)), "claims.json": ("all claims (JSON)", as_json(claims))}
    texts["run.json"] = ("the run (JSON)", as_json(run))
    return [link(name, text) | {"said": said, "id": ""} for name, (said, text) in texts.items()]


def _grouped(claims: list[dict]) -> list[dict]:
    """Claims, each told whether it says the same as the one above it (another layer), which the table then leaves
    out.
    """
    said = [{k: c[k] for k in ("statement", "quantity", "published", "published_trust", "source")} for c in claims]
    return [{**c, "again": k > 0 and said[k] == said[k - 1]} for k, c in enumerate(claims)]


def beside(folder: Folder, run: dict, claims: list[dict], links: list[dict]) -> list[dict]:
    """Questions with what each study says to them: this run's claims, and those of the runs in folders beside it.

    Of several runs of a study the one of the same scale is taken, then the first by name; a study without a run is
    named with the command that would make one, and a claim id that its run does not know is left out.
    """
    known = {run["study"]: ("", {c["id"]: c for c in claims})} | _neighbors(folder, run) if links else {}
    out = []
    for question in links:
        rows, absent = [], []
        for study, claim in question["claims"]:
            if study not in known:
                absent.append(study)
            elif claim in known[study][1]:
                where, there = known[study]
                to = f"#claim-{anchor(claim)}"
                rows.append({"study": study, "claim": there[claim], "href": f"../{where}/{NAME}{to}" if where else to})
        out.append({"question": question["question"], "rows": rows, "absent": list(dict.fromkeys(absent))})
    return out


def _neighbors(folder: Folder, run: dict) -> dict[str, tuple[str, dict[str, dict]]]:
    """study -> (folder name, claims by id) of the finished runs beside this one."""
    found: dict[str, tuple[str, dict[str, dict]]] = {}
    there = [
        p for p in sorted(folder.resolve().parent.iterdir()) if (p / "claims.json").is_file() and p != folder.resolve()
    ]
    for path in there:
        try:
            other = json.loads((path / "run.json").read_text(encoding="utf-8"))
            rows = json.loads((path / "claims.json").read_text(encoding="utf-8"))
            study, same = other["study"], other["scale"] == run["scale"]
            if study != run["study"] and (study not in found or same):
                found[study] = (path.name, {c["id"]: c for c in rows})
        except (OSError, ValueError, KeyError, TypeError):
            continue  # another run's damage is no reason to withhold this page
    return found


def drawn_figure(folder: Folder, name: str) -> dict[str, Any]:
    """What figures/NAME.json of a run holds. StoreError: no plain name, which a folder from elsewhere may have, or
    damage."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise StoreError(f"page.json names a figure {name!r}; figures are called by letters, digits, '-', '_' and '.'")
    return read_json(folder / "figures" / f"{name}.json", "figure")


def _figure(folder: Folder, name: str, claims: list[dict]) -> dict[str, Any]:
    drawn = drawn_figure(folder, name)
    drawing = draw(drawn["figure"], drawn["alt"])
    decided = [c for start in drawn["claims"] for c in claims if c["id"] == start or c["id"].startswith(start + "/")]
    return {
        "name": name,
        **{k: drawn[k] for k in ("title", "shows", "limitations", "alt")},
        "published": drawn.get("published", ""),
        "measured": as_measured(decided),
        "outcomes": decided,
        "svg": drawing.svg,
        "key": drawing.key,
        "labeled": drawing.labeled,
        "remarks": drawing.remarks,
        "frames": len(drawn["figure"].get("frames") or ()),
        "files": _figure_files(folder, name, drawn["figure"]),
    }


def _figure_files(folder: Folder, name: str, figure: dict) -> list[dict[str, Any]]:
    """The numbers of a figure, to six digits, and the figure itself, from which it is drawn, inside the page."""
    files = []
    table = folder / "figures" / f"{name}.csv"
    if table.is_file():
        text = rounded(table.read_text(encoding="utf-8"))
        files.append(link(f"{name}.csv", text) | {"said": "numbers (CSV)", "id": ""})
    data = json.dumps(figure, separators=(",", ":")).encode()
    return [*files, packed(f"{name}.json", data) | {"said": "figure (JSON)", "id": f"data-{name}"}]


@cache
def _library() -> tuple[str, str, list[str]]:
    """plotly.js of the installed plotly, packed; the hash of what comes out; ids of style sheets that it would add.

    Pitfall: it adds a sheet for maps as inline text, which the policy forbids, unless an element has that id already.
    """
    spec = find_spec("plotly")  # located, not imported
    places = list(spec.submodule_search_locations or ()) if spec else []
    path = Path(places[0]) / "package_data" / "plotly.min.js" if places else Path("plotly.min.js")
    try:
        script = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StoreError(f"plotly's {path.name} cannot be read ({error}); install plotly again") from error
    return pack(script.encode()), hash_of(script), re.findall(r'getElementById\("([0-9a-f]{64})"\)', script)


def anchor(name: str) -> str:
    """The id of a claim as a name to link to: an HTML id holds no space, and mail programs cut a link at a comma."""
    return re.sub(r"[^\w.-]+", "-", name)


def number(value: Any) -> str:
    """Three digits that count; infinity and text as they are."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return {"inf": "∞", "-inf": "−∞"}.get(value, value)
    if isinstance(value, float) and not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    if abs(value) < 1e6 and value == int(value):
        return str(int(value)).replace("-", "−")
    digits = f"{value:.3g}" if abs(value) < 999.5 or abs(value) >= 1e15 else f"{value:.0f}"
    return digits.replace("-", "−")


def interval(claim: dict) -> str:
    """Text "measured [low, high]", the value alone where low = high, or that there is no interval, or no end to it."""
    if claim["measured"] is None:
        return "–"
    if claim["low"] is None or claim["high"] is None:
        return f"{number(claim['measured'])} (no interval)"
    if (number(claim["low"]), number(claim["high"])) == ("−∞", "∞"):
        return f"{number(claim['measured'])} (unbounded)"
    if claim["low"] == claim["high"] and claim["low"] == claim["measured"]:
        return number(claim["measured"])
    return f"{number(claim['measured'])} [{number(claim['low'])}, {number(claim['high'])}]"
