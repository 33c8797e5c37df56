"""The shipped tables of the other two tabs: against direct computation, and where theory says what they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from deeptheory.playground.page import tables
from deeptheory.playground.questions import QUESTIONS
from deeptheory.playground.tables import WEIGHTS, neuron_bits

RUNS = Path(__file__).parents[2] / "docs" / "ledgers" / "runs"
SHIPPED = tables()


@pytest.mark.parametrize(
    ("activation", "look", "at"),
    [("tanh", "bins-30", 120), ("relu", "bins-10", 30), ("softplus", "bins-100", 0), ("linear", "noise-0.2", 5)],
)
def test_what_is_shipped_is_what_is_computed(activation, look, at):
    assert SHIPPED["neuron"]["w"][at] == float(f"{WEIGHTS[at]:.4g}")
    assert SHIPPED["neuron"]["bits"][activation][look][at] == round(neuron_bits(WEIGHTS[at], activation, look), 4)


@pytest.mark.parametrize(("activation", "f"), [("tanh", np.tanh), ("relu", lambda z: np.maximum(z, 0))])
def test_bins_are_counted_over_evenly_likely_inputs(activation, f):
    """100,000 quantiles of the normal, put into cells one by one."""
    x = ndtri((np.arange(100_000) + 0.5) / 100_000)
    for at in (0, 40, 70):
        cells = np.maximum(np.ceil(f(WEIGHTS[at] * x) * 15 - 1e-12), -14)  # the first cell is closed on both sides
        p = np.unique(cells, return_counts=True)[1] / len(x)
        assert SHIPPED["neuron"]["bits"][activation]["bins-30"][at] == pytest.approx(-(p * np.log2(p)).sum(), abs=2e-3)


def test_a_linear_unit_sees_only_the_weight_over_the_width_of_a_cell():
    """Invariance: ten times the weight on cells ten times as wide."""
    bits = SHIPPED["neuron"]["bits"]["linear"]
    assert np.allclose(bits["bins-100"][:-30], bits["bins-10"][30:], atol=2e-4)


def test_limits_of_one_neuron():
    bits = SHIPPED["neuron"]["bits"]
    assert bits["tanh"]["bins-30"][-1] == pytest.approx(1.0195, abs=1e-4)  # Saxe et al. 2018: back to 1 bit
    assert (np.diff(bits["relu"]["bins-30"]) > 0).all()
    for rows in bits.values():
        assert max(max(v) for k, v in rows.items() if k.startswith("noise")) <= 2  # four inputs
    assert bits["tanh"]["noise-0.05"][-1] == pytest.approx(1, abs=1e-4)  # Goldfeld et al. 2019: four become two


def test_no_error_found_is_above_its_certificate():
    scale = np.array(SHIPPED["gate"]["scale"])
    for gates in SHIPPED["gate"]["gates"].values():
        for gate in gates.values():
            found, cut, lost = (np.array(gate[k]) for k in ("found", "truncation", "rounding"))
            assert (found <= (cut + lost) * 1.001).all()
            small = scale < 0.02
            slope = np.polyfit(np.log(scale[small]), np.log(cut[small]), 1)[0]
            assert slope == pytest.approx(2, abs=0.02)  # Lin, Tegmark & Rolnick 2017, equation 11
            assert cut[0] + lost[0] > gate["total"]  # the package's own scale is better than the smallest


@pytest.mark.parametrize(("activation", "dtype", "at"), [("softplus", "float32", 40), ("silu", "float64", 10)])
def test_the_gate_is_the_packages(activation, dtype, at):
    import torch

    import deeptheory as dt

    gate = dt.cheap.product_gate(activation, 2.0 ** (-24 + at / 2), getattr(torch, dtype))
    row = SHIPPED["gate"]["gates"][activation][dtype]
    assert row["truncation"][at] == pytest.approx(gate.certificate.truncation, rel=1e-3)
    assert row["rounding"][at] == pytest.approx(gate.certificate.rounding, rel=1e-3)
    assert row["neurons"] == gate.neurons


def test_verdicts_are_those_of_the_stored_ledgers():
    """Fails when a ledger is made again: python docs/make_playground.py brings the page up to date."""
    named = {pair for q in QUESTIONS for pair in q.claims}
    assert set(SHIPPED["verdicts"]) == {f"{study}/{claim}" for study, claim in named}
    for study, claim in named:
        rows = json.loads((RUNS / study / "claims.json").read_text())
        (row,) = (r for r in rows if r["id"] == claim)
        shown = dict(SHIPPED["verdicts"][f"{study}/{claim}"])
        assert shown.pop("study") == study
        assert shown == {k: row[k] for k in shown}
        assert {"verdict", "measured", "low", "high"} <= shown.keys()
