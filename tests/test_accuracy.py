"""The table of estimators: rows that go on, counts, peers, the page. What it measures is on docs/estimators.md."""

import csv
import json
import math
import re
import subprocess
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks are no part of the package

from benchmarks import truths
from benchmarks.accuracy import __main__ as command
from benchmarks.accuracy import counts, data, judge, peers, plan, rows
from benchmarks.accuracy.rows import Draw, Found

from deeptheory.core.errors import InputError, StoreError
from deeptheory.information.estimators import MUTUAL_INFORMATION

ROOT = Path(__file__).parents[1]
TRUTH = truths.task("normal-1x1").mutual_information


def call(capsys, *arguments):
    command.main([*map(str, arguments)])
    return capsys.readouterr()


def test_a_stopped_run_goes_on_where_it_was(tmp_path, capsys):
    kept = tmp_path / "draws.jsonl"
    asked = ("--quick", "--only", "gaussian", "--only", "plugin", "--keep", kept)
    none = call(capsys, *asked, "--minutes", 0)
    assert "time is up: 8 rows are left" in none.err
    assert "8 of 8 draws are not measured yet" in none.err
    whole = call(capsys, *asked)
    assert "8 of 8: " in whole.err
    lines = kept.read_text().splitlines()
    assert len(lines) == 8
    kept.write_text("\n".join(lines[:5]) + "\n" + lines[5][:30])  # killed while it wrote
    again = call(capsys, *asked, "--json")
    assert again.err.count("\n") == 3
    found = json.loads(again.out)
    assert found["missing"] == 0
    assert len(found["draws"]) == len(kept.read_text().splitlines()) == 8
    words = {d["end"] for d in found["draws"] if d["estimator"] == "plugin"}
    assert any(w.startswith("refused: ") for w in words)  # numbers are no symbols
    summary = {(s["estimator"], s["set"]): s for s in found["estimators"]}
    assert summary["gaussian", "forty"]["answered"] == 2
    assert call(capsys, *asked).err == ""  # nothing is left to do


def test_more_seeds_add_to_a_row(tmp_path, capsys):
    kept = tmp_path / "draws.jsonl"
    asked = ("--only", "gaussian", "--tasks", "normal-1x1", "--n", 100, "--keep", kept)
    call(capsys, *asked, "--seeds", 1)
    call(capsys, *asked)
    assert [json.loads(line)["seed"] for line in kept.read_text().splitlines()] == [0, 1, 2, 3, 4]


def test_an_estimator_of_ones_own_is_judged_by_the_code_of_the_page():
    block = re.search(r"## An estimator of your own, judged.*?```python\n(.*?)```", extend(), re.S)
    assert block, "docs/extend.md has no such example"
    told: dict = {}
    try:
        exec(block[1], told)
        assert "ranks" in plan.estimators()
        found = told["found"]
        assert len(found) == 2
        assert found["error"].abs().max() < 0.1
        assert not found["silent"].any()
    finally:
        del MUTUAL_INFORMATION["ranks"]


def extend() -> str:
    return (ROOT / "docs" / "extend.md").read_text()


def test_a_row_has_ten_minutes(monkeypatch):
    monkeypatch.setattr(rows, "ROW_SECONDS", 0.2)

    def slow(x, y, seconds):
        time.sleep(5)

    start = time.monotonic()
    ends = [d.end for d in rows.measure(slow, "slow", "normal-1x1", 50, (0, 1))]
    assert time.monotonic() - start < 3
    assert ends == ["over 0.2 seconds", "no time left in the row"]


def test_refusals_and_failures_are_draws():
    def refuses(x, y, seconds):
        raise InputError("no")

    def fails(x, y, seconds):
        return 1 / 0

    assert [d.end for d in rows.measure(refuses, "a", "normal-1x1", 50, (0,))] == ["refused: no"]
    assert [d.end for d in rows.measure(fails, "a", "normal-1x1", 50, (0,))] == [
        "failed: ZeroDivisionError: division by zero"
    ]


def draw(value, low=math.nan, high=math.nan, notes=0, task="normal-1x1", estimator="a", seed=0, end=""):
    return Draw(estimator, task, 1000, seed, value, low, high, notes, 0.5, "m", end)


@pytest.mark.parametrize(
    ("made", "silent"),
    [
        (draw(TRUTH + 0.19), False),  # near enough
        (draw(TRUTH + 0.21), True),  # no interval, no note
        (draw(TRUTH + 0.3, TRUTH + 0.1, TRUTH + 0.5), True),
        (draw(TRUTH + 0.3, TRUTH - 0.1, TRUTH + 0.5), False),  # the interval holds it
        (draw(TRUTH - 0.3, TRUTH - 0.4, TRUTH - 0.2, notes=1), False),
        (draw(math.inf), True),
        (draw(math.nan), True),
        (draw(math.nan, end="refused: no"), False),
    ],
)
def test_wrong_and_silent(made, silent):
    assert counts.silent(made) == silent


