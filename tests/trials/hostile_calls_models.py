"""One valid call of every public function that takes numbers: axis, capsules, cheap, networks, inspection."""

from functools import cache

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from deeptheory import axis as ax
from deeptheory import capsules as cp
from deeptheory import cheap
from deeptheory import inspection as ins
from deeptheory import networks as nets
from trials.hostile_values import Call

RNG = np.random.default_rng(1)
FEATURES = RNG.normal(size=(60, 4))
RESPONSES = FEATURES @ RNG.normal(size=(4, 5)) + 0.5 * RNG.normal(size=(60, 5))
TRIALS = FEATURES[:12, None, :] + 0.3 * RNG.normal(size=(12, 6, 4))
LABELS = RNG.integers(0, 3, 60)


def _of(function, *args, **kwargs):
    labels = kwargs.pop("labels_", ())
    return lambda: Call(function, args, kwargs, labels=labels)


def _t(*shape, dtype=torch.float32):
    return torch.as_tensor(RNG.normal(size=shape), dtype=dtype)


@cache
def code():
    return dt.axis_code(RESPONSES, FEATURES, folds=3, permutations=9)


@cache
def simulation():
    return ax.simulate("axis", n=60, d=4, units=5, reliability=0.8)


@cache
def objects():
    return ax.object_space(RESPONSES, 3)


@cache
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).eval()


@cache
def pictured():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.Tanh(), nn.Linear(6, 3)).eval()


@cache
def capsule_network():
    torch.manual_seed(0)
    return cp.CapsuleNetwork((1, 10, 10), 3, (8, 9), channels=4, kernel_size=3, primary=cp.Primary(2, 4, 3), dim=5,
        backend="eager").eval()  # fmt: skip


def _layer(make, *inputs):
    def call():
        torch.manual_seed(0)
        return Call(make().eval().forward, inputs)

    return call


