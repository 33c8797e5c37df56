"""What a run measured next to what a paper printed, in the ledger's own words: no sentence here is written by hand.

Pitfall: several claims ask one question of several layers, so that those of one quantity are said together.
"""

from typing import Any

MOST = 6  # quantities next to a figure; the others are in the ledger


def as_measured(claims: list[dict[str, Any]]) -> dict[str, Any]:
    """The measured half of a figure's two sides.

    claims: rows of claims.json, those that the figure decides. quantities: [{said, values: [(what tells a claim from
    the others of its quantity, row)]}], without claims that were not run; waiting: ids of these; more: how many
    quantities are left out.
    """
    families: dict[str, list[dict[str, Any]]] = {}
    for claim in claims:
        if claim["measured"] is not None:
            families.setdefault(claim["quantity"], []).append(claim)
    shown = [
        {"said": said, "values": [(_own(c["id"], rows), c) for c in rows]}
        for said, rows in list(families.items())[:MOST]
    ]
    waiting = [c["id"] for c in claims if c["measured"] is None]
    return {"quantities": shown, "waiting": waiting, "more": len(families) - len(shown)}


def _own(name: str, family: list[dict[str, Any]]) -> str:
    """The part of an id that is not every claim's of the family; empty of a claim alone."""
    if len(family) == 1:
        return ""
    parts = [c["id"].split("/") for c in family]
    same = 0
    while all(len(p) > same + 1 and p[same] == parts[0][same] for p in parts):
        same += 1
    return "/".join(name.split("/")[same:])
