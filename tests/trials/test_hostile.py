"""Hostile values for every public function that takes numbers: a named error, or numbers that are what they seem.

In `make test` a part of the changes of each call, in `make test-all` all of them. What is made of a valid call, and
what may come of it, is said in hostile_values.py and hostile_outcomes.py.
"""

import inspect
import math
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory import cheap
from deeptheory.information.bottleneck.curve import _critical
from deeptheory.information.bottleneck.joint import as_joint
from deeptheory.information.bottleneck.products import Clock
from deeptheory.inspection import decoder_accuracy
from trials import hostile_calls as data
from trials import hostile_calls_models as models
from trials.hostile_outcomes import faults
from trials.test_complete import public

CALLS = {
    name: make
    for table in (data.STATISTICS, data.INFORMATION, data.DATASETS, data.FACES, models.AXIS, models.CAPSULES,
                  models.CHEAP, models.NETWORKS, models.INSPECTION)
    for name, make in table.items()
}  # fmt: skip
_FILES = "reads files: tools/fuzz.py and tests/test_hostile_files.py"
_OTHERS = "takes a name, a function, a module or a result of ours, and no numbers"
WITHOUT = {
    **{f"datasets.{n}": _FILES for n in ("affnist", "cifar10", "coil20", "face_folder", "faces", "fashion_mnist",
        "it_neurons", "it_rdms", "mnist", "read_landmarks", "small_norb", "svhn")},
    **dict.fromkeys(("networks.face_resnet", "runs.read_figure", "runs.read_record"), _FILES),
    **dict.fromkeys(("axis.Metamers.ratio", "axis.Models.of", "axis.NullPlane.change", "axis.Power.cells",
        "axis.Power.share", "axis.Power.wrong", "axis.axis_transfer", "capsules.classifier_objective",
        "capsules.probability_objective", "cheap.HamiltonianFit.excess_bits_over", "datasets.ground_truth",
        "information.InformationEstimate.normalized", "information.gradient_phases", "inspection.Inspection.findings",
        "inspection.write_axis_page", "networks.parameter_count", "runs.Ledger.counts", "runs.decide"), _OTHERS),
    "cheap.BayesSoftmax.logits": "as energies",
    "datasets.Neurons.pseudo_trials": "of recorded cells, which are not shipped; tests/datasets/test_macaque.py",
    "networks.first_output": "hands on what it is given, and says so",
    "faces.image_figure": "draws a picture; tests/faces/test_space.py",
}  # fmt: skip


def test_every_public_function_that_takes_numbers_has_a_valid_call_here():
    there = {name.partition(" ")[0] for name in CALLS}
    missing = []
    for name, value in public().items():
        function = getattr(value, "__func__", value)
        if isinstance(value, property) or name in WITHOUT or name in there:
            continue
        if any(p not in ("self", "cls") for p in inspect.signature(function).parameters):
            missing.append(name)
    assert not missing, f"no valid call in trials/hostile_calls*.py: {', '.join(missing)}"
    assert not WITHOUT.keys() & there


