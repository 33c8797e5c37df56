"""Layers: convolutional routing against explicit parent lists, cutting into capsules, parameters, compile, export,
precision.
"""

import copy

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.capsules.windows import over_parents, uniform_over_parents, windows
from oracles import capsules as oracle

c = dt.capsules
RELEASED = {"damping": 0.1, "scale": 2.0}
GRIDS = [
    (5, 5, 3, 2),
    (6, 4, 3, 1),
    (7, 5, 3, 2),
    (4, 4, 2, 2),
    (3, 3, 3, 1),
    (6, 6, 2, 3),
]  # 6, 3, 2: some children are heard by nobody


def count(module):
    return sum(p.numel() for p in module.parameters())


def matrix_inputs(b, h, w, t, seed=0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    pose = torch.randn(b, h, w, t, 4, 4, generator=g, dtype=torch.float64)
    return pose.to(dtype), torch.rand(b, h, w, t, generator=g, dtype=torch.float64).to(dtype)


def numbers(*tensors):
    return [t.detach().double().numpy() for t in tensors]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("normalize", ["all", "position"])
@pytest.mark.parametrize("variant", ["paper", "reference_code"])
def test_conv_matrix_capsules_on_an_explicit_parent_list(grid, normalize, variant):
    h, w, kernel, stride = grid
    torch.manual_seed(0)
    layer = c.ConvMatrixCapsules(2, 3, kernel, stride=stride, normalize=normalize, variant=variant).double()
    pose, activation = matrix_inputs(2, h, w, 2)
    out_pose, out = layer(pose, activation)
    options = RELEASED if variant == "reference_code" else {}
    for n in range(2):
        truth = oracle.conv_em(
            *numbers(pose[n], activation[n], layer.weight, layer.beta_u, layer.beta_a),
            kernel,
            stride,
            3,
            normalize,
            **options,
        )
        np.testing.assert_allclose(
            out_pose[n].detach().flatten(3).numpy().reshape(truth[0].shape), truth[0], atol=1e-10
        )
        np.testing.assert_allclose(out[n].detach().numpy(), truth[1], atol=1e-10)


@pytest.mark.parametrize("grid", GRIDS[:3], ids=str)
@pytest.mark.parametrize("normalize", ["all", "position"])
def test_conv_matrix_capsules_equal_dense_routing_with_a_mask(grid, normalize):
    """The same layer through `em_routing`: every parent at every position is a parent of its own, the mask says
    whose.
    """
    h, w, kernel, stride = grid
    torch.manual_seed(0)
    types_in, types_out = 2, 3
    layer = c.ConvMatrixCapsules(types_in, types_out, kernel, stride=stride, normalize=normalize).double()
    pose, activation = matrix_inputs(2, h, w, types_in)
    oh, ow = (h - kernel) // stride + 1, (w - kernel) // stride + 1
    votes = torch.zeros(2, h * w * types_in, oh * ow * types_out, 4, 4, dtype=torch.float64)
    mask = torch.zeros(votes.shape[1:3], dtype=torch.bool)
    for (y, x), places in oracle.window_parents(h, w, kernel, stride).items():
        for py, px, ky, kx in places:
            for t in range(types_in):
                for j in range(types_out):
                    i, parent = (y * w + x) * types_in + t, (py * ow + px) * types_out + j
                    votes[:, i, parent] = pose[:, y, x, t] @ layer.weight[(ky * kernel + kx) * types_in + t, j]
                    mask[i, parent] = True
    kinds = torch.arange(types_out).repeat(oh * ow)
    betas = [b.repeat(oh * ow) for b in (layer.beta_u, layer.beta_a)]
    dense = c.em_routing(votes, activation.flatten(1), *betas, mask=mask, normalize=normalize, types=kinds)
    for ours, theirs in zip(layer(pose, activation), dense):
        torch.testing.assert_close(ours.reshape(theirs.shape), theirs, atol=1e-10, rtol=0)


def test_vector_form_of_matrix_capsules():
    torch.manual_seed(0)
    layer = c.ConvMatrixCapsules(2, 3, 2, stride=1, form="vector").double()
    pose, activation = matrix_inputs(1, 3, 4, 2)
    truth = oracle.conv_em(
        *numbers(pose[0], activation[0], layer.weight, layer.beta_u, layer.beta_a), 2, 1, 3, "all", form="vector"
    )
    out_pose, out = layer(pose, activation)
    np.testing.assert_allclose(out_pose[0].detach().numpy().reshape(truth[0].shape), truth[0], atol=1e-10)
    np.testing.assert_allclose(out[0].detach().numpy(), truth[1], atol=1e-10)
    assert count(layer) == 16 * count(c.ConvMatrixCapsules(2, 3, 2, stride=1)) - 15 * 6  # the betas are the same


@pytest.mark.parametrize("grid", GRIDS[:4], ids=str)
@pytest.mark.parametrize("normalize", ["all", "position"])
def test_conv_capsules_on_an_explicit_parent_list(grid, normalize):
    h, w, kernel, stride = grid
    torch.manual_seed(0)
    layer = c.ConvCapsules(2, 3, 4, 5, kernel_size=kernel, stride=stride, normalize=normalize).double()
    u = torch.randn(1, h, w, 2, 3, dtype=torch.float64)
    votes, parents = {}, {}
    for (y, x), places in oracle.window_parents(h, w, kernel, stride).items():
        for t in range(2):
            for py, px, ky, kx in places:
                child = (
                    (y, x, t) if normalize == "all" else (y, x, t, py, px)
                )  # "position": a child anew in every window
                for j in range(4):
                    parents.setdefault(child, []).append((py, px, j))
                    votes[child, (py, px, j)] = (
                        (layer.weight[(ky * kernel + kx) * 2 + t, j] @ u[0, y, x, t]).detach().numpy()
                    )
    everyone = {p for js in parents.values() for p in js}
    bias = {p: layer.bias[p[2]].detach().numpy() for p in everyone}
    truth, _ = oracle.routing_by_agreement(votes, parents, 3, bias)
    v = layer(u).detach()
    for (py, px, j), expected in truth.items():
        np.testing.assert_allclose(v[0, py, px, j].numpy(), expected, atol=1e-10)


def test_class_capsules_see_all_positions_and_where_they_are():
    torch.manual_seed(0)
    layer = c.ClassCapsules(2, 3).double()
    torch.nn.init.normal_(layer.weight, std=0.5)
    pose, activation = matrix_inputs(2, 3, 4, 2)
    centers = torch.randn(3, 4, 2, dtype=torch.float64)
    votes = torch.einsum("bhwtxz,tjzy->bhwtjxy", pose, layer.weight).clone()
    votes[..., 0, 3] += centers[None, :, :, None, None, 0]
    votes[..., 1, 3] += centers[None, :, :, None, None, 1]
    truth = c.em_routing(votes.flatten(1, 3), activation.flatten(1), layer.beta_u, layer.beta_a)
    for ours, theirs in zip(layer(pose, activation, centers), truth):
        torch.testing.assert_close(ours, theirs)
    flipped = layer(pose.flip(2), activation.flip(2))
    assert (flipped[0] - layer(pose, activation)[0]).abs().max() > 1e-3
    blind = c.ClassCapsules(2, 3, coordinates=False).double()
    blind.load_state_dict(layer.state_dict())
    torch.testing.assert_close(blind(pose.flip(2), activation.flip(2)), blind(pose, activation))


@pytest.mark.parametrize("side", [2, 3, 5])
def test_coordinates_are_in_the_right_hand_column_of_poses_of_any_size(side):
    torch.manual_seed(0)
    layer = c.ClassCapsules(2, 3, pose_size=side).double()
    pose, activation = torch.randn(2, 3, 4, 2, side, side).double(), torch.rand(2, 3, 4, 2).double()
    centers = torch.randn(3, 4, 2, dtype=torch.float64)
    votes = torch.einsum("bhwtxz,tjzy->bhwtjxy", pose, layer.weight).clone()
    votes[..., 0, side - 1] += centers[None, :, :, None, None, 0]
    votes[..., 1, side - 1] += centers[None, :, :, None, None, 1]
    truth = c.em_routing(votes.flatten(1, 3), activation.flatten(1), layer.beta_u, layer.beta_a)
    for ours, theirs in zip(layer(pose, activation, centers), truth):
        torch.testing.assert_close(ours, theirs)


def test_released_class_layer_has_a_quarter_of_the_temperature():
    paper, released = (c.ClassCapsules(2, 3, variant=v) for v in ("paper", "reference_code"))
    assert [a / b for a, b in zip(paper.lambdas, released.lambdas)] == pytest.approx([4, 4, 4])
    assert released.constants.mass_floor == 1e-5


@pytest.mark.parametrize("normalize", ["all", "position"])
def test_a_child_divides_itself_among_parents_at_all_positions(normalize):
    at = windows(7, 6, 3, 2, torch.device("cpu"))
    g = torch.Generator().manual_seed(0)
    r = over_parents(30 * torch.randn(2, at.children.shape[0], 9 * 4, 5, generator=g), at, normalize)
    for r_ij in (r, uniform_over_parents(at, 4, 5, normalize, torch.float32).expand(2, -1, -1, -1)):
        if normalize == "position" and r_ij is not r:
            assert (r_ij == 1 / 5).all()  # as released: not divided among positions
            continue
        given = torch.zeros(2, 7 * 6, 4)
        given.index_add_(1, at.children.reshape(-1), r_ij.unflatten(2, (9, 4)).sum(-1).flatten(1, 2))
        heard = torch.zeros(42).index_add_(0, at.children.reshape(-1), torch.ones(at.children.numel())) > 0
        expected = 1.0 if normalize == "all" else 5.0  # released: to each type whole
        torch.testing.assert_close(given[:, heard], torch.full_like(given[:, heard], expected))


def test_primary_capsules_are_channels_of_one_cell():
    """Permuting channels within a capsule permutes its dimensions; one pixel moves the capsules of its cell alone."""
    torch.manual_seed(0)
    layer = c.PrimaryCapsules(3, 4, 5, kernel_size=1, stride=1)
    x = torch.randn(2, 3, 6, 7)
    u = layer(x)
    assert u.shape == (2, 6, 7, 4, 5)
    changed = x.clone()
    changed[0, :, 2, 3] += 1
    moved = (layer(changed) != u).any(-1).any(-1)
    assert moved.nonzero().tolist() == [[0, 2, 3]]
    torch.testing.assert_close(u[1, 2, 3, 1], c.squash(layer.convolution(x)[1, 5:10, 2, 3]))


def test_released_primary_capsules_begin_as_ours():
    torch.manual_seed(0)
    ours = c.PrimaryCapsules(8, 4, 5, kernel_size=3, init="paper")
    released = c.PrimaryCapsules(8, 4, 5, kernel_size=3, reference_code=True, init="paper")
    with torch.no_grad():
        released.convolution.weight.copy_(4 * ours.convolution.weight)
    x = torch.randn(2, 8, 9, 9)
    torch.testing.assert_close(released(x), ours(x))
    stds = [float(layer.convolution.weight.detach().std()) for layer in (ours, released)]
    assert stds[0] == pytest.approx(stds[1] / 4)
    again = c.PrimaryCapsules(8, 4, 5, kernel_size=3, reference_code=True, init="paper")
    assert float(again.convolution.weight.detach().std()) == pytest.approx(0.088, rel=0.1)  # 0.1, cut at two deviations


def test_capsules_take_a_grid():
    torch.manual_seed(0)
    layer = c.Capsules(2 * 3 * 4, 5, 3, 6)
    u = torch.randn(7, 2, 3, 4, 5)
    assert torch.equal(layer(u), layer(u.flatten(1, 3)))
    assert torch.equal(layer(u), c.dynamic_routing(u.flatten(1, 3), layer.weight, 3, bias=layer.bias))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: c.CapsuleNetwork(), 8_215_568 + 160),
        (lambda: c.CapsuleNetwork(reconstruction=False), 6_804_224 + 160),
        (lambda: c.CapsuleNetwork((1, 36, 36)), 11_361_808 + 160),
        (lambda: c.MatrixCapsuleNetwork(), 317_194),
        (lambda: c.MatrixCapsuleNetwork(types=(64, 8, 16, 16)), 68_754),
        (lambda: c.BASELINES["sabour"](), 35_445_522),
        (lambda: c.BASELINES["multimnist"](), 24_563_978),
        (lambda: c.BASELINES["hinton"](), 4_253_349),
        (
            lambda: c.CapsuleNetwork(
                (3, 24, 24), primary=c.Primary(types=64), padding="same", leaky=True, reconstruction=False
            ),
            256 * 243 + 256 + 64 * 8 * (256 * 81 + 1) + 12 * 12 * 64 * 10 * 128 + 160,
        ),
    ],
)
def test_parameters(make, expected):
    with torch.device("meta"):
        assert count(make()) == expected