AXIS = {
    "axis.axis_code": lambda: Call(dt.axis_code, (RESPONSES, FEATURES), {"folds": 3, "permutations": 9,
        "groups": np.repeat(np.arange(30), 2),
        "seed": 0, "radius": 1.5, "models": False}, labels=("groups",)),
    "axis.axis_code models": lambda: Call(dt.axis_code, (RESPONSES, FEATURES), {"folds": 3, "permutations": 0}),
    "axis.AxisCode.attribute": lambda: Call(code().attribute, (LABELS,), labels=("0",)),
    "axis.AxisCode.controversial": lambda: Call(code().controversial, (5,), {"units": np.array([0, 1]),
        "candidates": 50}),
    "axis.AxisCode.identification": lambda: Call(code().identification, (10,), {"draws": 2}),
    "axis.AxisCode.geometry": lambda: Call(code().geometry, (), {"draws": 5}),
    "axis.AxisCode.metamers": lambda: Call(code().metamers, (0,), {"k": 4, "projection": 0.5}),
    "axis.ObjectSpace.encode": lambda: Call(objects().encode, (RESPONSES,)),
    "axis.ObjectSpace.quadrants": lambda: Call(objects().quadrants, (RNG.normal(size=(6, 2)),)),
    "axis.Simulation.respond": lambda: Call(simulation().respond, (FEATURES, 3)),
    "axis.Poisson": lambda: Call(lambda rate, window, trials: ax.Poisson(rate, window, trials)(np.abs(RESPONSES), 3), (
        8.0, 0.251, 3)),
    "axis.Poisson.__call__": lambda: Call(ax.Poisson(8.0).__call__, (np.abs(RESPONSES), 3)),
    "axis.activations_of": lambda: Call(ax.activations_of, (model(), ["1"], FEATURES.astype(np.float32)),
        {"batch": 32}),
    "axis.record_units": lambda: Call(ax.record_units, (model(), ["1"], FEATURES.astype(np.float32)), {"units": 3,
        "min_active_fraction": 0.0,
        "batch": 32, "seed": 0}),
    "axis.axis_code_of": lambda: Call(dt.axis_code_of, (model(), "1", FEATURES.astype(np.float32), FEATURES),
        {"models": False, "permutations": 9,
        "folds": 3, "batch": 32, "seed": 0}),
    "axis.axes_geometry": _of(ax.axes_geometry, RNG.normal(size=(6, 4)), np.ones(4), draws=5, seed=0),
    "axis.Efficiency.ratio": lambda: Call(ax.metric_efficiency((5, 8), n=60, d=4, candidates=5, seeds=(0,)).ratio, (
        0.3,)),
    "axis.axis_code_by_layer": lambda: Call(ax.axis_code_by_layer, (model(), ["1"], FEATURES.astype(np.float32),
        FEATURES),
        {"models": False, "permutations": 5, "folds": 3, "batch": 32, "seed": 0, "units": 3, "pixels": False}),
    "axis.bootstrap": _of(ax.bootstrap, TRIALS, 5, 0),
    "axis.cross_validated_rdm": _of(ax.cross_validated_rdm, TRIALS),
    "axis.distractor_ratio": _of(ax.distractor_ratio, RNG.normal(size=(12, 3)), RNG.normal(size=(12, 3))),
    "axis.label_decoding": _of(ax.label_decoding, TRIALS[:3], 0.5),
    "axis.latent_alignment": _of(ax.latent_alignment, RESPONSES, FEATURES, folds=3, seed=0),
    "axis.metric_efficiency": _of(ax.metric_efficiency, (5, 8), n=60, d=4, candidates=5, reliability=0.5, radius=(0.5,
        1.5), seeds=(0,)),
    "axis.null_plane": lambda: Call(ax.null_plane, (code(), 0, np.array([1, 2, 3])), {"reach": 2.0, "seed": 0}),
    "axis.object_space": _of(ax.object_space, RESPONSES, 3),
    "axis.pixels_of": _of(ax.pixels_of, RNG.normal(size=(12, 3, 4)), 5, 0),
    "axis.rdm": _of(ax.rdm, RESPONSES[:12]),
    "axis.similarity_matrix": _of(ax.similarity_matrix, RESPONSES[:12]),
    "axis.rdm_correlation": lambda: Call(ax.rdm_correlation, (ax.rdm(RESPONSES[:12]), ax.rdm(RESPONSES[20:32])),
        {"permutations": 9, "seed": 0}),
    "axis.signal_power": _of(ax.signal_power, TRIALS),
    "axis.simulate": _of(ax.simulate, "axis", n=30, d=4, units=5, variances=np.ones(4), reliability=0.8, trials=2,
        radius=(0.5, 1.5), seed=0),
    "axis.split_half": _of(ax.split_half, TRIALS, 3, 0),
    "axis.subspace_angles": _of(ax.subspace_angles, RNG.normal(size=(3, 6)), RNG.normal(size=(3, 6)), 0.9),
    "axis.udr": _of(ax.udr, RNG.normal(size=(2, 40, 3)), [np.ones(3, bool), np.array([True, True, False])]),
    "axis.verdict_power": _of(ax.verdict_power, "axis", n=40, d=3, units=3, reliability=0.8, seed=0, folds=2,
        permutations=5),
    "axis.view_tolerance": lambda: Call(ax.view_tolerance, (RESPONSES[:32], np.repeat(np.arange(8), 4), np.tile(
        np.arange(4), 8)),
        {"permutations": 9, "seed": 0}, labels=("1", "2")),
}  # fmt: skip

PROBABLE = _t(4, 3).sigmoid()
CLASSES = torch.tensor([0, 1, 2, 1])

