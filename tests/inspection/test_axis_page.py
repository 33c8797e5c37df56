"""The page and the command: the same numbers as in Python, files that say what they are, and how wrong use ends."""

import json

import numpy as np
import pandas as pd
import pytest

from deeptheory.axis import axis_code, simulate
from deeptheory.cli import main
from deeptheory.core.errors import InputError
from deeptheory.inspection import write_axis_page


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    sim = simulate({"axis": 0.5, "exemplar": 0.5}, n=200, d=6, units=8, seed=4)
    np.save(folder / "r.npy", sim.responses)
    np.save(folder / "f.npy", sim.features)
    return folder, sim


def run(capsys, *arguments):
    code = 0
    try:
        main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err


def test_the_command_writes_the_page_and_says_what_python_says(files, capsys, tmp_path):
    folder, sim = files
    asked = (
        "axis",
        folder / "r.npy",
        folder / "f.npy",
        "--blocks",
        "shape:2,appearance:4",
        "--folds",
        4,
        "--permutations",
        50,
    )
    code, out, err = run(capsys, *asked, "--out", tmp_path / "run", "--json")
    assert code == 0, err
    said = json.loads(out)
    blocks = {"shape": slice(0, 2), "appearance": slice(2, 6)}
    same = axis_code(sim.responses, sim.features, blocks, folds=4, permutations=50)
    assert said["verdicts"] == same.models.counts
    assert said["preference/shape"] == same.scalars()["preference/shape"]
    units = pd.read_csv(tmp_path / "run" / "units.csv")
    assert units["verdict"].tolist() == same.verdict.tolist()
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Which code do these units use?" in page
    assert "The ledger" not in page
    assert "Preference for shape" in page
    assert str(folder) not in page
    shown = sorted(p.stem for p in (tmp_path / "run" / "figures").glob("*.json"))
    assert shown == ["decoding", "flatness", "geometry", "identification", "models", "preference", "ramp"]
    code, out, _ = run(capsys, *asked, "--out", tmp_path / "run")
    assert code == 0
    assert "AxisCode(8 units" in out
    assert run(capsys, "report", tmp_path / "run")[0] == 0


def test_a_page_without_blocks_and_models(files, tmp_path):
    _, sim = files
    code = axis_code(sim.responses, sim.features, permutations=20, models=False)
    page = write_axis_page(code, tmp_path, source="Simulated.").read_text()
    assert "Simulated. 8 units, 200 stimuli" in page
    assert "Preference" not in page
    assert "Which code?" not in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.npy", "f.npy"), "missing.npy: there is no such file"),
        (("r.npy", "f.npy", "--blocks", "shape"), "--blocks is 'shape'; needed: NAME:NUMBER"),
        (("r.npy", "f.npy", "--blocks", "shape:9"), "block 'shape' holds"),
        (("r.npy", "f.npy", "--normalize", "no"), "unknown normalization"),
    ],
)
def test_wrong_use_ends_with_two(files, capsys, tmp_path, arguments, message):
    folder, _ = files
    paths = [folder / a if a.endswith(".npy") else a for a in arguments]
    code, out, err = run(capsys, "axis", *paths, "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("suffix", ["npz", "csv", "tsv", "mat"])
def test_other_files_say_the_same(files, capsys, tmp_path, suffix):
    from scipy.io import savemat

    folder, sim = files
    arrays = {"r": sim.responses, "f": sim.features}
    for name, array in arrays.items():
        path = tmp_path / f"{name}.{suffix}"
        if suffix == "npz":
            np.savez(path, **{name: array})
        elif suffix == "mat":
            savemat(path, {"other": np.zeros(3), name: array})
        else:
            mark = {"csv": ",", "tsv": "\t"}[suffix]
            head = mark.join(f"x{k}" for k in range(array.shape[1]))
            lines = [head, *(mark.join(repr(float(v)) for v in row) for row in array)]
            path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    names = [f"{tmp_path / k}.{suffix}" + (f":{k}" if suffix == "mat" else "") for k in arrays]
    asked = ("--permutations", 5, "--folds", 4, "--json")
    code, out, err = run(capsys, "axis", *names, "--out", tmp_path / "run", *asked)
    assert code == 0, err
    same = run(capsys, "axis", folder / "r.npy", folder / "f.npy", "--out", tmp_path / "same", *asked)[1]
    assert {**json.loads(out), "page": ""} == {**json.loads(same), "page": ""}


@pytest.mark.slow
def test_other_inputs_have_a_default_folder_of_their_own(files, capsys, tmp_path, monkeypatch):
    folder, sim = files
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "f.npy", sim.features[:, :5])
    np.save(tmp_path / "other features.npy", sim.features)

    def page(features, *options):
        code, out, err = run(
            capsys, "axis", folder / "r.npy", features, "--permutations", 5, "--folds", 4, "--json", *options
        )
        assert code == 0, err
        return json.loads(out)["page"]

    first = page(folder / "f.npy")
    assert first.startswith("runs/axis-r-f-")
    assert page(folder / "f.npy") == first
    pages = [
        first,
        page("f.npy"),
        page("other features.npy"),
        page(folder / "f.npy", "--seed", 1),
        page(folder / "f.npy", "--normalize", "dim"),
    ]
    assert len(set(pages)) == 5
    assert pages[2].startswith("runs/axis-r-other_features-")
    code, _, err = run(
        capsys, "axis", folder / "r.npy", "f.npy", "--out", (tmp_path / first).parent, "--permutations", 5, "--folds", 4
    )
    assert code == 1
    assert "choose another folder" in err


