"""Every public name in use, as an editor sees it: pyright has to agree with each `assert_type`. Never run."""

from typing import Any, assert_type

import numpy as np
import pandas
import plotly.graph_objects
import torch
import xarray
from torch import nn

import deeptheory as dt


def shows_itself(result: dt.results.Result) -> None:
    assert_type(result.table(), pandas.DataFrame)
    assert_type(result.dataset(), xarray.Dataset)
    assert_type(result.figure(), plotly.graph_objects.Figure)
    assert_type(result.scalars(), dict[str, float])


def recording(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dt.Recording:
    shows_itself(dt.layers(model, x))
    gradients = dt.GradientRecorder(model)
    recorder = dt.Recorder(model, x, y, layers=["1"], readouts=None, store=None, gradients=gradients)
    recorder.snapshot(0)
    recorder.callback("lightning")
    assert_type(recorder, dt.Recorder)
    kept = recorder.recording
    assert_type(kept, dt.Recording)
    kept.save("run")
    assert_type(dt.Recording.load("run"), dt.Recording)
    assert_type(dt.recording.Recorder(model, x), dt.Recorder)
    shows_itself(dt.gradient_phases(kept))
    return kept


def networks() -> None:
    data = dt.datasets.icosahedron(gamma=None)
    assert_type(data.x, np.ndarray)
    assert_type(data.p_xy, np.ndarray)
    assert_type(data.signatures, np.ndarray)
    nets = dt.networks.Population.mlp([12, 10, 7, 5, 4, 3, 2], "tanh", seeds=range(50), init="truncated_normal")
    history = dt.networks.fit(nets, data.x, data.y, train_fraction=0.8, optimizer="adam", lr=4e-4, batch=512, epochs=10)
    assert_type(history.dataset(), xarray.Dataset)
    assert_type(history.figure(), plotly.graph_objects.Figure)


def information(kept: dt.Recording, x: np.ndarray, y: np.ndarray, p_xy: np.ndarray) -> None:
    looks = (dt.Binning(30, (-1, 1)), dt.GaussianNoise(0.1), dt.Quantized(8), dt.Exact(), dt.PropagatedNoise(0.1, 100))
    for readout in looks:
        plane = dt.information_plane(kept, readout=readout)
        assert_type(plane.i_x, np.ndarray)
        assert_type(plane.dataset(), xarray.Dataset)
        assert_type(plane.figure("curves"), plotly.graph_objects.Figure)
    dt.Binning(30, bounds="layer", clamp=True)
    dt.Binning(30, bounds="unit")
    for estimate in (
        dt.mutual_information(x, y, method="ksg", k=3),
        dt.entropy(x, method="auto"),
        dt.conditional_mutual_information(x, y, x),
    ):
        assert_type(float(estimate), float)
        assert_type(estimate.value, float)
        assert_type(estimate.notes, tuple[str, ...])
        shows_itself(estimate)
    held: dt.Estimate = dt.mutual_information(x, y)
    assert_type(held.table(), pandas.DataFrame)
    pair = dt.datasets.ground_truth(dt.datasets.ground_truths()[0])
    assert_type(pair.sample(100, 0), tuple[np.ndarray, np.ndarray])
    assert_type(pair.mutual_information, float)
    solution = dt.bottleneck(p_xy, 2.0, method="ib")
    assert_type(solution.i_x, float)
    curve = dt.bottleneck_curve(p_xy, betas=None)
    assert_type(curve, dt.information.BottleneckCurve)
    shows_itself(dt.gaussian_bottleneck(np.eye(2), np.eye(2), np.eye(2) / 2, [2.0]))
    shows_itself(dt.layer_bound(kept, p_xy))
    assert_type(dt.capacity(p_xy), dt.information.ChannelCapacity)
    assert_type(dt.rate_distortion(p_xy, p_xy, 1.0), dt.information.RateDistortion)


def capsules(u: torch.Tensor, weight: torch.Tensor, images: torch.Tensor, labels: torch.Tensor) -> None:
    v: torch.Tensor = dt.capsules.dynamic_routing(u, weight, iterations=3, bias=None, leaky=False)  # of the kind of u
    _, activation = dt.capsules.em_routing(v, weight, u, u, iterations=3)
    layers: list[nn.Module] = [
        dt.capsules.Capsules(8, 4, 10, 16, iterations=3),
        dt.capsules.ConvMatrixCapsules(4, 8, kernel_size=3, stride=1, iterations=3),
    ]
    assert_type(dt.capsules.margin_loss(layers[0](u), labels), torch.Tensor)
    assert_type(dt.capsules.spread_loss(activation, labels, 0.2), torch.Tensor)
    network = dt.capsules.CapsuleNetwork(image_shape=(1, 28, 28), classes=10, reconstruction=True)
    assert_type(network.forward(images), dt.capsules.CapsuleOutput)
    matrix = dt.capsules.MatrixCapsuleNetwork(image_shape=(2, 32, 32), classes=5, types=(32, 32, 32, 32))
    assert_type(matrix.forward(images), dt.capsules.MatrixCapsuleOutput)


def cheap(module: nn.Module, samples: np.ndarray, hierarchy: dt.cheap.MarkovHierarchy) -> None:
    gate = dt.cheap.product_gate(activation="silu", scale="auto", dtype=torch.float64)
    assert_type(gate, dt.cheap.Gate)
    assert_type(dt.cheap.square_gate(), dt.cheap.Gate)
    assert_type(dt.cheap.identity_gate(), dt.cheap.Gate)
    parts: list[nn.Module] = [dt.cheap.bit_product_gate(3, 10.0), dt.cheap.monomial_layer([2, 1])]
    network = dt.cheap.compile_polynomial("x*y", depth=None, domain=(-1, 1), tolerance=1e-6)
    assert_type(network, dt.cheap.CompiledNetwork)
    assert_type(network.certificate, dt.cheap.Certificate)
    assert_type(network.neurons, int)
    shows_itself(dt.cheap.to_polynomial(parts[0], 3, domain=(-1, 1)))
    count = dt.cheap.neuron_count("x*y", depth=None)
    assert_type(count, dt.cheap.Count)
    dt.cheap.BayesSoftmax([lambda x: x], priors=[1.0])
    shows_itself(dt.cheap.hamiltonian_fit(samples, 2))
    shows_itself(dt.cheap.flattening_cost(module))
    shows_itself(hierarchy)


def faces_and_axes(model: nn.Module, images: np.ndarray, landmarks: np.ndarray) -> None:
    space = dt.faces.FaceSpace.fit(images, landmarks, shape=25, appearance=25)
    assert_type(space, dt.faces.FaceSpace)
    coordinates = space.encode(images, landmarks)
    assert_type(space.sample(4, 0), np.ndarray)
    made = dt.faces.ProceduralFaces(size=64).sample(10, 0)
    assert_type(made.images, np.ndarray)
    code = dt.axis_code(images, coordinates, blocks=None, folds=10, permutations=500, groups=None, seed=0)
    assert_type(code, dt.axis.AxisCode)
    assert_type(code.verdict, np.ndarray)
    assert_type(code.figure("ramp"), plotly.graph_objects.Figure)
    assert_type(code.identification(40).table(), pandas.DataFrame)
    assert_type(dt.axis_code_of(model, "fc", images, coordinates), dt.axis.AxisCode)


def studies_and_inspection(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> None:
    found = dt.inspect(model, x, y, instruments=None, checkpoints=None, out=None)
    assert_type(found, dt.inspection.Inspection)
    assert_type(found.table(), pandas.DataFrame)
    found.write("page")
    result = dt.reproduce("shwartz-ziv-tishby-2017", scale="quick", out=None, seed=0)
    assert_type(result, dt.studies.StudyResult)
    assert_type(result.claims, dt.runs.Ledger)
    assert_type(result.claims.counts(), dict[str, int])
    dt.report.write_page(result.folder)


def ground(values: np.ndarray) -> None:
    assert_type(dt.__version__, str)
    refused: type[Exception] = dt.errors.InputError
    modules: list[Any] = [dt.statistics, dt.theme, refused]
    del modules, values