CAPSULES = {
    "capsules.dynamic_routing": _of(cp.dynamic_routing, _t(3, 6, 4), _t(6, 5, 8, 4), 3, bias=_t(5, 8), prior=_t(6, 5),
        mask=torch.ones(3, 6, dtype=torch.bool)),
    "capsules.em_routing": _of(cp.em_routing, _t(2, 6, 5, 4, 4), _t(2, 6).sigmoid(), _t(5), _t(5), iterations=3,
        schedule=0.01),
    "capsules.squash": _of(cp.squash, _t(3, 4)),
    "capsules.margin_loss": _of(cp.margin_loss, PROBABLE, CLASSES, present=0.9, absent=0.1, down=0.5),
    "capsules.spread_loss": _of(cp.spread_loss, PROBABLE, CLASSES, 0.5),
    "capsules.spread_margin": _of(cp.spread_margin, 10.0, 100.0),
    "capsules.spread_objective": _of(cp.spread_objective, 100),
    "capsules.capsule_objective": _of(cp.capsule_objective, reconstruction=0.0005),
    "capsules.reconstruction_loss": _of(cp.reconstruction_loss, _t(4, 1, 5, 5).sigmoid(), _t(4, 1, 5, 5).sigmoid(),
        0.0005),
    "capsules.ink_width": _of(cp.ink_width, RNG.uniform(size=(3, 9, 9))),
    "capsules.error_rate": lambda: Call(cp.error_rate, (pictured(), _t(6, 1, 4, 4), RNG.integers(0, 3, 6)),
        {"batch": 4}),
    "capsules.decoded": lambda: Call(cp.decoded, (capsule_network(), _t(4, 3, 5), np.array([0, 1, 2, 0])),
        {"batch": 2}),
    "capsules.perturb": lambda: Call(cp.perturb, (capsule_network(), RNG.uniform(size=(2, 1, 10, 10)).astype(
        np.float32)), {"offsets": (-0.1, 0.1), "batch": 2}),
    "capsules.trace_routing": lambda: Call(cp.trace_routing, (capsule_network(), _t(2, 1, 10, 10)), {"bins": 10}),
    "capsules.CapsuleNetwork.forward": lambda: Call(capsule_network().forward, (_t(2, 1, 10, 10),)),
    "capsules.CapsuleNetwork": _of(cp.CapsuleNetwork, (1, 12, 12), 3, (8, 9), channels=4, kernel_size=3, dim=5,
        iterations=2, primary=cp.Primary(2, 4, 3)),
    "capsules.Capsules": _of(cp.Capsules, 6, 4, 3, 5, iterations=2),
    "capsules.Capsules.forward": _layer(lambda: cp.Capsules(6, 4, 3, 5, backend="eager"), _t(5, 6, 4)),
    "capsules.ConvCapsules": _of(cp.ConvCapsules, 2, 4, 3, 5, kernel_size=3, stride=1, iterations=2),
    "capsules.ConvCapsules.forward": _layer(lambda: cp.ConvCapsules(2, 4, 3, 5), _t(2, 5, 6, 2, 4)),
    "capsules.ConvMatrixCapsules": _of(cp.ConvMatrixCapsules, 2, 3, 3, stride=1, iterations=2),
    "capsules.ConvMatrixCapsules.forward": _layer(lambda: cp.ConvMatrixCapsules(2, 3), _t(2, 5, 6, 2, 4, 4), _t(2, 5, 6,
        2).sigmoid()),
    "capsules.ClassCapsules": _of(cp.ClassCapsules, 2, 3, 2),
    "capsules.ClassCapsules.forward": _layer(lambda: cp.ClassCapsules(2, 3), _t(2, 4, 3, 2, 4, 4), _t(2, 4, 3,
        2).sigmoid()),
    "capsules.SelfRouting": _of(cp.SelfRouting, 6, 4, 3, 5),
    "capsules.SelfRouting.forward": _layer(lambda: cp.SelfRouting(6, 4, 3, 5), _t(5, 6, 4), _t(5, 6).sigmoid()),
    "capsules.InvertedDotProduct": _of(cp.InvertedDotProduct, 6, 4, 3, 5, iterations=2),
    "capsules.InvertedDotProduct.forward": _layer(lambda: cp.InvertedDotProduct(6, 4, 3, 5), _t(5, 6, 4)),
    "capsules.PrimaryCapsules": _of(cp.PrimaryCapsules, 3, 2, 4, kernel_size=3, stride=2),
    "capsules.PrimaryCapsules.forward": _layer(lambda: cp.PrimaryCapsules(3, 2, 4, kernel_size=3), _t(2, 3, 7, 8)),
    "capsules.MatrixPrimary": _of(cp.MatrixPrimary, 3, 2, 4),
    "capsules.MatrixPrimary.forward": _layer(lambda: cp.MatrixPrimary(3, 2), _t(2, 3, 4, 5)),
    "capsules.Lengths.forward": _layer(cp.Lengths, _t(2, 3, 4)),
    "capsules.Reconstruction": _of(cp.Reconstruction, 3, 5, (1, 4, 4), widths=(8, 9)),
    "capsules.Reconstruction.forward": _layer(lambda: cp.Reconstruction(3, 5, (1, 4, 4), widths=(8, 9)), _t(4, 3, 5),
        CLASSES),
    "capsules.hinton_cnn": _of(cp.hinton_cnn, (2, 32, 32), 5, channels=(4, 5), widths=(6,)),
    "capsules.multimnist_cnn": _of(cp.multimnist_cnn, (1, 36, 36), 5, channels=(4, 5), widths=(6,)),
    "capsules.sabour_cnn": _of(cp.sabour_cnn, (1, 28, 28), 5, channels=(4, 5, 6), widths=(6, 7)),
}  # fmt: skip