def test_json_knows_no_nan_and_groups_come_from_a_file(files, capsys, tmp_path):
    _, sim = files
    (tmp_path / "g.csv").write_text("\n".join(f"face {k // 2}" for k in range(200)))
    np.save(tmp_path / "f.npy", np.repeat(sim.features[::2], 2, 0))
    np.save(tmp_path / "r.npy", np.random.default_rng(0).standard_normal((200, 3)))
    out = run(
        capsys,
        "axis",
        tmp_path / "r.npy",
        tmp_path / "f.npy",
        "--groups",
        tmp_path / "g.csv",
        "--out",
        tmp_path / "run",
        "--permutations",
        19,
        "--json",
    )[1]
    said = json.loads(out, parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))
    assert said["share/flat"] is None
    assert "200 rows are repeats of 100 stimuli" in said["notes"][0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"\x93NUMPY nonsense", "is not a .npy file"),
        ("a.npz", b"PK nonsense", "is not a .npz file"),
        ("a.mat", b"nonsense", "is not a .mat file"),
        ("a.xlsx", b"PK", "ends in '.xlsx'; read are .npy, .npz, .csv"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"x,y\n", "holds a heading and no numbers"),
        ("a.csv", b"1,2\n3\n", "2 columns in its first row and 1 in row 2"),
        ("a.csv", b"1;2,5\n3;4,5\n", "decimal commas"),
        ("a.csv", b"x,y\na,1\nb,2\n", "holds 'a' in row 1"),
        ("a.csv", b"\xff\xfe1,2", "is no text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, message):
    from deeptheory.cli.arrays import read_array

    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_array(tmp_path / name)


def test_archives_of_several_arrays_and_objects_are_named(tmp_path):
    from deeptheory.cli.arrays import read_array

    np.savez(tmp_path / "two.npz", a=np.ones(2), b=np.ones(3))
    with pytest.raises(InputError, match=r"holds a, b; name one: two.npz:a"):
        read_array(tmp_path / "two.npz")
    with pytest.raises(InputError, match=r"holds no 'c'; it holds a, b"):
        read_array(f"{tmp_path / 'two.npz'}:c")
    assert read_array(f"{tmp_path / 'two.npz'}:b").shape == (3,)
    np.save(tmp_path / "objects.npy", np.array([{}, []], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="holds Python objects"):
        read_array(tmp_path / "objects.npy")
    with pytest.raises(InputError, match="is a folder"):
        read_array(tmp_path)


def test_one_unit_has_a_page(capsys, tmp_path):
    """The command measured the unit and then ended: "axes have shape [1, 3]; needed: [2 or more, d]"."""
    sim = simulate("axis", n=60, d=3, units=1)
    np.save(tmp_path / "r.npy", sim.responses)
    np.save(tmp_path / "f.npy", sim.features)
    asked = ("--permutations", "9", "--folds", "3", "--out", tmp_path / "run")
    code, _, err = run(capsys, "axis", tmp_path / "r.npy", tmp_path / "f.npy", *asked)
    assert (code, "error" in err) == (0, False)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "how the axes lie to each other cannot be shown: axes have shape [1, 3]" in page