SMALL = {
    "capsules": (
        lambda: c.CapsuleNetwork(
            (1, 20, 24),
            3,
            (10,),
            channels=8,
            kernel_size=5,
            primary=c.Primary(types=4, dim=4, kernel_size=5),
            hidden=[(6, 5)],
            dim=6,
        ),
        (2, 1, 20, 24),
    ),
    "matrix": (lambda: c.MatrixCapsuleNetwork((2, 20, 24), 3, (8, 3, 4, 5)), (2, 2, 20, 24)),
    "matrix, released": (
        lambda: c.MatrixCapsuleNetwork((2, 20, 24), 3, (8, 3, 4), variant="reference_code"),
        (2, 2, 20, 24),
    ),
    "matrix, deep": (
        lambda: c.MatrixCapsuleNetwork((1, 33, 28), 4, (4, 2, 3, 2, 3), strides=(2, 1, 1), form="vector"),
        (2, 1, 33, 28),
    ),
    "matrix, shallow": (
        lambda: c.MatrixCapsuleNetwork((1, 9, 8), 2, (4, 2), presence="mass", coordinates=False),
        (2, 1, 9, 8),
    ),
    "convolutional capsules": (
        lambda: torch.nn.Sequential(
            c.PrimaryCapsules(1, 2, 4, kernel_size=5),
            c.ConvCapsules(2, 4, 3, 5, kernel_size=3, stride=2),
            c.Capsules(3 * 3 * 3, 5, 2, 4),
        ),
        (2, 1, 17, 19),
    ),
}