@cache
def compiled():
    return cheap.compile_polynomial("x*y + x**3", tolerance=1e-6)


@cache
def fitted():
    spins = np.sign(np.random.default_rng(1).normal(size=(100, 3)))
    return spins, cheap.hamiltonian_fit(spins, 2)


@cache
def chain():
    return cheap.MarkovHierarchy(*cheap.lumpable_chain(0, levels=3, states=4))


CHEAP = {
    "cheap.BayesSoftmax.log_posterior": lambda: Call(cheap.BayesSoftmax(cheap.GaussianHamiltonian(np.zeros((2, 3)),
        np.stack([np.eye(3)] * 2)), [0.3, 0.7]).log_posterior,
        (_t(5, 3, dtype=torch.float64),)),
    "cheap.BayesSoftmax.energies": lambda: Call(cheap.BayesSoftmax(cheap.GaussianHamiltonian(np.zeros((2, 3)), np.stack(
        [np.eye(3)] * 2))).energies,
        (_t(5, 3, dtype=torch.float64),)),
    "cheap.BayesSoftmax": lambda: Call(lambda priors: cheap.BayesSoftmax(cheap.GaussianHamiltonian(np.zeros((2, 3)),
        np.stack([np.eye(3)] * 2)), priors).log_posterior(
        torch.ones(5, 3, dtype=torch.float64)), (np.array([0.3, 0.7]),)),
    "cheap.GaussianHamiltonian": _of(cheap.GaussianHamiltonian, np.zeros((2, 3)), np.stack([np.eye(3)] * 2)),
    "cheap.GaussianHamiltonian.relative": lambda: Call(cheap.GaussianHamiltonian(np.zeros((2, 3)), np.stack([np.eye(
        3)] * 2)).relative, (_t(5, 3, dtype=torch.float64),)),
    "cheap.CompiledNetwork.forward": lambda: Call(compiled().forward, (_t(5, 2, dtype=torch.float64).tanh(),)),
    "cheap.CompiledNetwork.inside": lambda: Call(compiled().inside, (_t(5, 2, dtype=torch.float64).tanh(),)),
    "cheap.Count.bits": lambda: Call(cheap.neuron_count("x*y").bits, (1e-3,)),
    "cheap.Distillation.labels": lambda: Call(chain().distil(0).labels, (), {"states": 2}),
    "cheap.Distillation.labels bits": lambda: Call(chain().distil(0).labels, (), {"bits": 0.1}),
    "cheap.FactorGraph.energy": lambda: Call(cheap.ising((2, 2)).energy, (torch.tensor([[0, 1, 1, 0], [1, 1, 1, 1]]),)),
    "cheap.HamiltonianFit.energy": lambda: Call(fitted()[1].energy, (fitted()[0][:10],)),
    "cheap.Assumptions": _of(cheap.Assumptions, n=4, degree=2, levels=2, shape=(2, 2)),
    "cheap.MarkovHierarchy": lambda: Call(cheap.MarkovHierarchy, (np.array([0.3, 0.7]), [np.array([[0.9, 0.2], [0.1,
        0.8]])])),
    "cheap.MarkovHierarchy.from_samples": _of(cheap.MarkovHierarchy.from_samples, RNG.integers(0, 2, (50, 3)),
        smoothing=0.5),
    "cheap.MarkovHierarchy.compose": lambda: Call(chain().compose, (np.arange(4),)),
    "cheap.MarkovHierarchy.information": lambda: Call(chain().information, (0,)),
    "cheap.MarkovHierarchy.posterior": lambda: Call(chain().posterior, (0,)),
    "cheap.MarkovHierarchy.posterior_exact": lambda: Call(chain().posterior_exact, (0,)),
    "cheap.MarkovHierarchy.distil": lambda: Call(chain().distil, (0,), {"about": 0}),
    "cheap.bit_product_gate": _of(cheap.bit_product_gate, 3, 8.0),
    "cheap.block_average": _of(cheap.block_average, RNG.normal(size=(8, 8)), 2),
    "cheap.bonds": _of(cheap.bonds, (3, 3)),
    "cheap.compile_polynomial": _of(cheap.compile_polynomial, "x*y", 1, domain=(-1.0, 1.0), tolerance=1e-4),
    "cheap.gaussian_field": _of(cheap.gaussian_field, np.array([0.02, 1.0, 4.0]), 16, 0),
    "cheap.hamiltonian_fit": _of(cheap.hamiltonian_fit, np.sign(RNG.normal(size=(60, 3))), 2, held_out_fraction=0.2,
        compare_assumptions=False, ridge=1.0, seed=0),
    "cheap.hamiltonian_fit gaussian": _of(cheap.hamiltonian_fit, RNG.normal(size=(60, 3)), 2, held_out_fraction=0.2,
        compare_assumptions=False, ridge=1.0, seed=0),
    "cheap.hamiltonian_fit potts": _of(cheap.hamiltonian_fit, RNG.integers(0, 3, (60, 3)), 2, kind="potts",
        compare_assumptions=False, seed=0),
    "cheap.identity_gate": _of(cheap.identity_gate, "silu", 0.1, domain=(-1.0, 1.0)),
    "cheap.square_gate": _of(cheap.square_gate, "silu", 0.1, domain=(-1.0, 1.0)),
    "cheap.product_gate": _of(cheap.product_gate, "silu", 0.1, domain=(-1.0, 1.0)),
    "cheap.monomial_layer": _of(cheap.monomial_layer, (2, 1), "silu", domain=(-1.0, 1.0)),
    "cheap.Gate.forward": lambda: Call(cheap.product_gate().forward, (_t(5, 2, dtype=torch.float64).tanh(),)),
    "cheap.ising": _of(cheap.ising, (2, 3), coupling=0.5, field=0.1),
    "cheap.potts": _of(cheap.potts, (2, 3), 3, coupling=0.5, field=0.1),
    "cheap.ising coupling": lambda: Call(lambda c, f: cheap.ising((2, 2), coupling=c, field=f).log_z(), (np.array([0.1,
        0.2, 0.3, 0.4]), np.array([0.1, 0.2, 0.3, 0.5]))),
    "cheap.linear_map_count": _of(cheap.linear_map_count, (3, 3), 1),
    "cheap.lumpable_chain": _of(cheap.lumpable_chain, 0, levels=3, states=4, zeros=0.2),
    "cheap.neuron_count": _of(cheap.neuron_count, "x*y*z", 1),
    "cheap.neurons_by_depth": _of(cheap.neurons_by_depth, "x*y*z", (1, 2)),
    "cheap.parameter_count": _of(cheap.parameter_count, 5, 2, levels=2),
    "cheap.partition_counterexample": _of(cheap.partition_counterexample, RNG.normal(size=6), RNG.normal(size=6)),
    "cheap.product_optimum": _of(cheap.product_optimum, 6, 2, carry=2),
    "cheap.real_groups": _of(cheap.real_groups, 16.0, 2),
    "cheap.relu_count": _of(cheap.relu_count, 1e-3, 3),
    "cheap.renormalization_flow": lambda: Call(cheap.renormalization_flow, (np.stack([cheap.gaussian_field((0.5, 1.0,
        4.0), 32, s) for s in range(3)]), 2),
        {"terms": 1, "steps": 1, "k_max": 1.2}),
    "cheap.renormalized": _of(cheap.renormalized, np.array([1.0, 2.0]), 2.0, 2),
    "cheap.to_polynomial": lambda: Call(cheap.to_polynomial, (cheap.product_gate(), 2), {"domain": (-1.0, 1.0)}),
    "cheap.flattening_cost": lambda: Call(cheap.flattening_cost, (nn.Sequential(nn.Linear(3, 2, bias=False), nn.Linear(
        2, 4, bias=False)),), {"tolerance": 1e-9}),
    "cheap.cost": lambda: Call(cheap.cost, (model(),)),
}  # fmt: skip