def test_counts_of_one_estimator():
    made = [
        draw(TRUTH, TRUTH - 1, TRUTH + 1),
        draw(TRUTH + 0.3, TRUTH + 0.1, TRUTH + 0.5, seed=1),
        draw(TRUTH + 0.1, TRUTH + 0.05, TRUTH + 0.2, notes=2, seed=2),
        draw(math.nan, task="dense-2x2", end="refused: no"),
    ]
    found = counts.of_draws(made)
    assert (found["tasks"], found["answered"]) == (2, 1)
    assert (found["near"]["k"], found["near"]["of"]) == (1, 2)  # mean error .133; a refusal is not near
    assert (found["covered"]["k"], found["covered"]["of"]) == (1, 2)  # of those without a note
    assert (found["silent"]["k"], found["silent"]["of"]) == (1, 4)
    assert (found["noted"]["k"], found["noted"]["of"]) == (1, 2)
    assert found["near"]["low"] == pytest.approx(0.0126, abs=1e-3)  # Clopper-Pearson of 1 of 2
    assert counts.of_draws([made[3]])["answered"] == 0
    undefined = [draw(math.nan), *(draw(TRUTH + 0.1, task=t) for t in ("normal-cdf-1x1", "wiggly-1x1"))]
    assert counts.of_draws(undefined)["median_error"] == pytest.approx(0.1)


def test_best_of_is_the_nearest_by_task():
    made = [draw(TRUTH + 0.1), draw(TRUTH + 0.05, estimator="b"), draw(TRUTH + 0.4, estimator="b", seed=1)]
    name, error = counts.best_of(made)["normal-1x1", 1000]
    assert (name, round(error, 6)) == ("a", 0.1)


def test_what_is_asked_for_twice_is_measured_once(tmp_path, capsys):
    asked = ("--only", "gaussian", "--only", "gaussian", "--tasks", "normal-1x1", "--tasks", "normal-1x1", "--seeds", 1)
    told = call(capsys, *asked, "--n", 50, "--n", 50, "--keep", tmp_path / "k.jsonl")
    assert "1 of 1: gaussian" in told.err
    with pytest.raises(InputError, match="is a folder"):
        call(capsys, *asked, "--keep", tmp_path)


def test_the_protocol():
    asked = plan.whole(["auto", "ksg", "flow"])
    by = {(r.estimator, r.n, truths.set_of(r.task)): len(r.seeds) for r in asked}
    assert by["ksg", 1000, "forty"] == by["auto", 10_000, "forty"] == 5
    assert by["flow", 10_000, "forty"] == 2
    assert ("flow", 1000, "forty") not in by
    assert by["auto", 1000, "held-out"] == by["auto", 10_000, "held-out"] == 2
    assert by["auto", 1000, "fresh"] == by["auto", 10_000, "fresh"] == 2
    assert ("ksg", 1000, "held-out") not in by
    assert plan.estimators()[:2] == ["auto", "ksg"]
    assert {*plan.estimators()} == {"auto", *MUTUAL_INFORMATION}


def test_pairs_that_are_maps_of_one_another_do_not_share_their_samples():
    """With one seed for all, six of the forty had the same errors, and counts of them no interval."""
    names = [name for which in truths.SETS for name in truths.names(which)]
    assert len({truths.seed_of(name, 1) for name in names}) == len(names)
    assert {truths.seed_of(name, 0) for name in truths.names("held-out")} == {0}  # as was fixed
    assert len({truths.seed_of(name, 0) for name in truths.names("fresh")}) == 100
    seen = []

    def watch(x, y, seconds):
        seen.append(x)
        return Found(0, 0, 0, 0, 0)

    for name in ("normal-1x1", "half-cube-1x1"):
        assert len([*rows.measure(watch, "a", name, 50, (0, 1))]) == 2
    ranks = {tuple(x[:, 0].argsort()) for x in seen}
    assert len(ranks) == 4


def test_draws_survive_the_file_of_the_docs(tmp_path):
    made = [
        draw(0.5, 0.25, math.inf, notes=1),
        draw(0.625, seed=1),
        draw(math.nan, task="dense-2x2", end="refused: no"),
        draw(math.nan, task="dense-3x3", end="refused: no"),
    ]
    data.write(tmp_path / "d.csv", made)
    again = {d.key: d for d in data.read(tmp_path / "d.csv")}
    assert again.keys() == {d.key for d in made}
    first = again[made[0].key]
    assert (first.value, first.low, first.high, first.notes, first.seconds) == (0.5, 0.25, math.inf, 1, 0.5)
    assert math.isnan(again[made[1].key].low)
    assert again[made[3].key].end == "refused: no"
    with (tmp_path / "d.csv").open("a") as file:
        csv.writer(file).writerow(["a", "b", "many", "0", "1", "1", "1", "0", "1", ""])
    with pytest.raises(StoreError, match="line 4, is no row"):
        data.read(tmp_path / "d.csv")
    (tmp_path / "e.csv").write_text("a,b\n")
    with pytest.raises(StoreError, match="does not open with"):
        data.read(tmp_path / "e.csv")


