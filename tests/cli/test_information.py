"""mi: files in, the estimate of Python out; rows that do not belong together are refused."""

import json

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
