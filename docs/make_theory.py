"""What the stored ledgers say, into the pages of the papers and the reading list: python docs/make_theory.py

Between the marks `<!-- measured -->` and `<!-- end -->` of docs/theory/STUDY.md: what docs/ledgers/runs/STUDY and
STUDY-standard hold: the headline by setting and each statement with the verdicts of its claims. docs/reading_list.md,
of the quick scale, is written whole.
"""

import json
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

from deeptheory.core.verdicts import VERDICTS, counted, headline
from deeptheory.report.page import seconds
from deeptheory.studies import STUDIES, find

DOCS = Path(__file__).parent
MARKS = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.S)
SCALES = ("standard", "paper")  # stored next to the quick scale, where somebody ran them
ARXIV = "https://arxiv.org/abs/"
Row = tuple[str, str, str, str, str]  # paper, address, what was built, its page or "", study or why not

# Papers without a ledger of their own, and what was left out, with the reason.
METHODS: list[Row] = [
    ("Tishby, Pereira & Bialek 1999, The information bottleneck method", ARXIV + "physics/0004057",
     "`dt.bottleneck(p, beta)`, `dt.bottleneck_curve(p)`: the optimum with a certificate, the whole curve, "
     "critical betas", "bottleneck.md", ""),
    ("Strouse & Schwab 2017, The deterministic information bottleneck", ARXIV + "1604.00268",
     '`dt.bottleneck(p, beta, "dib")`, and with `alpha=` the family between the two', "bottleneck.md", ""),
    ("Slonim & Tishby 1999, Agglomerative information bottleneck",
     "https://papers.nips.cc/paper/1651-agglomerative-information-bottleneck",
     '`dt.bottleneck(p, beta, "agglomerative", clusters=)`', "bottleneck.md", ""),
    ("Slonim, Friedman & Tishby 2002, sequential information bottleneck", "https://doi.org/10.1145/564376.564401",
     '`dt.bottleneck(p, beta, "sequential", clusters=)`', "bottleneck.md", ""),
    ("Chechik, Globerson, Tishby & Weiss 2005, Information bottleneck for Gaussian variables",
     "https://www.jmlr.org/papers/v6/chechik05a.html", "`dt.gaussian_bottleneck`, in closed form", "bottleneck.md", ""),
    ("Alemi, Fischer, Dillon & Murphy 2017, Deep variational information bottleneck", ARXIV + "1612.00410",
     '`dt.bottleneck(..., "variational")`, a network', "bottleneck.md", ""),
    ("Kolchinsky, Tracey & Van Kuyk 2019, Caveats for information bottleneck in deterministic scenarios",
     ARXIV + "1808.07593", '`dt.bottleneck(p, beta, "squared")`, and a curve that is right where Y is a function of X',
     "bottleneck.md", ""),
    ("Shamir, Sabato & Tishby 2010, Learning and generalization with the information bottleneck",
     "https://doi.org/10.1016/j.tcs.2010.04.006",
     "`dt.information.finite_sample_bound`; its constant is yours to choose",
     "bottleneck.md", ""),
    ("Kolchinsky & Tracey 2017, Estimating mixture entropy with pairwise distances", ARXIV + "1706.02419",
     "`dt.GaussianNoise`, both bounds", "information_plane.md", ""),
    ("Kraskov, Stögbauer & Grassberger 2004, Estimating mutual information", ARXIV + "cond-mat/0305641",
     '`dt.mutual_information(x, y, "ksg")`, tried on forty known pairs', "known_information.md", ""),
    ("Donoho, Monajemi & Papyan, Theories of Deep Learning (STATS 385)", "https://stats385.github.io",
     "each lecture, and which instrument answers it or why none does", "course.md", "a course; nothing to judge"),
    ("Freiwald & Tsao 2010, Functional compartmentalization and viewpoint generalization",
     "https://doi.org/10.1126/science.1194908", "`dt.axis.view_tolerance`", "axis_code.md", ""),
    ("Bao, She, McGill & Tsao 2020, A map of object space in primate inferotemporal cortex",
     "https://doi.org/10.1038/s41586-020-2350-5", "`dt.axis.object_space`", "axis_code.md", ""),
    ("Higgins et al. 2021, Unsupervised deep learning identifies semantic disentanglement in single inferotemporal "
     "neurons",
     "https://doi.org/10.1038/s41467-021-26751-5", "`dt.axis.latent_alignment`, `dt.axis.udr`", "axis_code.md",
     ""),
    ("Michels et al. 2019, On the vulnerability of capsule networks to adversarial attacks", ARXIV + "1906.03612",
     "the attack on logits from many starts, in the ledger of Hinton et al.", "theory/hinton-2018.md",
     "judged in that ledger"),
    ("Ma, Lewis & Kleijn 2020, The HSIC bottleneck", ARXIV + "1908.01580", "not built", "",
     "it trains by a kernel's dependence, which is no number of bits about a given network"),
    ("Achille & Soatto 2018, Information dropout", ARXIV + "1611.01353", "not built", "",
     "it is a way to train; a network that was trained so can be recorded and read out as any other"),
    ("Friedman, Mosenzon, Slonim & Tishby 2001, Multivariate information bottleneck", ARXIV + "1301.2270",
     "not built", "",
     "several compressed variables at once; nothing here needs more than one"),
]  # fmt: skip
PAPERS: dict[str, tuple[str, str]] = {  # study -> address, what was built
    "tishby-zaslavsky-2015": (ARXIV + "1503.02406", "`dt.layer_bound`: every layer against the bound of its task"),
    "shwartz-ziv-tishby-2017": (
        ARXIV + "1703.00810",
        "`dt.information_plane` under a stated readout; `dt.gradient_phases`",
    ),
    "saxe-2018": (
        "https://openreview.net/forum?id=ry_WPG-A-",
        "the same networks with other units and other readouts, side by side",
    ),
    "goldfeld-2019": (
        ARXIV + "1810.05728",
        "networks whose information is known: noisy, quantized (Lorenzen et al. 2022, arXiv 2106.12912), and estimates "
        "from compressed variables (Butakov et al. 2024, arXiv 2305.08013)",
    ),
    "lin-tegmark-rolnick-2017": (
        ARXIV + "1608.08225",
        "`dt.cheap`: product gates, exact posteriors, Hamiltonian fits, hierarchies, flattening costs",
    ),
    "rolnick-tegmark-2018": (
        ARXIV + "1705.05502",
        "`dt.cheap.neuron_count`, `dt.cheap.compile_polynomial`",
    ),
    "chang-tsao-2017": (
        "https://doi.org/10.1016/j.cell.2017.05.011",
        "`dt.axis_code`, `dt.faces.FaceSpace`, `dt.faces.ProceduralFaces`",
    ),
    "sabour-2017": (ARXIV + "1710.09829", "`dt.capsules.CapsuleNetwork`, `dt.capsules.dynamic_routing`"),
    "hinton-2018": (
        "https://openreview.net/forum?id=HJWLfGWRb",
        "`dt.capsules.MatrixCapsuleNetwork`, `dt.capsules.em_routing`",
    ),
}


