"""Claims of several studies beside each other: found in folders next to the run, linked, and never in the way."""

import json

from deeptheory.report.page import beside


def run(folder, study, ids, scale="quick"):
    folder.mkdir()
    claims = [{"id": i, "verdict": "reproduced", "measured": 1.0} for i in ids]
    about = {"study": study, "scale": scale}
    (folder / "run.json").write_text(json.dumps(about))
    (folder / "claims.json").write_text(json.dumps(claims))
    return about, claims


LINKS = [
    {"question": "Do layers compress?", "claims": [["a-2017", "falls"], ["b-2018", "does-not/layer5"], ["c-2019", "x"]]}
]


def test_the_run_beside_this_one_is_linked_and_an_absent_one_named(tmp_path):
    about, claims = run(tmp_path / "mine", "a-2017", ["falls"])
    run(tmp_path / "theirs", "b-2018", ["does-not/layer5"])
    (got,) = beside(tmp_path / "mine", about, claims, LINKS)
    assert [(r["study"], r["claim"]["id"], r["href"]) for r in got["rows"]] == [
        ("a-2017", "falls", "#claim-falls"),
        ("b-2018", "does-not/layer5", "../theirs/report.html#claim-does-not-layer5"),
    ]
    assert got["absent"] == ["c-2019"]


def test_the_same_scale_is_preferred_and_unknown_ids_are_left_out(tmp_path):
    about, claims = run(tmp_path / "mine", "a-2017", ["other"])
    run(tmp_path / "b-paper", "b-2018", ["does-not/layer5"], scale="paper")
    run(tmp_path / "b-quick", "b-2018", ["does-not/layer5"])
    (got,) = beside(tmp_path / "mine", about, claims, LINKS)
    assert [r["href"] for r in got["rows"]] == ["../b-quick/report.html#claim-does-not-layer5"]


def test_damage_beside_is_no_reason_to_withhold_the_page(tmp_path):
    about, claims = run(tmp_path / "mine", "a-2017", ["falls"])
    run(tmp_path / "broken", "b-2018", ["does-not/layer5"])
    (tmp_path / "broken" / "run.json").write_text("{")
    (got,) = beside(tmp_path / "mine", about, claims, LINKS)
    assert got["absent"] == ["b-2018", "c-2019"]
    assert beside(tmp_path / "mine", about, claims, []) == []
