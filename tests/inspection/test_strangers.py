"""Models and probes that nobody here made: every architecture unchanged, and what is handed in to make an inspection
silently wrong."""

import json

import pytest
import torch
from torch import nn

import deeptheory as dt
from architectures.models import ZOO
from deeptheory.core.errors import InputError


def capsules():
    return dt.capsules.CapsuleNetwork(
        image_shape=(1, 20, 20), classes=3, channels=8, primary=dt.capsules.Primary(4), reconstruction=False
    ), torch.randn(6, 1, 20, 20)


def matrix_capsules():
    return dt.capsules.MatrixCapsuleNetwork(image_shape=(1, 20, 20), classes=3, types=(4, 2, 2, 2)), torch.randn(
        6, 1, 20, 20
    )


ALL = {**ZOO, "capsules": capsules, "matrix capsules": matrix_capsules}
QUICK = {"MLP", "GRU", "PINN", "experts", ".pt2"}
FEW = {"twins": 2, "permutations": 2, "progress": False}


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in ALL])
def test_an_architecture_is_inspected_unchanged(name):
    """Whatever dt.layers keeps is measured, and each number is finite or says why not, with its controls beside it."""
    torch.manual_seed(0)
    model, x = ALL[name]()
    n = 6 if name == ".pt2" else 12  # exported for one number of samples
    x = torch.randn(n, *x.shape[1:]) if x.is_floating_point() else torch.randint(0, 20, (n, *x.shape[1:]))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    found = dt.inspect(model, x, torch.arange(n) % 3, **FEW)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    kept = {row["name"] for row in found.layers if row["kept"]}
    names = [m["name"] for m in found.measured]
    assert len(names) == len(set(names))
    assert kept <= set(names)
    assert {n.removesuffix("[CLS]").removesuffix("[last]") for n in names} - kept <= {"input"} | {
        m["name"] for m in found.measured if m["role"] == "head input"
    }
    assert found.refused == {}
    for result in found.results.values():
        assert result.rows
        for row in result.rows:
            assert row.note or row.value == row.value  # a NaN is not itself
            assert len(row.twins) == (2 if result.instrument.twins else 0)
    accuracy = found.results["class_geometry"].of("linear")
    assert all(len(r.permuted) == 2 for r in accuracy if r.value == r.value)
    json.dumps(found.document(), allow_nan=False)


def small(*middle, out=3):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 12), nn.ReLU(), *middle, nn.Linear(12, out))


def data(n=40):
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(1)), torch.arange(n) % 3


class Named(nn.Module):
    """A network whose modules have the names that an inspection gives."""

    def __init__(self, *names):
        super().__init__()
        made = [nn.ReLU(), nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)]
        for name, module in zip(names, made, strict=True):
            self.add_module(name, module)

    def forward(self, x):
        for module in self.children():
            x = module(x)
        return x


def test_modules_called_input_and_output_are_layers_of_their_own():
    x, y = data()
    one, other = Named("input", "fc", "output", "head"), Named("a", "b", "c", "d")
    other.load_state_dict(dict(zip(other.state_dict(), one.state_dict().values(), strict=True)))
    found, plain = (dt.inspect(m, x, y, instruments=["health", "class_geometry"], **FEW) for m in (one, other))
    assert [m["name"] for m in found.measured] == ["model input", "input", "self.output", "output"]
    assert found.measured[0]["role"] == "input"
    for name, same in (("input", "a"), ("self.output", "c"), ("output", "output")):
        assert found.results["health"].at(name, "rank").value == plain.results["health"].at(same, "rank").value
    first = found.results["class_geometry"].at("model input", "linear")
    assert first.value == plain.results["class_geometry"].at("input", "linear").value
    assert first.of_input


