"""Sphinx: pages in Markdown, tutorials run by the build (a failed assert fails it), reference from the docstrings."""

import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]  # our extensions, and the small runs stored for the tests
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "deeptheory"
author = "the deeptheory developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_gallery.gen_gallery", "offline"]
myst_enable_extensions = ["dollarmath", "attrs_block"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "reading_list.md"]
html_theme = "furo"
html_title = "deeptheory"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_examples"]  # reports of small runs, written below
html_math_renderer = "outlines"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r".*\.py",
    "abort_on_example_error": True,
    "image_scrapers": ("offline.thumbnails",),
    "capture_repr": ("_repr_html_", "__repr__"),
    "reset_modules": (),
    "show_memory": False,
    "write_computation_times": False,
}
suppress_warnings = ["config.cache"]


def plain(app, what, name, obj, options, lines):
    """Our docstrings are plain text with letters from the papers: nothing in them is markup."""
    lines[:] = [re.sub(r"([\\*|]|_(?!\w))", r"\\\1", line) for line in lines]


def example_reports(app, config):
    """The report of a small run of every study, for the site alone."""
    from make_reports import make

    make(HERE / "_examples" / "reports")


def setup(app):
    app.connect("autodoc-process-docstring", plain)
    app.connect("config-inited", example_reports)
