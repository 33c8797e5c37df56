"""One vocabulary: American spelling, and the field's terms instead of the project's private words.

Searched: strings, docstrings, comments and names of the package, the templates of its pages, the README and every page
of docs. What a finished run stores (ids of claims, names of steps, settings and variables) keeps its spelling.
"""

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "deeptheory"
WORDS = {
    "door": "entry point",
    "doors": "entry points",
    "knob": "setting",
    "knobs": "settings",
    "mend": "fix",
    "mends": "fixes",
    "mended": "fixed",
    "slow twin": "reference implementation",
    "told apart": "distinguished",
    "tell apart": "distinguish",
    "tells apart": "distinguishes",
    "dealt out anew": "permuted",
    "anew": "again",
    "turned round": "reversed",
    "is no run": "is not a run folder",
    "stands twice": "is listed twice",
    "whole number": "integer",
    "whole numbers": "integers",
    "foretell": "predict",
    "come to rest": "converge",
    "dear": "expensive",
    "read-out": "readout",
    "read-outs": "readouts",
    "trap:": "pitfall:",
}
BRITISH = re.compile(
    r"[^\W\d]*(?:behaviour|colour|artefact|neighbour|favour|labelled|labelling|modelled|grey|centred|centre"
    r"|(?:normal|general|standard|quant|summar|initial|recogn|raster|parametr|maxim|minim|factor)is(?=[aei]))[^\W\d]*",
    re.IGNORECASE,
)
STORED = {  # names that finished runs and their ledgers hold
    "quantised",
    "quantised_lr",
    "quantised_batch",
    "quantised_points",
    "modelled",
    "reparametrisation-changes-information",
    "r3-optimises-faster",
    "gaps/generalisation",
    "quantised-last-layers-compress",
    "quantised-early-layers-stay",
    "quantised-output-compresses",
    "quantised-pictures",
}
OTHERS_NAMES = {  # what others spell so: options of other packages ("n_neighbours"), an attribute of HTML
    "information/options.py": {"n_neighbours", "neighbours", "normalise", "standardise", "normalised"},
    "report/page.html.j2": {"labelledby"},
    "playground/page.html.j2": {"labelledby"},
}


def pages():
    docs = [p for p in (ROOT / "docs").rglob("*.md") if not {"ledgers", "_build", "trials"} & set(p.parts)]
    return [ROOT / "README.md", *sorted(docs), *sorted(SOURCE.rglob("*.j2"))]


def sources():
    return sorted(SOURCE.rglob("*.py"))


def private_words(text):
    """(line, word) of every private word in a text; what stands in a link's address is not read."""
    text = re.sub(r"\]\([^)]*\)|https?://\S+", lambda m: " " * len(m[0]), text)
    names = "|".join(re.escape(w) for w in sorted(WORDS, key=len, reverse=True))
    found = re.finditer(rf"(?<![\w-])({names})(?![\w-])", text, re.IGNORECASE)
    return [(text.count("\n", 0, m.start()) + 1, m[1]) for m in found]


def british(text, others=()):
    """(line, word) of every British spelling that no finished run holds, nor is another's name."""
    out = []
    for m in BRITISH.finditer(text):
        if m[0] in others:
            continue
        around = re.search(r"[\w/-]*\Z", text[: m.start()])[0] + m[0] + re.match(r"[\w/-]*", text[m.end() :])[0]
        if not any(around == s or around.startswith((s + "/", s + "-")) for s in STORED):
            out.append((text.count("\n", 0, m.start()) + 1, m[0]))
    return out


def prose(path):
    """The strings, docstrings and comments of a module, each in its line; code is left out."""
    lines = [""] * (len(path.read_text().split("\n")) + 1)
    for t in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if t.type in (tokenize.STRING, tokenize.COMMENT) or t.type == getattr(tokenize, "FSTRING_MIDDLE", -1):
            for k, piece in enumerate(t.string.split("\n")):
                lines[t.start[0] - 1 + k] += " " + piece
    return "\n".join(lines)


@pytest.mark.parametrize("path", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_use_the_fields_words(path):
    text = path.read_text()
    others = OTHERS_NAMES.get(str(path.relative_to(SOURCE)), ()) if path.is_relative_to(SOURCE) else ()
    assert private_words(text) == []
    assert british(text, others) == []


def test_sources_use_the_fields_words():
    found = {}
    for path in sources():
        name = str(path.relative_to(SOURCE))
        wrong = private_words(prose(path)) + british(path.read_text(), OTHERS_NAMES.get(name, ()))
        if wrong:
            found[name] = wrong
    assert found == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Every method behind one door.", [(1, "door")]),
        ("An interval\nturned round.", [(2, "turned round")]),
        ("The outdoors; a trapdoor; knobbly; it meant; endearing", []),
        ("[a page](door.md) and https://example.org/door", []),
        ("Traps: none. Trap: one", [(1, "Trap:")]),
    ],
)
def test_private_words_are_found(text, found):
    assert private_words(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("layer_colours", [(1, "layer_colours")]),
        ("Standardised data\nbehave", [(1, "Standardised")]),
        ("initial, generalist, maximum, minimal, normal, recognition, optimism, concentrate", []),
        ('"quantised-last-layers-compress/mnist" and "r3-optimises-faster"', []),
        ("the setting quantised_lr, the step quantised", []),
        ("at the\ncentres", [(2, "centres")]),
        ("a quantiser", [(1, "quantiser")]),
    ],
)
def test_british_spellings_are_found(text, found):
    assert british(text) == found