def test_names_of_markup_and_of_other_scripts_stay_text(tmp_path):
    x, y = data()
    names = ("<script>alert(1)</script>", "a'b\"&amp;", "Ünï</td>日本", "*")
    found = dt.inspect(Named(*names), x, y, instruments="health", out=tmp_path, **FEW)
    assert [m["name"] for m in found.measured][1:] == [names[0], names[2], "output"]
    page = (tmp_path / "report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_model_that_draws_gives_the_same_twice_and_says_so():
    class Draws(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x):
            return self.b(torch.relu(torch.dropout(self.a(x), 0.5, True)))

    torch.manual_seed(0)
    model, (x, y) = Draws(), data()
    first = dt.inspect(model, x, y, instruments="health", **FEW)
    torch.manual_seed(99)
    second = dt.inspect(model, x, y, instruments="health", **FEW)
    assert first.table().equals(second.table())
    assert any("draws random numbers" in note for note in first.notes)
    assert not any(
        "draws random numbers" in note for note in dt.inspect(small(), x, y, instruments="health", **FEW).notes
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_rank_of_half_precision_is_that_of_float32(dtype):
    x, y = data()
    full = dt.inspect(small(), x, y, instruments="health", **FEW).results["health"]
    half = dt.inspect(small().to(dtype), x.to(dtype), y, instruments="health", **FEW).results["health"]
    for layer in ("1", "output"):
        assert half.at(layer, "rank").value == pytest.approx(full.at(layer, "rank").value, rel=0.02)
    still = (1 + torch.finfo(dtype).eps * (torch.arange(40)[:, None] % 2)).repeat(1, 6).to(dtype)
    assert dt.inspect(small().to(dtype), still, y, instruments="health", **FEW).results["health"].at("1", "rank").note


def test_sizes_have_no_negative_end_and_fractions_none_above_one():
    found = dt.inspect(small(), *data(2), instruments=["propagation"], **FEW).results["propagation"]
    assert found.at("", "largest").low == 0.0
    x, y = data(200)
    r2 = dt.inspect(small(out=2), x, y, instruments="cheapness", **FEW).results["cheapness"].of("degree_2")
    assert all(r.high <= 1 for r in r2)
    assert any(r.high == 1 for r in r2)


def test_a_sentence_on_bits_is_about_more_than_permuted_labels_give():
    """Two samples of each of 20 classes: permuted labels have as many bits as true ones, or more."""
    x, _ = data(40)
    found = dt.inspect(
        small(), x, torch.arange(40) // 2, instruments="information", twins=1, permutations=5, progress=False
    )
    for _, sentence in found.findings(9):
        if sentence.quantity == "noise_i_y":
            row = found.results["information"].at(sentence.layer, "noise_i_y")
            assert row.value > max(row.permuted)


def test_what_has_no_values_or_no_rows_is_refused():
    x, y = data()
    with pytest.raises(InputError, match="not dense \\(sparse_coo\\).*to_dense"):
        dt.inspect(small(), x.to_sparse(), y)
    with pytest.raises(InputError, match="not dense \\(nested\\).*pad it"):
        dt.inspect(small(), torch.nested.nested_tensor([x[:3], x[3:9]], layout=torch.jagged), [0, 1])
    with pytest.raises(InputError, match="0.weight is on the meta device"):
        dt.inspect(small().to("meta"), x, y)


def test_a_forward_pass_that_fails_says_for_which_samples():
    class Fails(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = small()

        def forward(self, x):
            if bool((x > 50).any()):
                raise ValueError("not this one")
            return self.inner(x)

    x, y = data()
    x[25, 0] = 99.0
    with pytest.raises(ValueError, match="not this one") as error:
        dt.inspect(Fails(), x, y, instruments="health", batch=10, **FEW)
    assert "samples 20 to 29" in error.value.__notes__[-1]


def test_no_outputs_and_complex_inputs_have_no_jacobian():
    class Empty(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = small()

        def forward(self, x):
            return self.inner(x)[:, :0]

    x, y = data()
    found = dt.inspect(Empty(), x, y, instruments="propagation", **FEW).results["propagation"]
    assert "or an empty one" in found.at("", "largest").note

    class Complex(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 4, dtype=torch.complex64), nn.Linear(4, 3)

        def forward(self, x):
            return self.b(torch.relu(self.a(x).abs()))

    found = dt.inspect(Complex(), torch.complex(x, x), y, instruments=["propagation", "cheapness"], **FEW).results
    assert "or complex" in found["propagation"].at("", "largest").note
    assert "or complex" in found["cheapness"].at("relu", "degree_1").note


def test_a_decoder_that_untrained_twins_match_is_no_merit_of_training():
    x, _ = data(400)
    y = (x[:, 0] * x[:, 1] > 0).long()  # not read from the inputs, and from random units to some degree
    found = dt.inspect(small(), x, y, instruments="class_geometry", **FEW)
    said = next(f.text for _, f in found.findings(9) if f.quantity == "linear")
    best = max(found.results["class_geometry"].of("linear"), key=lambda r: r.value)
    assert best.label in said
    assert best.beyond_permuted
    assert best.beyond_twins is False
    assert "the range of the twins (untrained) reaches into the interval" in said
    trained = small()
    optimizer = torch.optim.Adam(trained.parameters(), 1e-2)
    far = torch.randn(400, 6, generator=torch.Generator().manual_seed(2))
    ring = (far.square().sum(1) > 5.35).long()  # half of them; a random layer of 12 units says less of it
    for _ in range(300):
        optimizer.zero_grad()
        nn.functional.cross_entropy(trained(far), ring).backward()
        optimizer.step()
    found = dt.inspect(trained, far, ring, instruments="class_geometry", **FEW)
    assert found.results["class_geometry"].at("output", "linear").beyond_twins
    said = next(f.text for _, f in found.findings(9) if f.quantity == "linear")
    assert "reaches into the interval" not in said


def test_two_tensors_never_have_one_name():
    class Encoder(nn.Module):
        """A Sequential that ends in a tuple: its first tensor and its first child are both enc.0."""

        def __init__(self):
            super().__init__()
            self.enc, self.head = nn.Sequential(nn.Linear(4, 8), nn.GRU(8, 8, batch_first=True)), nn.Linear(8, 3)

        def forward(self, x):
            return self.head(self.enc(x)[0][:, -1])

    x = torch.randn(12, 5, 4)
    table = dt.layers(Encoder(), x).table()
    assert table.name.is_unique
    recorder = dt.Recorder(Encoder(), x, layers=["enc.0", "enc.1.0"])
    recorder.snapshot(0)
    assert not torch.equal(recorder.recording.activations("enc.0"), recorder.recording.activations("enc.1.0"))


def test_an_expert_that_three_samples_do_not_reach_is_said_to_be_of_three():
    torch.manual_seed(0)
    model, _ = ZOO["experts"]()
    found = dt.inspect(model, torch.randn(12, 6), None, instruments="health", **FEW)
    idle = [row["why"] for row in found.layers if row["name"].startswith("experts") and "not call" in row["why"]]
    assert all("of 3 samples does not call it" in why for why in idle)
    assert idle