def claims_of(study: str) -> tuple[dict, list[dict]]:
    """The stored run of a study, or of STUDY-SCALE, and its claims."""
    folder = DOCS / "ledgers" / "runs" / study
    return tuple(json.loads((folder / name).read_text(encoding="utf-8")) for name in ("run.json", "claims.json"))


def verdicts(claims: list[dict]) -> str:
    """ "2 reproduced, 1 contradicted", in the order of VERDICTS; what was not run is named."""
    found = Counter(c["verdict"] for c in claims)
    return ", ".join(counted(found[v], v) for v in VERDICTS if found[v])


def measured(study: str) -> str:
    """What the ledgers of a study say, scale by scale and statement by statement."""
    stored = [study, *(f"{study}-{s}" for s in SCALES if (DOCS / "ledgers" / "runs" / f"{study}-{s}").is_dir())]
    ledgers = [claims_of(name) for name in stored]
    lines = []
    for run, claims in ledgers:
        took = seconds(sum(run["times"]["steps"].values()))
        lines += [f"Scale “{run['scale']}”, {_how_many(run)}; {took} in steps, summed over workers; by setting:", ""]
        lines += [f"- {setting}: {', '.join(counted(n, v) for n, v in counts)}" for setting, counts in headline(claims)]
        lines += [""]
    scales = [run["scale"] for run, _ in ledgers]
    lines += [f"| statement | {' | '.join(scales)} | claims |", "|---" * (len(scales) + 2) + "|"]
    families: dict[tuple[str, str], list[str]] = {}
    for claim in ledgers[0][1]:
        families.setdefault((claim["id"].split("/")[0], claim["statement"]), []).append(claim["id"])
    for (name, statement), ids in families.items():
        said = [verdicts([c for c in claims if c["id"] in ids]) for _, claims in ledgers]
        lines.append(f"| {statement} | {' | '.join(said)} | `{name}{'/...' if len(ids) > 1 else ''}` |")
    return "\n".join(lines) + "\n"


def _how_many(run: dict) -> str:
    """Of a run of single steps the record's seeds say nothing."""
    alone = run["times"]["finished"] is None
    return "single steps" if alone else f"{len(run['seeds'])} independent networks or draws"


def filled(page: Path) -> str:
    """A page of a paper with what was measured between its marks."""
    text = page.read_text(encoding="utf-8")
    new, number = MARKS.subn(lambda _: measured(page.stem), text)
    if number != 1:
        raise SystemExit(f"{page.name} has {number} places for what was measured; one is needed")
    return new


def reading_list() -> str:
    """Each paper: what was built of it, where, and the verdicts of its ledger, or why it was not built."""
    lines = ["| paper | what was built | where | verdicts, or why not |", "|---|---|---|---|"]
    for study in STUDIES:
        address, built = PAPERS[study]
        _, claims = claims_of(study)
        where = f"[theory](theory/{study}.md), [ledger](ledgers/{study}.md)"
        said = "<br>".join(f"{s}: {', '.join(counted(n, v) for n, v in counts)}" for s, counts in headline(claims))
        lines.append(f"| [{_named(study)}]({address}) | {built} | {where} | {said} |")
    for paper, address, built, page, why in METHODS:
        where = f"[{'theory' if page.startswith('theory') else 'page'}]({page})" if page else ""
        lines.append(f"| [{paper}]({address}) | {built} | {where} | {why or 'no ledger; [trials](trials/index.md)'} |")
    return "\n".join(lines) + "\n"


def _named(study: str) -> str:
    """Authors, year and title, as the study states them."""
    title = re.search(r'"([^"]+)"', import_module(STUDIES[study]).__doc__ or "")
    who = re.match(r".+? \d{4}", find(study).paper)
    assert title is not None
    assert who is not None
    return f"{who[0]}, {' '.join(title[1].split())}"


def main() -> None:
    for study in STUDIES:
        page = DOCS / "theory" / f"{study}.md"
        page.write_text(filled(page), encoding="utf-8")
    (DOCS / "reading_list.md").write_text(reading_list(), encoding="utf-8")


if __name__ == "__main__":
    main()