IMAGES = torch.as_tensor(RNG.uniform(size=(6, 1, 4, 4)), dtype=torch.float32)
DIGITS = RNG.integers(0, 3, 6)


def _attack(function, **how):
    return lambda: Call(function, (pictured(), IMAGES, DIGITS), how, labels=())


NETWORKS = {
    "networks.Population.mlp": _of(nets.Population.mlp, [4, 3, 2], seeds=[0, 1]),
    "networks.fit": lambda: Call(lambda x, y, **how: nets.fit(nets.Population.mlp([4, 3, 3], seeds=[0, 1]), x, y,
        **how),
        (FEATURES.astype(np.float32), LABELS), {"epochs": 2, "lr": 1e-3, "batch": 16, "train_fraction": 0.75,
        "record_at": [0, 1], "seed": 0, "orthonormal": 0.1}),
    "networks.train": lambda: Call(lambda steps, lr, seed: nets.train(nets.seeded(lambda: nn.Linear(4, 3), 0),
        nets.minibatches(FEATURES.astype(np.float32), LABELS, batch=16),
        nets.classification_loss, steps=steps, lr=lr, seed=seed), (2, 1e-3, 0)),
    "networks.minibatches": lambda: Call(lambda x, y, **how: nets.minibatches(x, y, **how)(0, np.random.default_rng(0)),
        (FEATURES, LABELS), {"batch": 60, "seed": 0}),
    "networks.accuracy": lambda: Call(nets.accuracy, (pictured(), IMAGES, torch.as_tensor(DIGITS)), {"batch": 4}),
    "networks.fgsm": _attack(nets.fgsm, epsilon=0.1),
    "networks.bim": _attack(nets.bim, epsilon=0.1, steps=2, step_size=0.05, bounds=(0.0, 1.0), seed=0),
    "networks.pgd": _attack(nets.pgd, epsilon=0.1, steps=2, restarts=2, bounds=(0.0, 1.0), seed=0),
    "networks.robustness": _attack(nets.robustness, epsilons=(0.1, 0.2), batch=4),
    "networks.gradient_profile": _attack(nets.gradient_profile, batch=4, bounds=(0.0, 1.0)),
    "networks.predict": lambda: Call(nets.predict, (pictured(), IMAGES), {"batch": 4}),
    "networks.classification_loss": lambda: Call(lambda x, y: nets.classification_loss(pictured(), (x, y)), (IMAGES,
        torch.as_tensor(DIGITS))),
    "networks.log_epochs": _of(nets.log_epochs, 100, 7),
    "networks.noisy_cnn": _of(nets.noisy_cnn, (1, 28, 28), 3, std=0.01, seed=0),
    "networks.seeded": lambda: Call(nets.seeded, (lambda: nn.Linear(2, 2), 3)),
    "networks.compare_at_equal_accuracy": _of(nets.compare_at_equal_accuracy, (np.array([0.5, 0.8]), np.array([0.3,
        0.6])), (np.array([0.4, 0.9]), np.array([0.3, 0.6]))),
    "networks.logit_of_probability": _of(nets.logit_of_probability, PROBABLE),
    "networks.MultiplicativeNoise": _of(nets.MultiplicativeNoise, 0.01),
    "networks.MultiplicativeNoise.forward": _layer(lambda: nets.MultiplicativeNoise(0.01), _t(3, 4)),
    "networks.Adam": _of(nets.Adam, (0.9, 0.99), 1e-8),
    "networks.SGD": _of(nets.SGD, 0.5),
    "networks.Adadelta": _of(nets.Adadelta, 0.95, 1e-6),
    "networks.FaceNet": _of(nets.FaceNet, 3, size=64, embedding=8, widths=(2, 3, 4, 5, 6), seed=0),
}  # fmt: skip