def small(name):
    make, shape = SMALL[name]
    torch.manual_seed(0)
    return make(), torch.rand(shape, generator=torch.Generator().manual_seed(1))


def tensors(out):
    return [out] if torch.is_tensor(out) else [x for x in out if x is not None]


@pytest.mark.parametrize("name", SMALL)
def test_any_shape_learns_saves_and_loads(name):
    model, x = small(name)
    first = tensors(model(x))
    sum(t.square().sum() for t in first).backward()
    for parameter_name, p in model.named_parameters():
        if name == "matrix, shallow" and parameter_name in ("classifier.b_u", "classifier.b_a"):
            continue  # mixing proportions have no costs
        assert p.grad is not None, parameter_name
        assert p.grad.isfinite().all(), parameter_name
        assert (p.grad != 0).any(), parameter_name
    torch.manual_seed(5)
    other = SMALL[name][0]()
    other.load_state_dict(model.state_dict())
    for a, b in zip(first, tensors(other(x))):
        assert torch.equal(a, b)
    for a, b in zip(first, tensors(copy.deepcopy(model)(x))):
        assert torch.equal(a, b)


SELDOM = ("matrix, deep", "matrix, released", "matrix, shallow")  # the same layers again: in the slow form


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SELDOM else n for n in SMALL])
def test_export(name):
    model, x = small(name)
    model = model.eval()
    program = torch.export.export(model, (x,))
    for a, b in zip(tensors(model(x)), tensors(program.module()(x))):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast(name, dtype):
    model, x = small(name)
    truth = tensors(model(x))
    with torch.autocast("cpu", dtype=dtype):
        out = tensors(model(x))
    assert out[0].dtype == torch.float32
    for a in out:
        assert a.isfinite().all()
    assert (out[0] - truth[0]).abs().max() < 0.05
    sum(t.float().square().sum() for t in out).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", SMALL)