_SEEDS = {"seed:[0]": "several integers are a seed, too"}
_BYTES = {"0:uint8 of whole numbers": "bytes are the form of pictures, other integers are refused"}
_PASSED = {"raw": "an error of the user's own network is passed on"}
_SHOWN = {"nan": "a layer shows NaN and infinity as they are, so that a diverged network is seen"}
_CUT = {"0:one NaN": "its pixel may be cut off"}
_NO_TRIAL = {"0:one NaN": "NaN is a trial that was not there"}
_BOX = {"domain:nested": "one interval per variable"}
# what is no fault: name -> {kind of fault, or "argument:change": reason}
FREE = {
    **{f"statistics.permutations{k}": _SEEDS for k in ("", " within", " block")},
    "runs.Sample": {"nan": "keeps what it is given; its interval says what is infinite"},
    "runs.Region.verdict": {"swallowed": "an interval that is NaN gives a word, inconclusive"},
    "information.fits_before_compressing": dict.fromkeys(("swallowed", "masked"), "False where a value is missing"),
    "information.fraction_of_information": dict.fromkeys(("swallowed", "masked"), "the last step alone is read"),
    "information.rate_distortion": {"2:[2.0, 2.0]": "one beta, or several"},
    "information.noisy_network_information": {"raw": "an error of the user's own layer is passed on"},
    "datasets.StudentTeacher.error": {"1:True": "a bias is an array, and True is 1 there", "1:[0.1, 0.1]": "one each"},
    **{f"datasets.{n}": _SEEDS | _CUT | _BYTES for n in ("center_crop", "color_jitter", "downsample", "random_affine",
        "random_crop", "random_shift")},
    "datasets.multi_digit": _SEEDS | _BYTES | {"1:objects": "labels come back as they were"},
    "cheap.CompiledNetwork.inside": {"swallowed": "NaN is not inside", "masked": "what is masked is not inside"},
    **{f"cheap.{n}": _BOX for n in ("compile_polynomial", "product_gate", "monomial_layer", "to_polynomial")},
    **dict.fromkeys(("capsules.error_rate", "networks.accuracy", "networks.fgsm", "networks.bim", "networks.pgd",
        "networks.robustness", "networks.gradient_profile"), _PASSED),
    "axis.bootstrap": {"swallowed": "NaN is a trial that was not there, as for signal_power"},
    **dict.fromkeys(("axis.signal_power", "axis.split_half"), _NO_TRIAL),
    "axis.rdm_correlation": {f"{k}:one {v}": "diagonals are not read" for k in "01" for v in ("masked", "NaN")},
    "axis.object_space": {"0:bfloat16": "what is within its rounding is dropped, with a note"},
    "axis.activations_of": {"nan": "gives what the network gives"},
    "axis.record_units": {"units:[3]": "one position"},
    "networks.minibatches": {"taken": "a network may be complex", "nan": "hands on the rows as they are"},
    "axis.AxisCode.identification": {"0:[10]": "one number of candidates, or several"},
    "networks.fit": {"lr:[0.001, 0.001]": "one per network", "train_fraction:[0.75, 0.75]": "one per network"},
    "networks.predict": _PASSED | {"nan": "gives what the network gives"},
    "networks.classification_loss": _PASSED | {"nan": "a diverged network is seen by its loss"},
    "recording.layers": dict.fromkeys(("masked", "swallowed"), "shapes and bytes alone, whatever the numbers are"),
    "recording.Recording.add": {"nan": "keeps NaN and infinity as they are"},
    **{n: _SHOWN for n in CALLS if n.startswith("capsules.") and n.endswith(".forward")},
}  # fmt: skip


def _said(name, chosen):
    call = replace(CALLS[name](), free=FREE.get(name, {}))
    return "\n".join(f"{kind}: {text}" for kind, text in faults(call, chosen))


# whose changes have all run clean once; a science joins when its slow test does
QUICK = [n for table in (data.STATISTICS, data.DATASETS, data.FACES, models.CHEAP) for n in table]


@pytest.mark.parametrize("name", [n for n in QUICK if n not in models.DEAR])
def test_some_hostile_values(name):
    """Every fifteenth change, counted from another one for each name, so that all names together meet every change."""
    start = zlib.crc32(name.encode()) % 15
    assert not (said := _said(name, lambda k: k % 15 == start)), said


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_all_hostile_values(name):
    assert not (said := _said(name, lambda k: True)), said