KERNEL = np.array([[1.0, 0.4], [0.4, 1.2]])

INSPECTION = {
    "inspection.bottleneck_bound": _of(ins.bottleneck_bound, np.array([[0.3, 0.1, 0.1], [0.05, 0.2, 0.25]]), 8),
    "inspection.cells_of_their_own": _of(ins.cells_of_their_own, RNG.integers(0, 4, 20), labels_=("0",)),
    "inspection.decoder_accuracy": lambda: Call(ins.decoder_accuracy, (FEATURES, LABELS, np.arange(60) % 3 == 0),
        labels=("1",)),
    "inspection.fisher_trace": lambda: Call(ins.fisher_trace, (model(), FEATURES.astype(np.float32)), {"vectors": 4,
        "seed": 0}),
    "inspection.hessian_eigenvalues": lambda: Call(ins.hessian_eigenvalues, (model(), FEATURES.astype(np.float32),
        LABELS), {"k": 2, "tolerance": 1e-3, "seed": 0}),
    "inspection.spectral_density": lambda: Call(ins.spectral_density, (model(), FEATURES.astype(np.float32), LABELS),
        {"steps": 5, "vectors": 2, "seed": 0}),
    "inspection.jacobian_moments": lambda: Call(ins.jacobian_moments, (model(), FEATURES[:5].astype(np.float32)),
        {"vectors": 4, "steps": 5, "seed": 0}),
    "inspection.jacobian_singular_values": lambda: Call(ins.jacobian_singular_values, (model(), FEATURES[:5].astype(
        np.float32))),
    "inspection.mean_correlation": _of(ins.mean_correlation, FEATURES),
    "inspection.mean_field_kernel": _of(ins.mean_field_kernel, KERNEL, nn.Tanh(), weight_variance=1.2,
        bias_variance=0.1),
    "inspection.neural_collapse": lambda: Call(ins.neural_collapse, (FEATURES, LABELS), {"weight": RNG.normal(size=(3,
        4)), "bias": np.ones(3)}, labels=("1",)),
    "inspection.polynomial_r2": _of(ins.polynomial_r2, FEATURES, FEATURES[:, :2] ** 2, 2, components=2, seed=0),
    "inspection.SpectralDensity.below": lambda: Call(ins.spectral_density(model(), FEATURES.astype(np.float32), LABELS,
        steps=5, vectors=2).below, (0.1,)),
    "inspection.inspect": lambda: Call(_inspected, (FEATURES.astype(np.float32), LABELS), {"twins": 1,
        "permutations": 2, "seed": 0, "first": 50}, labels=("1",)),
    "recording.Recorder": lambda: Call(lambda x, y, **how: _recorded(x, y, **how), (FEATURES.astype(np.float32),
        LABELS), {"seed": 0, "batch": 16}, labels=("1",)),
    "recording.layers": lambda: Call(dt.layers, (model(), FEATURES.astype(np.float32))),
    "recording.Recording.activations": lambda: Call(lambda step: _recording().activations("a", step), (3,)),
    "recording.Recording.add": lambda: Call(_added, (3, torch.tanh(_t(2, 6, 3)))),
}  # fmt: skip


def _inspected(x, y, **how):
    """The table, without the seconds that it took; NaN where activations are not finite."""
    return dt.inspect(model(), x, y, instruments=["health"], progress=False, **how).table()


def _recorded(x, y, **how):
    recorder = dt.Recorder(model(), x, y, readouts=[dt.Binning(4)], **how)
    recorder.snapshot(0)
    return dt.information_plane(recorder.recording, dt.Binning(4)).i_y


def _recording():
    kept = dt.Recording([0, 1], np.zeros(6, int), inputs=6)
    kept.add(3, {"a": torch.zeros(2, 6, 3)})
    return kept


def _added(step, activations):
    kept = dt.Recording([0, 1], np.zeros(6, int), inputs=6)
    kept.add(step, {"a": activations})
    return kept.activations("a")


# seconds each: all of their changes are tried in the slow test alone
DEAR = {
    "axis.axis_code models", "axis.metric_efficiency", "axis.Efficiency.ratio", "axis.verdict_power",
        "axis.axis_code_by_layer",
    "axis.axis_code_of", "axis.AxisCode.controversial", "inspection.inspect", "inspection.spectral_density",
    "inspection.SpectralDensity.below", "networks.fit", "faces.held_out",
}  # fmt: skip
