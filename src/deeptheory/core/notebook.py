"""How a notebook shows a result: what it is in one line, the first rows of its table, its notes in full."""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

ROWS = 20  # of a table, at most


def block(
    head: str, table: "pandas.DataFrame | None" = None, notes: Iterable[str] = (), *, all_rows: str = ".table() has all"
) -> str:
    """HTML: `head` as code, at most ROWS rows of the table ("20 of 60 rows" where it has more), the notes as a list.

    Every text is escaped and none is cut short. all_rows: where the other rows are.
    """
    out = [f"<p><code>{escape(head)}</code></p>"]
    if table is not None:
        import pandas as pd

        with pd.option_context("display.max_colwidth", None):
            out.append(table.head(ROWS).to_html(index=False, border=0))
        if len(table) > ROWS:
            out.append(f"<p>{ROWS} of {len(table)} rows; {escape(all_rows)}</p>")
    return "".join(out) + listed(notes)


def listed(texts: Iterable[str], tag: str = "ul") -> str:
    """An HTML list (tag "ul" or "ol") of escaped texts, or of one; nothing where there are none."""
    texts = [texts] if isinstance(texts, str) else texts
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<{tag}>{items}</{tag}>" if items else ""