def test_a_broken_file_of_draws_is_refused(tmp_path):
    kept = tmp_path / "k.jsonl"
    rows.append(kept, draw(0.5, -math.inf, math.inf))
    found = rows.read(kept)[draw(0).key]
    assert (found.low, found.high) == (-math.inf, math.inf)
    kept.write_text("{}\n" + kept.read_text())
    with pytest.raises(StoreError, match="line 1, is no draw"):
        rows.read(kept)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "ksgg"), "did you mean ksg"),
        (("--tasks", "normal-1x2"), "did you mean normal-1x1"),
        (("--n", "5"), "--n is 5"),
        (("--seeds", "0"), "--seeds is 0"),
    ],
)
def test_wrong_options_are_refused(arguments, said, tmp_path):
    with pytest.raises(InputError, match=said):
        command.main([*arguments, "--keep", str(tmp_path / "k.jsonl")])


def test_a_peer_that_is_not_there_is_said_and_left_out(tmp_path, capsys, monkeypatch):
    asked = ("--quick", "--only", "ennemi", "--keep", tmp_path / "k.jsonl")
    monkeypatch.delenv("DEEPTHEORY_PEERS", raising=False)
    assert "left out: DEEPTHEORY_PEERS names no folder" in call(capsys, *asked).err
    monkeypatch.setenv("DEEPTHEORY_PEERS", str(tmp_path))
    told = call(capsys, *asked)
    assert "there is no ennemi/bin/python" in told.err
    assert "4 of 4 draws are not measured yet" in told.err
    assert not (tmp_path / "k.jsonl").exists()


WORKER = """
import json, sys, time
for line in sys.stdin:
    import numpy as np
    n = len(np.load(line.strip())["x"])
    if n == 10: print(json.dumps({"value": 1.5, "low": None, "high": 2.0, "seconds": 0.1, "method": "m"}), flush=True)
    if n == 11: print(json.dumps({"refused": "one column"}), flush=True)
    if n == 12: print(json.dumps({"failed": "ValueError: x"}), flush=True)
    if n == 13: sys.exit("gone")
    if n == 14: time.sleep(60)
"""


def test_a_peer_answers_refuses_fails_ends_and_begins_again(tmp_path, monkeypatch):
    (tmp_path / "worker.py").write_text(WORKER)
    monkeypatch.setattr(peers, "_WORKER", tmp_path / "worker.py")
    peer = peers.Peer("ennemi", Path(sys.executable))

    def asked(n):
        return peer(np.zeros((n, 1)), np.zeros((n, 1)), 1.0)

    assert asked(10)[:1] == (1.5,)
    assert math.isnan(asked(10).low)
    with pytest.raises(InputError, match="one column"):
        asked(11)
    with pytest.raises(rows.PeerError, match="ValueError: x"):
        asked(12)
    with pytest.raises(rows.PeerError, match="gone"):
        asked(13)
    with pytest.raises(rows.TimeIsUp), rows.limit(0.5):
        asked(14)
    assert isinstance(asked(10), Found)
    peer.close()


def script():
    spec = spec_from_file_location("make_estimators", ROOT / "docs" / "make_estimators.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_of_the_data_that_the_docs_ship():
    """Nothing on it was typed: the script gives the same again."""
    made = script()
    draws = data.read(made.DATA)
    text = made.PAGE.read_text()
    assert text == made.page(draws, int(re.search(r"pair at n = ([\d,]+)", text)[1].replace(",", "")))
    assert made.DATA.stat().st_size < 400_000  # 5,800 draws of ours, 800 of peers
    assert "in hindsight" in text


def test_goals_are_counted_and_never_claimed_early():
    made = script()
    few = [Draw("auto", "normal-1x1", 10_000, 0, TRUTH, TRUTH - 1, TRUTH + 1, 0, 1.0)]
    lines = [line for line in made.goals(few) if "34 of the forty" in line]
    assert lines[0].endswith("| 1 of 1 [0.03, 1.00]; 1 of 40 measured so far | open |")
    off = [Draw("auto", t, 10_000, 0, 9.0, 8.0, 9.5, 0, 1.0) for t in truths.names("forty")]
    assert next(line for line in made.goals(off) if "34 of the forty" in line).endswith("| no |")


def test_the_command_line_reaches_the_table(tmp_path):
    asked = [sys.executable, "-m", "deeptheory", "bench"]
    told = subprocess.run(
        [*asked, "estimators", "--quick", "--only", "gaussian", "--tasks", "normal-1x1", "--json", "--keep", "k.jsonl"],
        capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["draws"][0]["task"] == "normal-1x1"
    wrong = subprocess.run([*asked, "--quick", "estimators"], capture_output=True, text=True, cwd=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "come after its name" in wrong.stderr


def test_a_judged_estimator_is_known_by_name():
    with pytest.raises(InputError, match="did you mean ksg"):
        judge("ksgs")
