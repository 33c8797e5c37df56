"""Arguments that are no numbers, no integers, or of another shape: each public function names the argument and
the fix.
"""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory import axis as ax
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_real, check_whole, labels_of, whole_numbers

R = np.random.default_rng(0)
Y, S, TRIALS = R.standard_normal((60, 6)), R.standard_normal((60, 3)), R.standard_normal((60, 3, 6))
RDM = ax.rdm(Y)
NAN = np.where(np.arange(360).reshape(60, 6) == 7, np.nan, Y)
WORDS = Y.astype(object)
WORDS[0, 0] = "a"
NET, X = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU()), torch.as_tensor(S).float()
CODE = dt.axis_code(Y, S, permutations=9, folds=3)
ONE_FEATURE = dt.axis_code(Y, S[:, :1], permutations=0, models=False)
SPACE = ax.object_space(Y, 3)
EFFICIENCY = ax.metric_efficiency((3,), n=30, d=4, candidates=5, seeds=(0,))
POWER = ax.Power(
    counts={"axis": {"axis": 3, "none": 1}}, n=9, d=3, reliability=0.5, variances="isotropic", controversial=0, seed=0
)


def code(**options):
    return dt.axis_code(Y, S, **{"permutations": 9, "folds": 3, "models": False} | options)


