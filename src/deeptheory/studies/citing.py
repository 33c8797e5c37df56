"""How to cite a study: BibTeX of its paper and of this package."""

from importlib import import_module

from deeptheory.studies.bibliography import package_entry, paper_entry
from deeptheory.studies.study import STUDIES, find


def bibtex(study: str | None = None) -> dict[str, str]:
    """BibTeX entries by key: the paper's, where a study is named (by its name or arXiv number), and the package's.

    InputError: an unknown study.
    """
    entries = {}
    if study is not None:
        known = find(study)
        entries[known.name] = paper_entry(known, import_module(STUDIES[known.name]).__doc__ or "")
    return {**entries, "deeptheory": package_entry()}
