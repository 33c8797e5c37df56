"""mi: files in, the estimate of Python out; rows that do not belong together are refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cli.running import run
from deeptheory.information import mutual_information


@pytest.fixture
def here(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    y = x[:, :1] + rng.normal(size=(300, 1))
    rows = [f"r{k}" for k in range(300)]
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    np.savez(tmp_path / "both.npz", x=x, y=y)
    for name, a in (("x", x), ("y", y)):
        table = pd.DataFrame(a, columns=[f"{name}{k}" for k in range(a.shape[1])], index=rows)
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        table.to_csv(tmp_path / f"{name}_rows.csv")
        table.rename_axis("row").to_csv(tmp_path / f"{name}_named.csv")
    table.iloc[::-1].to_csv(tmp_path / "y_reversed.csv")
    table.iloc[[0, *range(299)]].to_csv(tmp_path / "y_twice.csv")
    (tmp_path / "words.csv").write_text("\n".join(np.where(x[:, 0] > 0, "up", "down")))
    np.save(tmp_path / "short.npy", y[:9])
    x[3] = np.nan
    np.save(tmp_path / "nan.npy", x)
    (tmp_path / "empty.csv").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def value(capsys, *arguments) -> float:
    code, out, err = run(capsys, "mi", *arguments, "--json")
    assert code == 0, err
    return json.loads(out)["value"]


def test_it_is_the_number_of_python(here, capsys):
    x, y = np.load("x.npy"), np.load("y.npy")
    found = mutual_information(x, y)
    code, out, _ = run(capsys, "mi", "x.npy", "y.npy", "--json")
    said = json.loads(out)
    assert code == 0
    assert (said["value"], said["low"], said["high"]) == (found.value, found.low, found.high)
    assert said["notes"] == list(found.notes)
    assert said["p"] is None
    assert value(capsys, "both.npz:x", "both.npz:y") == found.value
    assert value(capsys, "x.csv", "y.csv") == pytest.approx(found.value, rel=1e-9)
    assert value(capsys, "x_rows.csv", "y_rows.csv") == pytest.approx(found.value, rel=1e-9)
    assert value(capsys, "x_named.csv", "y_named.csv", "--row-names") == pytest.approx(found.value, rel=1e-9)
    assert value(capsys, "x.npy", "y.npy", "--unit", "nats") == pytest.approx(found.value * np.log(2))
    five = mutual_information(x, y, "ksg", k=5).value
    assert value(capsys, "x.npy", "y.npy", "--method", "ksg", "--set", "k=5") == five
    brief = mutual_information(x, y, "infonce", steps=5).value
    assert value(capsys, "x.npy", "y.npy", "--method", "infonce", "--set", "steps=5") == brief
    words = mutual_information(x, np.where(x[:, 0] > 0, "up", "down")).value
    assert value(capsys, "x.npy", "words.csv") == words


def test_text_shows_interval_and_notes(here, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    np.save("few.npy", np.load("x.npy")[:9])
    code, out, err = run(capsys, "mi", "few.npy", "short.npy", "--permutations", "19")
    assert code == 0
    assert out.startswith("I(X;Y) = ")
    assert "n = 9" in out
    assert "p = " in out
    assert "note: " in err
    assert max(map(len, (out + err).splitlines())) <= 60


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["x.npy", "missing.npy"], "missing.npy: there is no such file"),
        (["x.npy", "missing.parquet"], "missing.parquet: there is no such file"),
        (["x.npy", "short.npy"], "y has 9 rows, x has 300"),
        (["nan.npy", "y.npy"], "NaN"),
        (["x_rows.csv", "y_reversed.csv"], "same row labels in another order"),
        (["x_rows.csv", "y_twice.csv"], "names a row 'r0' more than once"),
        (["x_named.csv", "y.npy"], "a column of names has to go"),
        (["x.npy", "y.npy", "--row-names"], "--row-names is for"),
        (["both.npz", "y.npy"], "both.npz holds x, y; name one"),
        (["both.npz:z", "y.npy"], "holds no 'z'"),
        (["x.npy", "y.npy", "--method", "ksgg"], "did you mean ksg"),
        (["x.npy", "y.npy", "--set", "kk=3"], "unknown option 'kk'; did you mean k"),
        (["x.npy", "y.npy", "--set", "k"], "write NAME=VALUE"),
        (["x.npy", "y.npy", "--set", "unit=nats"], "--unit nats"),
        (["x.npy", "y.npy", "--unit", "bytes"], "unit is 'bytes'"),
        (["x.npy", "empty.csv"], "empty.csv is empty"),
        (["x.npy", "."], "is a folder"),
    ],
)
def test_refusals(here, capsys, arguments, match):
    code, out, err = run(capsys, "mi", *arguments)
    assert code == 2
    assert match in err
    assert out == ""


@pytest.fixture
def table(here):
    x, y = np.load("x.npy"), np.load("y.npy")
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y[:, 0], "kind": np.where(x[:, 0] > 0, "up", "down")})
    frame.to_csv("all.csv", index=False)
    frame.to_csv("all.tsv", index=False, sep="\t")
    frame[["a", "y"]].to_csv("blanks.txt", index=False, sep=" ")
    frame["kind"].to_csv("kind.csv", index=False)
    (here / "comma.csv").write_text("a;b\n1,5;2,5\n2,5;3,5\n1,1;4,4\n")
    (here / "hole.csv").write_text("a,b\n1,2\n?,3\n4,5\n")
    (here / "bare.csv").write_text("1,2\n3,4\n")
    np.save("images.npy", np.load("x.npy").reshape(300, 1, 2, 1))
    return frame


def test_columns_of_a_table_are_named_at_the_file(table, capsys):
    both, one = table[["a", "b"]], table["a"]
    assert value(capsys, "all.csv:a,b", "all.csv:y") == pytest.approx(
        mutual_information(both, table["y"]).value, rel=1e-9
    )
    for file in ("all.csv", "all.tsv", "blanks.txt"):
        assert value(capsys, f"{file}:a", f"{file}:y") == pytest.approx(
            mutual_information(one, table["y"]).value, rel=1e-9
        )
    of_words = mutual_information(both, table["kind"]).value
    assert value(capsys, "all.csv:a,b", "all.csv:kind") == pytest.approx(of_words, rel=1e-9)
    assert value(capsys, "all.csv:a,b", "kind.csv:kind") == pytest.approx(of_words, rel=1e-9)


def test_groups_come_from_a_column(table, capsys):
    table["g"] = np.arange(300) // 10
    table.to_csv("grouped.csv", index=False)
    code, out, _ = run(capsys, "mi", "all.csv:a", "all.csv:y", "--groups", "grouped.csv:g", "--json")
    assert code == 0
    assert "interval by groups" in json.loads(out)["method"]
    code, out, _ = run(capsys, "mi", "all.csv:a", "all.csv:y", "--groups", "kind.csv:kind", "--json")
    assert code == 0
    assert any("there are 2 groups" in note for note in json.loads(out)["notes"])


def test_images_and_unbounded_intervals(table, capsys):
    code, out, err = run(capsys, "mi", "images.npy", "y.npy")
    assert code == 0
    assert "read as 2 columns" in err
    np.save("few.npy", np.arange(9) % 3)
    code, out, err = run(capsys, "mi", "few.npy", "few.npy")
    assert code == 0
    assert "[unbounded, unbounded]" in out


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["all.csv:z", "y.npy"], "all.csv holds no column 'z'; it holds a, b, y, kind"),
        (["bare.csv:a", "y.npy"], "its first line is numbers, no heading"),
        (["all.csv", "y.npy"], "or name the columns wanted: all.csv:A,B"),
        (["x.npy", "kind.csv"], "is a heading, give kind.csv:kind"),
        (["kind.csv", "x.npy"], "is a heading, give kind.csv:kind"),
        (["x.npy", "y.npy", "--groups", "kind.csv"], "is a heading, give kind.csv:kind"),
        (["x.npy", "y.npy", "--groups", "all.csv:a,b"], "--groups names 2 columns"),
        (["comma.csv:a", "comma.csv:b"], "decimal commas"),
        (["hole.csv:a", "hole.csv:b"], "holds '?' in row 2 among numbers"),
        (["x.npy", "y.npy", "--n_neighbors", "5"], "--n_neighbors is not an option here; use --set k=5"),
        (["--k", "5", "x.npy", "y.npy"], "use --set k=5"),
        (["x.npy", "y.npy", "--k=7"], "use --set k=7"),
        (["x.npy", "y.npy", "--random_state", "0"], "use --set seed=0"),
        (["x.npy", "y.npy", "--estimator", "ksg"], "use --method NAME"),
        (["x.npy", "y.npy", "--n-permutations", "9"], "use --permutations N"),
        (["x.npy", "y.npy", "--base", "2"], "use --unit nats"),
        (["x.npy", "y.npy", "--ranks"], "use --set ranks=true"),
        (["x.npy", "y.npy", "--bins", "9"], "bin them"),
        (["x.npy", "y.npy", "--blokc", "3"], "did you mean --block"),
        (["x.npy", "y.npy", "short.npy"], "3 files or words are given"),
    ],
)
def test_what_a_new_user_writes_is_answered(table, capsys, arguments, match):
    code, out, err = run(capsys, "mi", *arguments)
    assert code == 2
    assert match in err
    assert out == ""


def test_the_methods_that_help_names_are_there(capsys):
    from deeptheory.information.estimators import MUTUAL_INFORMATION

    code, out, _ = run(capsys, "mi", "--help")
    assert code == 0
    said = " ".join(out.split()).split("by name: ")[1].split(". A name")[0].split(", ")
    assert set(said) == set(MUTUAL_INFORMATION)


def test_a_parquet_file(table, capsys):
    """As far as this machine goes: with a reader the same number, without one the fix named."""
    from importlib.util import find_spec

    if any(find_spec(name) for name in ("pyarrow", "fastparquet")):
        table[["a", "b"]].to_parquet("all.parquet")
        assert value(capsys, "all.parquet:a", "all.csv:y") == value(capsys, "all.csv:a", "all.csv:y")
        return
    Path("all.parquet").write_bytes(b"PAR1")
    code, out, err = run(capsys, "mi", "all.parquet", "y.npy")
    assert (code, out) == (2, "")
    assert "pip install pyarrow" in err


def test_an_empty_line_is_no_row_less(tmp_path, capsys, monkeypatch):
    """One missing value in each file, in other rows: all rows between them were paired with their neighbors."""
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=100)
    cells = [f"{v:.6f}" for v in x]
    for name, hole, words in (("x", 10, cells), ("y", 80, cells), ("w", 80, ["up" if v > 0 else "down" for v in x])):
        lines = [*words[:hole], "", *words[hole + 1 :]]
        Path(f"{name}.csv").write_text("\n".join(lines) + "\n\n\n")
        Path(f"{name}_named.csv").write_text("\n".join([name, *lines]) + "\n")
    code, _, err = run(capsys, "mi", "x.csv", "y.csv")
    assert code == 2
    assert "is empty in line 11" in err
    for pair in (("x_named.csv:x", "y_named.csv:y"), ("x_named.csv", "y_named.csv"), ("x.csv", "w.csv")):
        code, _, err = run(capsys, "mi", *pair)
        assert code == 2
        assert "a missing value?" in err
    code, _, err = run(capsys, "mi", "w.csv", "w.csv")
    assert code == 2
    assert "is empty in line 81" in err
    Path("double.csv").write_text("\n\n".join(cells))
    Path("plain.csv").write_text("\n".join(cells))
    assert value(capsys, "double.csv", "plain.csv") > 1


def test_names_with_an_underscore_are_no_numbers(tmp_path, capsys, monkeypatch):
    """3_1 is 31 to Python: clusters were numbers, with distances."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    label, x = rng.integers(0, 30, 300), rng.normal(size=300)
    x[label > 15] += 2
    names = [f"{k % 7}_{k}" for k in label]
    Path("y.txt").write_text("\n".join(names))
    np.save("x.npy", x)
    assert value(capsys, "x.npy", "y.txt") == mutual_information(x, np.array(names)).value
    Path("heads.csv").write_text("1_1,1_2\n" + "\n".join(f"{a:.9f},{b:.9f}" for a, b in rng.normal(size=(300, 2))))
    code, out, _ = run(capsys, "mi", "heads.csv", "x.npy", "--json")
    assert code == 0
    assert json.loads(out)["n"] == 300