REFUSED = [  # taken before, and a number came out
    (lambda: dt.datasets.student_teacher(9, np.uint8(5), snr=2.0), "inputs is .* of uint8; needed: Python"),
    (lambda: cheap.gaussian_field([1.0], np.uint8(16), 0), "size is .* of uint8"),
    (lambda: cheap.product_optimum(6 + 0j, 2), "n is .6.0j.; needed: an integer"),
    (lambda: cheap.product_optimum(6, 2, carry=2.5), "carry is 2.5; needed: an integer"),
    (lambda: dt.statistics.codes_of(np.ma.array([1, 2], mask=[True, False])), "masked values; leave these rows out"),
    (lambda: dt.information.fall(["1", "2"], 0), "needed are numbers"),
    (lambda: dt.information.linear_information(np.eye(2) + 1j, 1.0), "weight: needed are real numbers"),
    (lambda: dt.Exact().summarize(np.ones((1, 4, 2)) + 1j, [0, 1, 0, 1]), "needed are real numbers"),
    (lambda: dt.information.PropagatedNoise(0.1, 6, repeats=4.5), "repeats is 4.5; needed: an integer"),
    (lambda: dt.networks.seeded(lambda: nn.Linear(1, 1), True), "seed is True; needed: an integer"),
    (lambda: dt.networks.accuracy(nn.Identity(), torch.tensor([[math.nan, 1.0]]), torch.tensor([1])), "logits holds 1"),
    (lambda: decoder_accuracy(np.eye(4), [0, 1, 0, 1], np.array([0, 1, 1, 0])), "held_out is of int64; needed"),
    (lambda: dt.datasets.random_crop(np.full((2, 4, 4), "a"), 2, seed=0), "needed are numbers"),
    (lambda: dt.faces.PixelSpace.fit(np.full((3, 4, 4), "1"), 1), "needed are numbers"),
    (lambda: dt.capsules.spread_objective(100.5), "steps is 100.5; needed: an integer"),
    (lambda: dt.Quantized(True), "bits is True; needed: an integer in 1..32"),
    (lambda: dt.Exact().held(**{**data.HELD, "inputs": np.uint8(24)}), "inputs is .* of uint8; needed: Python"),
    (lambda: dt.information.ClassStatistics().pool(5, 3.5), "classes is 3.5; needed: an integer, at least 0"),
    (lambda: dt.rate_distortion(np.array([0.5, 0.5]), np.eye(2), True), "beta is True; needed: one or more finite"),
    (lambda: dt.networks.logit_of_probability([[0.1, 0.2], [0.3, 0.4]]), "of type list; needed: a tensor"),
    (lambda: dt.bottleneck(data.P, 4.0, seed=True), "seed is True; needed: an integer"),
    (lambda: dt.bottleneck_curve(data.P, seconds=True), "seconds is True; needed: one real number"),
    (lambda: cheap.renormalization_flow(np.zeros((2, 32, 32))), "a field has the mean power 0 in its long waves"),
    (lambda: dt.networks.fit(dt.networks.Population.mlp([4, 3], seeds=[0]), models.FEATURES + 1j, models.LABELS,
                             epochs=1), "x holds complex128 of shape"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "said"), REFUSED)
def test_what_was_taken_before_is_refused_by_name(call, said):
    with pytest.raises(dt.errors.InputError, match=said):
        call()


def test_the_same_values_in_another_layout_or_precision_give_the_same():
    lying = torch.randn(3, 4, 5, 6).to(memory_format=torch.channels_last)
    drawn = []
    for h in (lying, lying.contiguous()):
        torch.manual_seed(0)
        drawn.append(dt.networks.MultiplicativeNoise(0.1)(h))
    assert torch.equal(*drawn)
    table = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(4, 3)
    one, other = (dt.bottleneck(t, 4.0, "dib") for t in (table, np.asfortranarray(table)))
    assert (one.i_x, one.i_y) == (other.i_x, other.i_y)
    half = torch.as_tensor(data.space().sample(2), dtype=torch.bfloat16)
    for draw in (data.space().decode, data.space().landmarks):
        assert draw(half).dtype == torch.bfloat16
        assert torch.equal(draw(half), draw(half.float()).bfloat16())


def test_critical_betas_are_located_no_longer_than_there_is_time():
    class Watch(Clock):
        looks = 0

        def over(self):
            self.looks += 1
            return self.looks > 2

    joint = as_joint(data.P)
    whole = _critical(joint, np.array([1.0, 20.0]), np.array([1, 2]), None, True, Clock())
    cut = _critical(joint, np.array([1.0, 20.0]), np.array([1, 2]), None, True, Watch())
    np.testing.assert_array_equal(cut, [np.sqrt(20.0)])
    assert 1 < whole[0] < 20


def test_numbers_that_were_wrong_or_had_no_end():
    scores, labels = torch.tensor([[3, 5, 1]], dtype=torch.uint8), torch.tensor([0])
    assert dt.capsules.spread_loss(scores, labels, 0.5) == dt.capsules.spread_loss(scores.double(), labels, 0.5)
    assert cheap.relu_count(5e-324, 3).lower > 1e50
    counts = np.array([[200, 100], [100, 100]], dtype=np.uint8)
    prior = np.array([1, 1], dtype=np.uint8)
    wide = cheap.MarkovHierarchy(prior.astype(int), [counts.astype(int)], orientation="columns", exact=False)
    narrow = cheap.MarkovHierarchy(prior, [counts], orientation="columns", exact=False)
    np.testing.assert_array_equal(narrow.posterior(), wide.posterior())
    one_bit = dt.information.noisy_neuron_information([1e20], [-1.0, 1.0], 1e-3, activation="linear")
    np.testing.assert_allclose(one_bit, 1, atol=1e-9)
    far = dt.information.linear_information([[1e200]], 1e-200)
    np.testing.assert_allclose(far, np.log2(1e200) - np.log2(1e-200), rtol=1e-12)
