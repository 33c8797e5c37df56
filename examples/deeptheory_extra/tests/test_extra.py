"""The seven parts, by the names under which deeptheory finds them: run against the installed package."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError

X = np.random.default_rng(0).normal(size=(2000, 3))


def test_the_estimator_by_name():
    y = 0.8 * X[:, 0] + 0.6 * X[:, 1]
    found = dt.mutual_information(X[:, 0], y, "rank-correlation")
    truth = -0.5 * np.log2(1 - 0.64)
    assert found.low < truth < found.high
    assert dt.mutual_information(X[:, 0], np.exp(y), "rank-correlation").value == pytest.approx(found.value)
    assert dt.mutual_information(X[:, 0], X[:, 1], "rank-correlation").low == 0
    with pytest.raises(InputError, match="one column"):
        dt.mutual_information(X, y, "rank-correlation")


def test_the_readout_by_name():
    readout = dt.information.READOUTS["signs"]()
    plane = dt.information_plane(np.tanh(X), readout=readout, targets=X[:, 0] > 0)
    assert float(plane.i_y[0, 0, 0]) == pytest.approx(1, abs=0.01)


def test_the_routing_by_name():
    votes, activation = torch.randn(2, 5, 3, 4, 4, dtype=torch.float64), torch.rand(2, 5, dtype=torch.float64)
    beta = torch.zeros(3, dtype=torch.float64)
    pose, _ = dt.capsules.em_routing(votes, activation, beta, beta, variant="damped")
    other, _ = dt.capsules.em_routing(votes, activation, beta, beta, variant="balanced")
    assert torch.isfinite(pose).all()
    assert not torch.equal(pose, other)


@pytest.mark.parametrize("clusters", [1, 2, 3])
def test_the_solver_by_name_finds_the_best_of_all_partitions(clusters):
    p = np.random.default_rng(1).dirichlet(np.ones(12)).reshape(6, 2)
    found = dt.bottleneck(p, 5.0, "quantizer", clusters=clusters)
    every = np.stack(np.meshgrid(*[range(clusters)] * 6), -1).reshape(-1, 6)
    assert found.i_y == pytest.approx(max(_kept(p, labels, clusters) for labels in every))
    with pytest.raises(InputError, match="Y has 3 values"):
        dt.bottleneck(np.full((2, 3), 1 / 6), 5.0, "quantizer")


def _kept(p: np.ndarray, labels: np.ndarray, clusters: int) -> float:
    """I(T;Y) in bits of a partition, by its definition."""
    joint = np.stack([p[labels == t].sum(0) for t in range(clusters)])
    independent = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    return float((joint * np.log2(np.where(joint > 0, joint / np.where(independent > 0, independent, 1), 1))).sum())


def test_the_instrument_by_name():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    found = dt.inspect(model, X.astype(np.float32), instruments=["sparseness"], twins=1)
    values = found.results["sparseness"].table()
    assert ((values["value"] > 0) & (values["value"] <= 1)).all()


def test_the_dataset_by_name():
    data = dt.datasets.CATALOGUE["parity"].get(bits=6)
    assert data.mutual_information == 1
    assert all(abs(np.corrcoef(data.x[:, k], data.y)[0, 1]) < 1e-7 for k in range(6))


def test_the_study_by_name(tmp_path):
    result = dt.reproduce("miller-1955", out=tmp_path / "run", engine="processes", jobs=2, progress=False)
    assert result.claims["too-low"].verdict == "holds here"
    assert result.claims["corrected"].verdict == "holds here"
    assert result.claims["corrected"].seeds == 200
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Miller" in page
    assert "The bias of entropy from counts" in page


def test_the_command_line_lists_all_seven():
    said = subprocess.run(
        [sys.executable, "-m", "deeptheory", "list", "--plugins", "--json"], capture_output=True, text=True, check=True
    )
    found = json.loads(said.stdout)
    assert {p["kind"] for p in found} == {
        "estimators", "readouts", "routings", "solvers", "instruments", "studies", "datasets",
    }  # fmt: skip
    assert [p["problem"] for p in found] == [""] * 7
    listed = subprocess.run([sys.executable, "-m", "deeptheory", "list"], capture_output=True, text=True, check=True)
    assert "miller-1955" in listed.stdout