def test_pandas_numbers_of_columns_are_no_row(tmp_path, capsys, monkeypatch):
    """to_csv(index=False) of a table without names begins 0,1,2: that was the first sample."""
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(50, 3))
    pd.DataFrame(x).to_csv("x.csv", index=False)
    pd.DataFrame(x).to_csv("bare.csv", index=False, header=False)
    pd.DataFrame(np.c_[np.arange(20), np.arange(20) + 1]).to_csv("whole.csv", index=False, header=False)
    code, _, err = run(capsys, "mi", "x.csv", "x.csv")
    assert code == 2
    assert "header=False" in err
    assert run(capsys, "mi", "bare.csv", "bare.csv", "--method", "gaussian")[0] == 0
    assert run(capsys, "mi", "whole.csv", "whole.csv", "--method", "plugin")[0] == 0


def test_integers_of_a_text_are_integers(tmp_path, capsys, monkeypatch):
    """They were floats: labels of 80 rows were numbers, unless a heading was there; and nanoseconds were rounded."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 80)
    x = label + rng.normal(size=80)
    np.save("x.npy", x)
    Path("y.csv").write_text("\n".join(map(str, label)))
    Path("named.csv").write_text("class\n" + "\n".join(map(str, label)))
    wanted = mutual_information(x, label).value
    assert value(capsys, "x.npy", "y.csv") == wanted
    assert value(capsys, "x.npy", "named.csv") == wanted
    assert value(capsys, "x.npy", "named.csv:class") == wanted
    times = 1_700_000_000_000_000_001 + 2 * label
    Path("times.csv").write_text("\n".join(map(str, times)))
    assert value(capsys, "times.csv", "y.csv") == pytest.approx(mutual_information(label, label).value)
    Path("both.csv").write_text("\n".join(f"{t},0.5" for t in times))
    code, _, err = run(capsys, "mi", "both.csv", "y.csv")
    assert code == 2
    assert "a float rounds" in err


@pytest.mark.parametrize("word", ["no", "off", "2"])
def test_a_switch_takes_no_word(here, capsys, word):
    code, _, err = run(capsys, "mi", "x.npy", "y.npy", "--method", "ksg", "--set", f"standardize={word}")
    assert code == 2
    assert "True or False" in err