def test_deterministic_mode_gives_the_same_bits(name):
    model, x = small(name)
    torch.use_deterministic_algorithms(True)
    try:
        runs = []
        for _ in range(2):
            model.zero_grad()
            out = tensors(model(x))
            sum(t.square().sum() for t in out).backward()
            runs.append([*out, *(p.grad.clone() for p in model.parameters() if p.grad is not None)])
        assert all(torch.equal(a, b) for a, b in zip(*runs))
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name", ["capsules", "matrix"])
def test_batch_mates_do_not_matter(name):
    model, x = small(name)
    together, alone = tensors(model(x)), tensors(model(x[:1]))
    for a, b in zip(together, alone):
        torch.testing.assert_close(a[:1], b)


def test_labels_choose_what_is_drawn():
    model, x = small("capsules")
    model.eval()
    out = model(x)
    longest = out.lengths.argmax(1)
    torch.testing.assert_close(model(x, longest).reconstruction, out.reconstruction)
    other = (longest + 1) % 3
    assert (model(x, other).reconstruction - out.reconstruction).abs().max() > 1e-4
    mask = torch.nn.functional.one_hot(other, 3)
    torch.testing.assert_close(model.decoder(out.capsules, mask), model(x, other).reconstruction)
    assert model(x).reconstruction.shape == x.shape


def test_centers_of_receptive_fields():
    """32 pixels, kernels 5/2, 3/2, 3/1: windows of 17 pixels, 4 apart; the first is centered at pixel 8, 7.5 left of
    the middle.
    """
    centers = c.MatrixCapsuleNetwork().centers
    assert centers.shape == (4, 4, 2)
    np.testing.assert_allclose(centers[:, 0, 0].numpy(), (np.array([8.0, 12.0, 16.0, 20.0]) - 15.5) / 100, atol=1e-7)
    x = torch.zeros(1, 1, 32, 32, requires_grad=True)
    y = x
    for kernel, stride in ((5, 2), (3, 2), (3, 1)):
        y = torch.nn.functional.conv2d(y, torch.ones(1, 1, kernel, kernel), stride=stride)
    y[0, 0, 1, 2].backward()
    rows = x.grad[0, 0].sum(1).nonzero().flatten().double()
    columns = x.grad[0, 0].sum(0).nonzero().flatten().double()
    assert centers[1, 2, 0] == pytest.approx((float(rows.mean()) - 15.5) / 100)
    assert centers[1, 2, 1] == pytest.approx((float(columns.mean()) - 15.5) / 100)
