"""Sphinx: pages in Markdown, tutorials run by the build (a failed assert fails it), reference from the docstrings."""

import os
import re

os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "deeptheory"
author = "the deeptheory developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_gallery.gen_gallery"]
myst_enable_extensions = ["dollarmath"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "deeptheory"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r".*\.py",
    "abort_on_example_error": True,
    "image_scrapers": (),
    "reset_modules": (),
    "show_memory": False,
}
suppress_warnings = ["config.cache"]


def plain(app, what, name, obj, options, lines):
    """Our docstrings are plain text with letters from the papers: nothing in them is markup."""
    lines[:] = [re.sub(r"([\\*|]|_(?!\w))", r"\\\1", line) for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", plain)
