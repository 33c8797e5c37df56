"""Wrong use of capsules: the value seen and the fix."""

import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError

c = dt.capsules
U, W = torch.randn(2, 6, 4), torch.randn(6, 3, 5, 4)
VOTES, A = torch.randn(2, 6, 3, 4, 4), torch.rand(2, 6)
NAN, INF = float("nan"), float("inf")
DRAWING = c.CapsuleNetwork((1, 9, 9), 3, (5,), channels=2, kernel_size=3, primary=c.Primary(2, 3, 3), dim=4)


def put(x, value):
    x = x.clone()
    x.view(-1)[7] = value
    return x


def grid(t=2, h=4, w=4):
    return torch.randn(1, h, w, t, 4, 4), torch.rand(1, h, w, t)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: c.dynamic_routing(U, W, 0), "iterations is 0; routing needs at least 1"),
        (lambda: c.dynamic_routing(U, W, 2.0), "iterations is 2.0; it needs an integer"),
        (lambda: c.ConvMatrixCapsules(2, 3, iterations=True), "iterations is True; it needs an integer"),
        (lambda: c.dynamic_routing(U, W[:5]), r"weight has shape \[5, 3, 5, 4\].*I is 5 here and 6 from u"),
        (lambda: c.dynamic_routing(U[0], W), r"u has shape \[6, 4\]; it needs 3 axes"),
        (lambda: c.dynamic_routing(U, W, bias=torch.zeros(5, 3)), "bias has shape"),
        (lambda: c.dynamic_routing(U, W, prior=torch.zeros(3, 6)), "prior has shape"),
        (
            lambda: c.dynamic_routing(put(U, NAN), W),
            r"u holds 1 values that are NaN or infinite, the first at \[0, 1, 3\]",
        ),
        (lambda: c.dynamic_routing(U, put(W, INF)), "weight holds 1 values"),
        (lambda: c.dynamic_routing(1e30 * U, 1e30 * W), "overflow torch.float32.*scale"),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, iterations=0), "iterations is 0; routing needs at least 1"),
        (
            lambda: c.em_routing(VOTES, A, 0.7, -1.0, iterations=3, schedule=(0.1, 0.2)),
            "schedule has 2 entries for 3 iterations",
        ),
        (lambda: c.em_routing(VOTES[0], A, 0.7, -1.0), "activation has shape|votes has shape"),
        (
            lambda: c.em_routing(VOTES.flatten(2), A, 0.7, -1.0),
            r"votes has shape \[2, 6, 48\]; it needs \[B, I, J, ...\]",
        ),
        (lambda: c.em_routing(VOTES, A[:, :5], 0.7, -1.0), "activation has shape"),
        (
            lambda: c.em_routing(VOTES, 2 * A + 1, 0.7, -1.0),
            r"activation runs from 1.* within \[0, 1\]: pass it through a sigmoid",
        ),
        (lambda: c.em_routing(VOTES, A, torch.zeros(4), -1.0), r"beta_u has shape \[4\].*each of the 3 parents"),
        (lambda: c.em_routing(VOTES, A, 0.7, torch.zeros(2)), r"beta_a has shape \[2\]"),
        (lambda: c.em_routing(put(VOTES, INF), A, 0.7, -1.0), "votes holds 1 values"),
        (lambda: c.em_routing(VOTES, A, 0.7, NAN), "beta_a holds 1 values"),
        (
            lambda: c.em_routing(VOTES, A, 0.7, -1.0, variant="released code"),
            "unknown variant of EM routing 'released code'.*reference_code",
        ),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, normalize="types"), "unknown normalize 'types'"),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, presence="mixing"), "unknown presence 'mixing'"),
        (
            lambda: c.em_routing(VOTES, A, 0.7, -1.0, normalize="position"),
            "needs types: the type of each of the parents",
        ),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, mask=torch.ones(6, 4)), "mask has shape"),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, normalize="position", types=torch.zeros(4)), "types has shape"),
        (
            lambda: c.dynamic_routing(U, W, mask=torch.ones(2, 6)),
            r"mask has dtype torch.float32; it needs truth values.*mask == 0 of a mask to be added",
        ),
        (lambda: c.dynamic_routing(U, W, mask=torch.ones(2, 5, dtype=torch.bool)), "mask has shape"),
        (lambda: c.dynamic_routing(U.to(torch.complex64), W), "complex64"),
        (lambda: c.squash(torch.tensor(1.0)), r"s has shape \[\]; squash needs capsules"),
        (lambda: c.squash(torch.zeros(3, 0)), "at least one number"),
        (lambda: c.squash(torch.zeros(3, 2, dtype=torch.complex64)), "capsules are real numbers"),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, mask=torch.tensor([[0, -9, 0]] * 6)), "values other than 0 and 1"),
        (
            lambda: c.em_routing(VOTES, A, 0.7, -1.0, mask=torch.zeros(6, 3)),
            "mask == 0 of a mask to be added to logits",
        ),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, mask=torch.ones(3, 6, 3, dtype=torch.bool)), "mask has shape"),
        (lambda: c.em_routing(VOTES[0], A[0], 0.7, -1.0), r"one example needs a batch axis as well, votes\[None\]"),
        (lambda: c.Capsules(6, 4, 3, 5)(U[0]), r"one example needs a batch axis as well, u\[None\]"),
        (lambda: c.Capsules(6, 4, 3, 5)(U.numpy()), "u is a numpy.ndarray; a layer takes a tensor"),
        (
            lambda: c.Capsules(4, 4, 3, 5, shared=True)(U),
            "6 capsules of 4 dimensions; this layer was made for multiples of 4 of 4",
        ),
        (lambda: c.Capsules(6, 0, 3, 5), "in_dim is 0; it needs an integer of at least 1"),
        (lambda: c.Capsules(6, 4, 3.0, 5), "out_capsules is 3.0"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, stride=0), "stride is 0; it needs an integer of at least 1, or two"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, kernel_size=(3, 3, 3)), r"kernel_size is \(3, 3, 3\)"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, padding="full"), "padding is 'full'; known: valid, same"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, padding=-1), "padding is -1"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, stride=2, padding="same"), 'padding="same" needs stride 1'),
        (lambda: c.ConvMatrixCapsules(2, 3, stride=(1, 0)), r"stride is \(1, 0\)"),
        (lambda: c.ConvMatrixCapsules(0, 3), "in_types is 0"),
        (lambda: c.ClassCapsules(2, 3, pose_size=1), r"pose_size is 1; entries \[3, 7\]"),
        (lambda: c.PrimaryCapsules(3, 2, 4, stride=0), "stride is 0"),
        (lambda: c.ClassCapsules(2, 3)(*grid(), [[0.0]]), "coordinates is a list; it needs a tensor"),
        (lambda: c.SelfRouting(6, 4, 3, 5)(U, A[:, :5]), "activation has shape"),
        (lambda: c.InvertedDotProduct(6, 4, 3, 5, iterations=0), "iterations is 0"),
        (lambda: c.InvertedDotProduct(6, 4, 3, 5)(U[:, :5]), "u has shape"),
        (lambda: c.trace_routing(c.Capsules(6, 4, 3, 5), U[:0]), "the inputs hold no example"),
        (lambda: c.ink_width(U.numpy()), "ink is 0 or more"),
        (lambda: c.Capsules(6, 4, 3, 5, iterations=0), "iterations is 0"),
        (
            lambda: c.Capsules(6, 4, 3, 5)(U[:, :5]),
            r"u has shape \[2, 5, 4\], 5 capsules of 4 dimensions; this layer was made for 6 of 4",
        ),
        (lambda: c.PrimaryCapsules(3, 2, 4)(torch.zeros(1, 2, 9, 9)), "x has shape"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, kernel_size=3, stride=1, iterations=0), "iterations is 0"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, normalize="none"), "unknown normalize 'none'"),
        (
            lambda: c.ConvCapsules(2, 3, 4, 5)(torch.zeros(1, 2, 5, 2, 3)),
            "the grid of capsules is 2x5 and the kernel 3x3: no parent sees a whole window",
        ),
        (lambda: c.ConvCapsules(2, 3, 4, 5)(torch.zeros(1, 5, 5, 2, 4)), "u has shape"),
        (lambda: c.ConvMatrixCapsules(2, 3, iterations=0), "iterations is 0"),
        (lambda: c.ConvMatrixCapsules(2, 3, form="tensor"), "unknown form 'tensor'"),
        (lambda: c.ConvMatrixCapsules(2, 3, variant="tensorflow"), "unknown variant"),
        (lambda: c.ConvMatrixCapsules(2, 3)(*grid(h=2)), "the grid of capsules is 2x4"),
        (lambda: c.ConvMatrixCapsules(2, 3)(*grid(t=4)), "pose has shape"),
        (lambda: c.ConvMatrixCapsules(2, 3)(grid()[0], 1 - 3 * grid()[1]), "activation runs from"),
        (lambda: c.ConvMatrixCapsules(2, 3)(put(grid()[0], NAN), grid()[1]), "pose holds 1 values"),
        (lambda: c.MatrixPrimary(3, 2)(torch.zeros(1, 2, 9, 9)), "x has shape"),
        (lambda: c.ClassCapsules(2, 3)(*grid(), torch.zeros(3, 4, 2)), "coordinates has shape"),
        (
            lambda: c.ClassCapsules(2, 3, coordinates=False)(*grid(), torch.zeros(4, 4, 2)),
            "made with coordinates=False",
        ),
        (lambda: c.Reconstruction(3, 4, (1, 5, 5))(torch.zeros(2, 4, 4)), "capsules has shape"),
        (lambda: c.Reconstruction(3, 4, (1, 5, 5))(torch.zeros(2, 3, 4), torch.zeros(3)), "labels has shape"),
        (
            lambda: c.CapsuleNetwork((1, 12, 28)),
            "the first convolution's output is 4x20 and the kernel 9x9: no position is left",
        ),
        (lambda: c.CapsuleNetwork((1, 8, 28)), "the image is 8x28 and the kernel 9x9"),
        (lambda: c.CapsuleNetwork(padding="full"), "padding is 'full'; known: valid, same"),
        (
            lambda: c.CapsuleNetwork(channels=2, primary=c.Primary(types=1))(torch.zeros(1, 1, 28, 30)),
            "images has shape",
        ),
        (lambda: c.MatrixCapsuleNetwork((1, 14, 14)), "grid below a layer is 2x2 and the kernel 3x3"),
        (lambda: c.MatrixCapsuleNetwork(types=(32,)), r"types is \(32,\); it needs at least"),
        (
            lambda: c.MatrixCapsuleNetwork(types=(4, 2, 2), strides=(2, 1)),
            r"strides is \(2, 1\).*there are 1 convolutional",
        ),
        (lambda: c.MatrixCapsuleNetwork(types=(4, 2, 2))(torch.zeros(1, 1, 32, 32)), "images has shape"),
        (
            lambda: c.margin_loss(torch.rand(2, 3), torch.tensor([0, 3])),
            "labels run from 0 to 3; with 3 classes they run from 0 to 2",
        ),
        (lambda: c.margin_loss(torch.rand(2, 3), torch.tensor([0])), "labels has shape"),
        (lambda: c.margin_loss(torch.rand(2, 3), torch.zeros(2, 4)), "labels has shape"),
        (lambda: c.margin_loss(torch.rand(2, 3), torch.tensor([0, 1]), convention="mean"), "unknown convention 'mean'"),
        (lambda: c.spread_loss(torch.rand(2, 3), torch.zeros(2, 3), 0.2), "labels has shape"),
        (
            lambda: c.reconstruction_loss(torch.rand(2, 1, 3, 3), torch.rand(2, 9)),
            r"reconstruction has shape \[2, 1, 3, 3\], images \[2, 9\]",
        ),
        (lambda: c.spread_margin(5, schedule="paper"), 'the "paper" schedule runs over the whole training'),
        (lambda: c.spread_margin(-1), "step is -1"),
        (lambda: c.spread_margin(1, 0), "steps 0"),
        (lambda: c.spread_margin(1, schedule="cosine"), "unknown margin schedule 'cosine'"),
        (lambda: c.spread_margin(NAN), "step is nan"),
        (lambda: c.spread_margin(1, NAN), "steps nan"),
        (lambda: c.spread_objective(0), "steps is 0"),
        (lambda: c.spread_objective(9, schedule="cosine"), "unknown margin schedule 'cosine'"),
        (lambda: c.spread_objective(9, convention="mean"), "unknown convention 'mean'"),
        (lambda: c.capsule_objective(convention="mean"), "unknown convention 'mean'"),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, schedule="abc"), "schedule is 'abc'; needed: a finite final lambda"),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, schedule=NAN), "schedule is nan; needed: a finite final lambda"),
        (lambda: c.em_routing(VOTES, A, 0.7, -1.0, schedule=(0.1, INF, 1)), r"schedule is \(0.1, inf, 1\)"),
        (lambda: c.Capsules(6, 4, 3, 5, backend="cuda"), "unknown backend 'cuda'"),
        (lambda: c.ConvCapsules(2, 3, 4, 5, backend="cuda"), "unknown backend 'cuda'"),
        (lambda: c.ConvMatrixCapsules(2, 3, backend="cuda"), "unknown backend 'cuda'"),
        (lambda: c.ClassCapsules(2, 3, backend="cuda"), "unknown backend 'cuda'"),
        (
            lambda: c.PrimaryCapsules(3, 2, 4)(torch.zeros(1, 3, 9, 8)),
            "x is 9x8 and the kernel 9x9: no position is left",
        ),
        (lambda: c.SelfRouting(6, 4, 3, 5)(U, -1 - A / 2), "activation runs from -1.*within"),
        (lambda: c.Reconstruction(0, 4, (1, 5, 5)), "capsules is 0; it needs an integer of at least 1"),
        (lambda: c.Reconstruction(3, 4, (1, 5, 5), widths=(8, 0)), r"widths\[1\] is 0"),
        (lambda: c.Reconstruction(3, 4, (5, 5)), r"image_shape is \(5, 5\); needed: \(channels, height, width\)"),
        (lambda: c.Reconstruction(3, 4, (1, 5, 5))(torch.zeros(2, 3, 4).numpy()), "capsules are float32; needed: a te"),
        (lambda: c.Reconstruction(3, 4, (1, 5, 5))(torch.zeros(2, 3, 4).long()), "capsules are torch.int64"),
        (lambda: c.decoded(DRAWING, torch.zeros(2, 3, 4), [0.7, 1]), "labels hold 0.7; needed: whole class numbers"),
        (lambda: c.decoded(DRAWING, torch.zeros(2, 3, 4), [0, 1, 2]), r"labels has shape \[3\]"),
        (lambda: c.ink_width([1.0, 2.0]), r"images have shape \[2\]; needed: \[..., H, W\]"),
        (lambda: c.ink_width([[1.0, INF]]), "images holds 1 values that are NaN or infinite"),
        (lambda: c.perturb(DRAWING, torch.zeros(1, 1, 9, 9), offsets=[0, NAN]), "offsets holds 1 values that are NaN"),
        (lambda: c.trace_routing(c.Capsules(6, 4, 3, 5), U, bins=0), "bins is 0; needed: an integer, at least 1"),
        (lambda: c.hinton_cnn(channels=(2, 3, 4)), r"channels are \(2, 3, 4\).*needed: two convolutions"),
        (lambda: c.multimnist_cnn((1, 3, 9)), "the image 3x9; needed: two convolutions, and 4x4 pixels or more"),
        (lambda: c.sabour_cnn((28, 28)), r"image_shape is \(28, 28\); needed: \(channels, height, width\)"),
        (lambda: c.sabour_cnn(classes=0), "classes is 0"),
        (lambda: c.sabour_cnn(channels=()), "channels is empty"),
        (lambda: c.sabour_cnn(widths=(0,)), r"widths\[0\] is 0"),
        (lambda: c.sabour_cnn(channels=8), "channels is 8; needed: several integers"),
        (lambda: c.sabour_cnn(widths=None), "widths is None; needed: several integers"),
        (lambda: c.Reconstruction(3, 4, (1, 2, 2), widths=8), "widths is 8; needed: several integers"),
        (lambda: c.Reconstruction(3, 4, None), "image_shape is None; needed: several integers"),
        (lambda: c.MatrixCapsuleNetwork(types=32), "types is 32; needed: several integers"),
        (lambda: c.MatrixCapsuleNetwork(types=(-1, 2, 2)), r"types\[0\] is -1"),
        (lambda: c.MatrixCapsuleNetwork(types=(4.0, 2, 2)), r"types\[0\] is 4.0"),
        (lambda: c.MatrixCapsuleNetwork(strides=2), "strides is 2; needed: several integers"),
        (lambda: c.MatrixCapsuleNetwork(first_kernel=-1), "the kernel over the grid below a layer is -1"),
        (lambda: c.CapsuleNetwork(hidden=5), "hidden is 5; needed"),
        (lambda: c.CapsuleNetwork(hidden=[(16, 8, 4)]), r"hidden is \[\(16, 8, 4\)\]; needed"),
        (lambda: c.MatrixPrimary(2, 3, offset=NAN), "offset is nan; needed: a finite number"),
        (lambda: c.InvertedDotProduct(6, 4, 3, 1), "out_dim is 1, and a LayerNorm of one number is its shift"),
        (lambda: c.ConvMatrixCapsules(2, 3, children_per_parent=INF), "children_per_parent is inf; needed: a finite"),
        (lambda: c.ConvMatrixCapsules(2, 3, children_per_parent="all"), "children_per_parent is 'all'; needed: a fin"),
        (lambda: c.perturb(torch.nn.Linear(2, 2), torch.zeros(1, 1, 2, 2)), "this network has no decoder"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_layers_take_wider_images_than_their_weights():
    for layer in (c.PrimaryCapsules(1, 2, 3, kernel_size=3), c.MatrixPrimary(1, 2)):
        x = torch.rand(1, 1, 5, 5)
        given, wide = layer(x), layer(x.double())
        torch.testing.assert_close(wide, given)
    v = torch.rand(1, 3, 4)
    torch.testing.assert_close(DRAWING.decoder(v.double()), DRAWING.decoder(v))


def test_a_schedule_is_a_number_of_any_kind():
    import numpy as np

    every = [c.em_routing(VOTES, A, 0.7, -1.0, schedule=s)[1] for s in (0.01, np.float32(0.01), np.array(0.01))]
    torch.testing.assert_close(every[1:], [every[0]] * 2)
    given = c.em_routing(VOTES, A, 0.7, -1.0, schedule=np.array([0.0005, 0.000975, 0.00142625]))[1]
    torch.testing.assert_close(given, every[0])


def test_a_bar_of_ink_has_the_width_that_is_stated():
    for w in (1, 2, 5, 50):
        bar = torch.zeros(3, 60)
        bar[:, 4 : 4 + w] = 0.5
        assert abs(c.ink_width(bar.numpy()) - (4 / 3 * (w**2 - 1)) ** 0.5) < 1e-9


def test_the_layers_say_shared_as_it_is_asked_for():
    assert "shared=True" in repr(c.Capsules(4, 4, 3, 5, shared=True))
