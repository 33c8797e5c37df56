"""What holds for all trained estimators: leaks, state as found, options, notes. Small and short on purpose."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError

METHODS = ("infonce", "nwj", "dv", "smile", "doe", "lmi", "flow")
BRIEF = {"steps": 20, "progress": False}


def pair(n=150, rho=0.8, d=2):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, n, d))
    y[:, 0] = rho * x[:, 0] + np.sqrt(1 - rho**2) * y[:, 0]
    return x, y


@pytest.mark.parametrize("method", METHODS)
def test_the_surroundings_are_as_found_and_do_not_matter(method):
    x, y = pair()
    first = dt.mutual_information(x, y, method, **BRIEF).value
    threads, dtype = torch.get_num_threads(), torch.get_default_dtype()
    state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002  # a caller's
    try:
        torch.set_default_dtype(torch.bfloat16)
        torch.set_num_threads(2)
        with torch.inference_mode():
            second = dt.mutual_information(torch.as_tensor(x), torch.as_tensor(y), method, **BRIEF).value
        assert torch.get_num_threads() == 2
        assert torch.get_default_dtype() == torch.bfloat16
    finally:
        torch.set_default_dtype(dtype)
        torch.set_num_threads(threads)
    assert first == second
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002  # a caller's


@pytest.mark.parametrize("method", ["dv", "doe"])
def test_copies_in_groups_are_no_information(method):
    """Ten copies of each row: split by rows, the networks know them by heart; by groups they have seen nothing."""
    rng = np.random.default_rng(1)
    x, y = (np.repeat(rng.normal(size=(30, 8)), 10, axis=0) for _ in range(2))
    given = {"steps": 150, "progress": False}
    leaked = dt.mutual_information(x, y, method, groups=np.arange(300), **given)
    kept = dt.mutual_information(x, y, method, groups=np.repeat(np.arange(30), 10), **given)
    assert leaked.low > 0.3
    assert kept.low <= 0 <= kept.high
    seen = dt.mutual_information(x, y, method, **given)
    assert seen.low <= 0 <= seen.high
    assert any("270 rows are copies" in n for n in seen.notes)
    blocks = dt.mutual_information(x, y, method, block=10, **given)
    assert blocks.low <= 0 <= blocks.high


def test_more_training_is_told_and_time_ends_it():
    x, y = pair()
    told = []
    got = dt.mutual_information(x, y, "nwj", steps=40, progress=lambda done, of: told.append((done, of)))
    assert told[-1] == (40, 40)
    assert len(told) == 40
    late = dt.mutual_information(x, y, "nwj", steps=10_000, seconds=0.05, progress=False)
    assert any("stopped after 0.05 s" in n for n in late.notes)
    assert np.isfinite(late.value)
    assert got.direction == "lower"
    assert "spread over networks" in got.method


def test_long_training_is_told_on_stderr(capsys, monkeypatch):
    from deeptheory.information.trained import training

    monkeypatch.setattr(training, "_SILENT", 0.0)
    dt.mutual_information(*pair(), "infonce", steps=3)
    assert "infonce: step 1 of at most 3" in capsys.readouterr().err
    dt.mutual_information(*pair(), "infonce", steps=3, progress=False)
    assert capsys.readouterr().err == ""


def test_the_ceiling_of_infonce_is_a_note_and_smile_says_its_cut():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 1))
    strong = x + 1e-3 * rng.normal(size=(200, 1))
    got = dt.mutual_information(x, strong, "infonce", steps=300, progress=False)
    assert got.value < np.log2(40)
    assert any("near InfoNCE's ceiling, log2 of the 40 rows" in n for n in got.notes)
    cut = dt.mutual_information(x, strong, "smile", steps=300, clip=1.0, progress=False)
    assert any("near the cut of 1 nats" in n for n in cut.notes)
    for method in ("nwj", "dv"):  # a critic cut at a constant far from its log mean gave -8.8 and 1.4 bits
        above = dt.mutual_information(x, strong, method, steps=300, progress=False)
        assert 3 < above.value < np.log2(40)
        assert any("McAllester & Stratos" in n for n in above.notes)


def test_what_cannot_be_finite_or_so_large_is_a_note():
    x, _ = pair()
    for y in (x[:, :1], np.exp(x[:, :1]), x @ [1.0, 2.0]):
        assert any("is infinite" in n for n in dt.mutual_information(x, y, "dv", **BRIEF).notes)
    assert not any("is infinite" in n for n in dt.mutual_information(*pair(), "dv", **BRIEF).notes)


def test_a_rate_far_too_large_does_not_choose_what_blew_up():
    x, y = pair()
    for method in ("infonce", "nwj", "dv", "smile"):
        got = dt.mutual_information(x, y, method, lr=1e3, steps=40, progress=False)
        assert abs(got.value - 0.74) < 0.5, method


def test_few_samples_have_no_interval_and_units_are_nats_on_demand():
    x, y = pair(60)
    bits = dt.mutual_information(x, y, "dv", **BRIEF)
    assert bits.low == -np.inf
    assert any("60 samples" in n for n in bits.notes)
    nats = dt.mutual_information(x, y, "dv", unit="nats", **BRIEF)
    assert nats.value == pytest.approx(bits.value * np.log(2))


def test_ranks_are_taken_anyway_and_labels_stay_labels():
    x, y = pair()
    for other in (y, (y[:, 0] > 0).astype(int)):
        plain, ranked = (dt.mutual_information(x, other, "dv", ranks=r, **BRIEF).value for r in (None, True))
        assert plain == ranked


def test_convergence_keeps_groups_together():
    x, y = pair(240)
    got = dt.mutual_information(x, y, "dv", groups=np.repeat(np.arange(80), 3), **BRIEF)
    assert list(got.convergence((1 / 2,), parts=2).n) == [120, 240]


@pytest.mark.parametrize(
    ("method", "options", "match"),
    [
        ("dv", {"folds": 1}, "folds is 1"),
        ("dv", {"steps": 0}, "steps is 0"),
        ("dv", {"batch": 1}, "batch is 1"),
        ("dv", {"lr": -1}, "lr is -1; needed: a number above 0"),
        ("dv", {"seconds": 0}, "seconds is 0"),
        ("dv", {"progress": 3}, "progress is 3"),
        ("dv", {"device": "abacus"}, "device is 'abacus', which torch cannot use"),
        ("dv", {"critic": "jont"}, "unknown critic 'jont'"),
        ("smile", {"clip": np.inf}, "clip is inf"),
        ("lmi", {"dims": 0}, "dims is 0"),
        ("lmi", {"k": 75}, "k is 75 for 75 samples"),
        ("dv", {"epochs": 3}, "use steps= with a trained method"),
        ("dv", {"stps": 3}, "did you mean steps"),
        ("dv", {"groups": np.zeros(150)}, "1 groups or blocks are too few"),
        ("dv", {"groups": np.arange(150), "block": 3}, "groups= and block= were both given"),
    ],
)
def test_wrong_options_are_refused(method, options, match):
    with pytest.raises(InputError, match=match):
        dt.mutual_information(*pair(), method, **options)


def test_a_flow_refuses_labels():
    x, _ = pair()
    with pytest.raises(InputError, match="y holds labels, and a flow maps numbers"):
        dt.mutual_information(x, ["a", "b"] * 75, "flow")


def test_a_batch_of_small_groups_is_no_error():
    """Ten batches of whole groups: one of them held no more rows than lmi's neighbors, and all was refused."""
    x, y = pair(400)
    groups = np.r_[np.arange(120), np.repeat(np.arange(120, 130), 28)]
    got = dt.mutual_information(x, y, "lmi", groups=groups, k=12, **BRIEF)
    assert np.isfinite(got.value)
    assert np.isnan(got.low)
    assert any("no interval" in t for t in got.notes)
