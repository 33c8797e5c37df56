"""Whoever knows a paper finds its equation: docs/equations.md, made from docstrings, is up to date and complete."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
SPEC = importlib.util.spec_from_file_location("make_equations", DOCS / "make_equations.py")
assert SPEC is not None
assert SPEC.loader is not None
made = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(made)

NUMBERED = [  # what the claims of the studies rest on, and where a reader of the paper looks first
    ("Shwartz-Ziv & Tishby 2017", "equation", "12", "information/layer_bound.py"),
    ("Tishby & Zaslavsky 2015", "section", "II.C", "information/bottleneck/curve.py"),
    ("Tishby & Zaslavsky 2015", "section", "II.D", "information/bottleneck/finite_sample.py"),
    ("Saxe et al. 2018", "figure", "1", "information/compression.py"),
    ("Lin, Tegmark & Rolnick 2017", "equation", "11", "cheap/compile/gates.py"),
    ("Lin, Tegmark & Rolnick 2017", "equation", "14", "cheap/compile/gates.py"),
    ("Lin, Tegmark & Rolnick 2017", "theorem", "2", "cheap/hierarchy/hierarchy.py"),
    ("Lin, Tegmark & Rolnick 2017", "corollary", "2", "cheap/hierarchy/hierarchy.py"),
    ("Lin, Tegmark & Rolnick 2017", "section", "III.D", "cheap/hamiltonians/renormalization.py"),
    ("Lin, Tegmark & Rolnick 2017", "appendix", "A", "cheap/counting/counts.py"),
    ("Rolnick & Tegmark 2018", "equation", "5", "cheap/counting/groups.py"),
    ("Rolnick & Tegmark 2018", "theorem", "5.1", "cheap/counting/groups.py"),
    ("Rolnick & Tegmark 2018", "figure", "2", "cheap/counting/groups.py"),
    *(
        ("Rolnick & Tegmark 2018", "theorem", n, "cheap/counting/counts.py")
        for n in ("3.4", "4.1", "4.2", "4.3", "4.4")
    ),
    *(("Rolnick & Tegmark 2018", "proposition", n, "cheap/counting/counts.py") for n in ("3.3", "4.5", "4.6")),
    ("Rolnick & Tegmark 2018", "conjecture", "5.2", "cheap/counting/counts.py"),
    ("Sabour, Frosst & Hinton 2017", "procedure", "1", "capsules/routing/dynamic.py"),
    *(("Sabour, Frosst & Hinton 2017", "equation", n, "capsules/routing/dynamic.py") for n in "123"),
    ("Sabour, Frosst & Hinton 2017", "equation", "1", "capsules/squashing.py"),
    ("Sabour, Frosst & Hinton 2017", "equation", "4", "capsules/losses.py"),
    ("Sabour, Frosst & Hinton 2017", "appendix", "A", "capsules/diagnostics.py"),
    ("Hinton, Sabour & Frosst 2018", "procedure", "1", "capsules/routing/em.py"),
    ("Hinton, Sabour & Frosst 2018", "table", "1", "capsules/matrix_layers.py"),
    ("Hinton, Sabour & Frosst 2018", "equation", "3", "capsules/losses.py"),
]


def test_the_page_is_up_to_date():
    assert (DOCS / "equations.md").read_text() == made.page(), "run: python docs/make_equations.py docs/equations.md"


@pytest.mark.parametrize(("paper", "kind", "number", "file"), NUMBERED)
def test_every_numbered_statement_is_where_it_is_looked_for(paper, kind, number, file):
    assert file in made.places()[paper, kind, number]


@pytest.mark.parametrize("paper", made.PAPERS.values())
def test_every_paper_has_statements(paper):
    assert any(key[0] == paper for key in made.places())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Saxe et al. 2018, section 3.", [("Saxe et al. 2018", "section", "3")]),
        ("Kraskov, Stoegbauer & Grassberger 2004, eq. 8.", []),  # another paper's
        (
            "Rolnick & Tegmark 2018, theorem 4.1; Yarotsky 2017, propositions 2 and 3",
            [("Rolnick & Tegmark 2018", "theorem", "4.1")],
        ),
        ("The loss (eq. 4).", []),  # nobody's
        ("Sabour et al. 2017, eqs. 1-3", [("Sabour, Frosst & Hinton 2017", "equation", n) for n in "123"]),
        ("Chang & Tsao 2017, the figure of\nall", []),
    ],
)
def test_a_number_belongs_to_the_paper_named_before_it(text, expected):
    assert list(made.stated(text)) == expected


def test_ranges_are_taken_apart():
    assert made.numbers("4.1 to 4.4 and 5.1") == ["4.1", "4.2", "4.3", "4.4", "5.1"]
    assert made.numbers("II.B to II.D") == ["II.B", "II.D"]
    assert made.numbers("3, 5 and 7") == ["3", "5", "7"]