WHOLE = {  # argument -> (a call with it, the least)
    "permutations": [(lambda v: code(permutations=v), 0), (lambda v: ax.rdm_correlation(RDM, RDM, permutations=v), 0)],
    "folds": [(lambda v: code(folds=v), 2), (lambda v: ax.latent_alignment(Y, S, folds=v), 2),
    (lambda v: ax.verdict_power(n=60, d=3, units=3, folds=v), 2)],
    "seed": [
        (lambda v: code(seed=v), 0), (lambda v: ax.bootstrap(TRIALS, 5, seed=v), 0), (lambda v: ax.split_half(TRIALS,
        seed=v), 0),
        (lambda v: ax.simulate(n=20, d=3, units=3, seed=v), 0), (lambda v: ax.Poisson()(np.abs(Y), v), 0),
        (lambda v: ax.null_plane(CODE, 0, [0], seed=v), 0),
        (lambda v: ax.record_units(NET, ["1"], X, units=3, seed=v), 0),
        (lambda v: ax.pixels_of(X, 2, seed=v), 0), (lambda v: ax.axes_geometry(S[:5], seed=v), 0),
        (lambda v: ax.view_tolerance(Y, np.arange(60) % 30, np.arange(60) // 30, seed=v), 0),
    ],
    "draws": [(lambda v: CODE.identification(5, draws=v), 1), (lambda v: CODE.geometry(draws=v), 1)],
    "resamples": [(lambda v: ax.bootstrap(TRIALS, resamples=v), 1)],
    "splits": [(lambda v: ax.split_half(TRIALS, splits=v), 1)],
    "trials": [(lambda v: ax.Poisson(trials=v), 1), (lambda v: ax.simulate(n=20, d=3, units=3, trials=v), 1)],
    "components": [(lambda v: ax.object_space(Y, v), 1)],
    "batch": [(lambda v: ax.activations_of(NET, ["1"], X, batch=v), 1)],
    "special": [(lambda v: ax.activations_of(NET, ["1"], X, special=v), 0)],
    "candidates": [(lambda v: ax.metric_efficiency((3,), n=60, d=4, candidates=v), 2), (lambda v: CODE.controversial(5,
    candidates=v), 1)],
    "controversial": [(lambda v: ax.verdict_power(n=60, d=3, units=3, controversial=v), 0)],
    "k": [(lambda v: CODE.metamers(0, k=v), 2)],
    "units": [(lambda v: CODE.identification(5, units=v), 1), (lambda v: CODE.controversial(5, units=v), 0),
    (lambda v: ax.metric_efficiency((v,), n=60, d=4), 1)],
    "rows": [(lambda v: ax.null_plane(CODE, 0, v), 0), (lambda v: ax.rdm_correlation(RDM, RDM, rows=v), 0)],
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [2.5, "a", True, np.nan, "below"])
def test_counts_seeds_and_positions_are_whole_numbers(name, value):
    for call, least in WHOLE[name]:
        with pytest.raises(InputError, match=rf"{name} is .*; needed: (an )?integer"):
            call(least - 1 if value == "below" else value)


@pytest.mark.parametrize("value", ["a", np.nan, np.inf, None, [1, 2]])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("radius", lambda v: code(radius=v)),
        ("reach", lambda v: ax.null_plane(CODE, 0, [0], reach=v)),
        ("projection", lambda v: CODE.metamers(0, projection=v)),
        ("rate", lambda v: ax.Poisson(rate=v)),
        ("reliability", lambda v: ax.simulate(n=20, d=3, units=3, reliability=v)),
        ("train_fraction", lambda v: ax.label_decoding(TRIALS, train_fraction=v)),
        ("fraction", lambda v: ax.subspace_angles(S, S, fraction=v)),
        ("the share of axis", lambda v: ax.simulate({"axis": v}, n=20, d=3, units=3)),
    ],
)
def test_numbers_are_finite(name, call, value):
    with pytest.raises(InputError, match=f"{name} is .*; needed: a finite number"):
        call(value)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: code(groups=np.arange(5)), r"groups have shape \[5\]; needed: \[60\]"),
        (lambda: code(blocks="shape:3"), "blocks is 'shape:3'; needed: a dict"),
        (lambda: code(blocks={"a": [0.5]}), "block 'a' is .*; needed: integers"),
        (lambda: code(blocks={"a": slice(0, 1, 0)}), "needed: a slice of integers"),
        (lambda: dt.axis_code(WORDS, S), "needed are numbers"),
        (lambda: dt.axis_code(Y, np.where(S > 2, np.inf, S)), "features hold NaN or infinities"),
        (lambda: ax.rdm(NAN), "1 of 60 patterns hold NaN"),
        (lambda: ax.rdm_correlation(RDM, RDM, rows=[0, 1, 60]), "rows run to 60; needed: positions from 0 to 59"),
        (lambda: ax.rdm_correlation(RDM, RDM, rows=np.ones(3, dtype=bool)), r"rows are a mask of shape \[3\]"),
        (lambda: ax.distractor_ratio(NAN, Y), "predicted holds 1 values that are NaN"),
        (lambda: ax.udr([NAN, Y]), "latents of model 0 holds 1 values that are NaN"),
        (lambda: ax.udr([Y, Y], informative=[True]), "informative is .*; needed: for each model"),
        (lambda: ax.axes_geometry(NAN), "axes holds 1 values that are NaN"),
        (lambda: ax.axes_geometry(np.zeros((3, 2))), "3 of 3 axes have length 0"),
        (lambda: ax.axes_geometry(S[:4], [1.0, -1.0, 1.0]), r"needed: \[3\], finite, none negative"),
        (lambda: ax.subspace_angles(NAN, Y), "a holds 1 values that are NaN"),
        (lambda: ax.subspace_angles(S, S, 2.0), "fraction is 2.0; needed: above 0, at most 1"),
        (lambda: ax.Poisson()(np.where(Y > 0, np.inf, 1.0), 0), "finite, none negative"),
        (lambda: ax.simulate(n=20, d=3, units=3).respond(Y, 0), r"features have shape \[60, 6\]; needed: \[m, 3\]"),
        (
            lambda: ax.simulate("exemplar", n=20, d=3, units=3, radius=-1),
            "radius is -1; needed: one number or two, from 0",
        ),
        (lambda: ax.metric_efficiency((3,), n=30, d=4, candidates=40), "candidates is 40; needed: 2 to 30"),
        (lambda: ax.view_tolerance(Y, list("ab"), np.arange(60) // 30), r"identity has shape \[2\]; needed: \[60\]"),
        (
            lambda: ax.view_tolerance(Y, np.arange(60) % 30, np.arange(60) // 30, mirrors=3),
            "mirrors is 3; needed: pairs",
        ),
        (lambda: CODE.attribute([[1], [1, 2]]), "labels are labels of several kinds or lengths"),
        (lambda: CODE.reconstruct(3), "decoder is int; needed: a function"),
        (lambda: ax.record_units(NET, 3, X), "layers is 3; needed: a list of names"),
        (
            lambda: ax.record_units(NET, ["1"], X, noise=lambda r, seed: r[:, None, :5]),
            r"noise gave shape \[60, 1, 5\] for \[60, 8\]; needed: \[60, trials, 8\]",
        ),
        (
            lambda: ax.axis_code_by_layer(NET, ["1"], X, S, models=False, pixels=False, noise=lambda r, seed: r[:9]),
            r"noise gave shape \[9, 8\]",
        ),
        (
            lambda: ax.axis_code_by_layer(NET, ["1"], X, S, models=False, noise=lambda r, seed: r[:9]),
            r"noise gave shape \[9, 3\] for \[60, 3\]",  # of pixels, before the model runs
        ),
        (lambda: ax.record_units(NET, ["1"], X, units=[0.5]), "units is .*; needed: integers"),
        (
            lambda: ax.record_units(NET, ["1"], X, min_active_fraction="a"),
            "min_active_fraction is 'a'; needed: a finite number",
        ),
        (lambda: ax.pixels_of(np.arange(5.0), 2), r"stimuli have shape \[5\]; needed: \[n, ...\]"),
        (lambda: ax.pixels_of(NAN, 2), "stimuli holds 1 values that are NaN"),
        (lambda: CODE.controversial(5, units=[]), "units is empty; needed: names in .units"),
        (lambda: ax.subspace_angles(np.zeros((2, 3)), S), "all axes of a or of b are 0"),
        (lambda: ax.metric_efficiency((3,), n=60, d=1), "d is 1; needed: an integer, at least 2"),
        (lambda: EFFICIENCY.figure("identty"), "unknown reader 'identty'; did you mean identity"),
        (lambda: EFFICIENCY.ratio(0.5, "identty"), "unknown reader 'identty'"),
        (lambda: POWER.cells("exemplar"), "unknown code 'exemplar'. Known: axis"),
        (lambda: POWER.share("exemplar"), "unknown code 'exemplar'"),
        (lambda: POWER.wrong("exemplar"), "unknown code 'exemplar'"),
        (lambda: POWER.share("axis", "axsi"), "unknown verdict 'axsi'; did you mean axis"),
        (lambda: POWER.share("axis", "axis", "axis"), "verdicts are axis, axis; needed: each once"),
        (lambda: SPACE.encode(np.full((2, 6), np.nan)), "responses holds 12 values that are NaN"),
        (lambda: SPACE.quadrants([1.0, 1.0]), r"axes have shape \[2\]; needed: \[unit, 2 or more components\]"),
        (lambda: SPACE.quadrants([[1.0], [1.0]]), r"axes have shape \[2, 1\]"),
        (lambda: SPACE.quadrants([[np.nan, 1.0]]), "axes holds 1 values that are NaN"),
        (lambda: SPACE.quadrants([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), "1 of 2 axes are 0 in both components"),
        (lambda: ax.split_half(np.zeros((0, 3, 2))), r"trials have shape \[0, 3, 2\]; a ceiling needs"),
        (
            lambda: ax.view_tolerance(Y, np.arange(60) % 30, np.arange(60) // 30, mirrors=[(0, -1)]),
            "mirrors name view -1, which no picture shows; views are",
        ),
        (lambda: ax.null_plane(ONE_FEATURE, 0, [0]), "the code has 1 feature, whose axis leaves no null plane"),
        (lambda: ax.null_plane(CODE, 0, [0, 1, 2]).change(lambda f: f[:6, 0]), r"respond gave shape \[6\] for 9 stim"),
        (lambda: CODE.metamers(0).ratio(lambda f: f), r"respond gave shape \[20, 3\] for 20 stimuli; needed: \[20\]"),
        (lambda: CODE.metamers(0).ratio(lambda f: f[:, 0] * np.nan), "respond holds 20 values that are NaN"),
        (lambda: EFFICIENCY.ratio("0.3"), "accuracy is '0.3'; needed: a finite number"),
        (lambda: EFFICIENCY.ratio(True), "accuracy is True; needed: a finite number"),
        (lambda: ax.null_plane(CODE, True, [0]), "unit is True; needed: an integer"),
        (lambda: ax.axis_code_by_layer(NET, ["1"], X, S, units=[3]), r"units is \[3\]; needed: an integer, at least 1"),
        (lambda: ax.axis_code_by_layer(NET, ["1"], X, S, seed=np.nan), "seed is nan; needed: an integer"),
        (lambda: ax.pixels_of(S + 1j, 2), "stimuli hold torch.complex128; needed: real numbers"),
        (lambda: ax.pixels_of(S[:, :0], 2), r"stimuli have shape \[60, 0\]; needed: \[n, ...\], with pixels"),
        (lambda: ax.similarity_matrix(Y[:, :0]), r"shape \[60, 0\].* needed: \[n, units\], none of them 0"),
        (lambda: ax.latent_alignment(np.full((60, 1), 0.1), S), "responses hold columns that never vary"),
        (lambda: ax.cross_validated_rdm(TRIALS * 1e200, whiten=False), "whose squares are beyond float64"),
        (lambda: ax.udr(None), "latents is None; needed: two models or more"),
        (lambda: ax.udr([Y[:, :0], Y]), r"latents have shapes \[\[60, 0\], \[60, 6\]\]"),
        (
            lambda: ax.udr([S, S], [np.ma.array([True] * 3, mask=[True, False, False]), np.ones(3, bool)]),
            "informative holds 1 masked values",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_whole_numbers_of_every_kind_are_taken():
    for value in (3, np.int64(3), np.uint8(3), torch.tensor(3), np.array(3)):
        if not isinstance(value, np.uint8 | torch.Tensor):  # their sums wrap around, or numpy does not take them
            check_whole(folds=(value, 2))
        assert whole_numbers("units", value).tolist() == [3]
    assert whole_numbers("units", ()).tolist() == []
    assert whole_numbers("units", [1, 2]).dtype == np.int64
    check_real(radius=(np.float32(1.5), 0))
    with pytest.raises(InputError, match="radius is 0; needed: a finite number above 0"):
        check_real(radius=(0, 0))
    assert labels_of("labels", ["b", "a"], 2).tolist() == ["b", "a"]
