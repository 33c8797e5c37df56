"""What a user may change: read by kind, refused out of range, in words;
every study's own values are within its ranges."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.networks.population.initializers import INITIALIZERS as BEGUN_BY
from deeptheory.networks.population.optimizers import OPTIMIZERS as TRAINED_BY
from deeptheory.networks.population.population import ACTIVATIONS as KNOWN
from deeptheory.studies import STUDIES, Setting, find
from deeptheory.studies.chang_tsao_2017.layers import loaded
from deeptheory.studies.settings import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, WIDTHS


@pytest.mark.parametrize("name", STUDIES)
def test_every_value_of_a_study_is_one_that_its_settings_accept(name):
    study = find(name)
    for scale in study.scales:
        for protocol in study.protocols:
            values, _ = study.values(scale, protocol)
            assert study.count in values
            for key, setting in study.settings.items():
                assert setting.read(key, values[key]) == values[key], (scale, key)
                assert setting.about


def test_names_are_those_of_the_networks():
    assert set(ACTIVATIONS) <= set(KNOWN)
    assert set(OPTIMIZERS) == set(TRAINED_BY)
    assert set(INITIALIZERS) == set(BEGUN_BY)


COUNT = Setting("integer", "networks", least=1, most=10)
SHARE = Setting("number", "fraction", above=0, below=1)
NAME = Setting("text", "unit", choices=("tanh", "relu"))
FLAG = Setting("true or false", "shuffled")
BATCH = Setting("integer", "samples", least=1, words={"full": None, None: None})


@pytest.mark.parametrize(
    ("setting", "given", "found"),
    [
        (COUNT, "3", 3),
        (COUNT, " 3 ", 3),
        (COUNT, "1e1", 10),
        (COUNT, 2.0, 2),
        (SHARE, ".5", 0.5),
        (NAME, "relu", "relu"),
        (FLAG, "YES", True),
        (FLAG, 0, False),
        (FLAG, False, False),
        (BATCH, "Full", None),
        (BATCH, None, None),
        (WIDTHS, "12, 8,2", [12, 8, 2]),
        (WIDTHS, (12, 8.0, 2), [12, 8, 2]),
    ],
)
def test_values_are_read(setting, given, found):
    assert setting.read("it", given) == found
    assert type(setting.read("it", given)) is type(found)


@pytest.mark.parametrize(
    ("setting", "given", "match"),
    [
        (COUNT, 0, r"it is 0; needed: networks \(integer 1 to 10\)"),
        (COUNT, 11, "it is 11"),
        (COUNT, 1.5, "it is 1.5"),
        (COUNT, True, "it is True"),
        (COUNT, "nan", "it is 'nan'"),
        (COUNT, "1e400", "it is '1e400'"),
        (COUNT, "", "it is ''"),
        (COUNT, [3], r"it is \[3\]"),
        (SHARE, 0, r"it is 0.0; needed: fraction \(number above 0 and below 1\)"),
        (SHARE, 1, "it is 1.0"),
        (SHARE, "-inf", "it is '-inf'"),
        (NAME, "Relu", "unknown it 'Relu'; did you mean relu"),
        (NAME, 3, r"it is 3; needed: unit \(one of tanh, relu\)"),
        (FLAG, "perhaps", "needed: shuffled .true or false"),
        (FLAG, None, "it is None"),
        (BATCH, "all", r"integer 1 or more or full"),
        (WIDTHS, "12,2", "needed: 12 inputs, one hidden layer or more"),
        (WIDTHS, "12,8,3", "needed: 12 inputs"),
        (WIDTHS, "12,8,,2", "it is '12,8,,2'"),
        (WIDTHS, "12,0,2", r"it is \[12, 0, 2\]"),
        (WIDTHS, 12, "it is 12"),
    ],
)
def test_what_is_refused_says_what_is_needed(setting, given, match):
    with pytest.raises(InputError, match=match):
        setting.read("it", given)


def test_an_unknown_kind_of_setting():
    with pytest.raises(InputError, match="unknown kind of setting 'whole'"):
        Setting("whole", "networks")


@pytest.mark.parametrize("number", ["1703.00810", "arXiv:1703.00810", "arxiv 1703.00810v3", " 1703.00810 "])
def test_a_study_is_found_by_its_arxiv_number(number):
    assert find(number).name == "shwartz-ziv-tishby-2017"


@pytest.mark.parametrize("number", ["1703.0081", "1703.00811", "10.1016/j.cell.2017.05.011"])
def test_a_number_of_no_study(number):
    with pytest.raises(InputError, match="unknown"):
        find(number)


@pytest.mark.parametrize(
    ("study", "changes", "match"),
    [
        ("1703.00810", {"picture_samples": 120}, "picture_samples is 120"),  # ran every step, and failed after
        ("saxe-2018", {"noise_inputs": 5000}, "noise_inputs is 5000"),
        ("sabour-2017", {"source": "mnist"}, "unknown source 'mnist'"),
        ("hinton-2018", {"types": "16"}, r"types is \[16\]"),
        ("lin-tegmark-rolnick-2017", {"couplings": "1,2"}, "couplings is"),
        ("goldfeld-2019", {"bits": 17}, "bits is 17"),
        ("chang-tsao-2017", {"normalize": "all"}, "unknown normalize 'all'"),
        ("rolnick-tegmark-2018", {"networks": 10_001}, "networks is 10001"),
        ("rolnick-tegmark-2018", {"depths": "1,1"}, r"depths is \[1, 1\]; needed: .* each another"),  # two units alike
        ("rolnick-tegmark-2018", {"widths": "8,2,8"}, r"widths is \[8, 2, 8\]; needed: .* each another"),
        ("rolnick-tegmark-2018", {"n": 3000}, "n is 3000"),
        ("lin-tegmark-rolnick-2017", {"seeds": 1800}, "seeds is 1800"),  # more parts than images
        ("lin-tegmark-rolnick-2017", {"k_max": 1e-6}, "0 modes lie within k_max"),
        ("lin-tegmark-rolnick-2017", {"couplings": "1e300,1e300,1e300"}, "a field has the mean power"),
        ("saxe-2018", {"bins": 1_000_000}, "bins is 1000000"),  # cells that no memory holds
        ("saxe-2018", {"noise_inputs": 2}, "noise_inputs is 2"),  # one bit at most: a readout that sees no decrease
        ("saxe-2018", {"seed": 10**15}, "needed: an integer from 0 to 922337203685476"),
    ],
)
def test_nothing_is_run_with_a_value_out_of_range(tmp_path, study, changes, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(study, out=tmp_path / "r", progress=False, **changes)
    assert not (tmp_path / "r").exists()


def test_settings_are_known_without_torch():
    code = (
        "import sys; from deeptheory.studies import STUDIES, find; [find(n).values('quick') for n in STUDIES]; "
        "find('1703.00810');print([m for m in ('torch', 'numba', 'pandas', 'scipy.stats', "
        "'plotly') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["sabour-2017", "hinton-2018", "chang-tsao-2017"])
def test_width_widens_every_network_of_a_study(name):
    """Four times the width: more than four times the weights, of capsules and of what they are compared with."""
    study = find(name)
    steps = study.part("steps")

    def weights(width):
        settings = study.values("quick", None, {"width": width})[0] | {"seed": 0}
        if name == "chang-tsao-2017":
            nets = [loaded(settings, 0)]
        elif name == "hinton-2018":
            data = xr.Dataset({"labels": ("n", np.arange(5))}).expand_dims(channel=1, y=24)
            nets = [steps._network(settings, data, cnn) for cnn in (False, True)]
        else:
            tasks = ("digits", "moved", "overlaid")
            nets = [make(settings, task) for make in (steps._capsules, steps._cnn) for task in tasks]
        return np.array([sum(p.numel() for p in net.parameters()) for net in nets])

    assert (weights("4") > 4 * weights("1")).all()
    assert (weights("0.25") < weights("1") / 4).all()
    assert study.values("quick", None, {"width": "2"})[1] == {}  # no publication states it: claims are decided
    with pytest.raises(InputError, match="width"):
        study.values("quick", None, {"width": "0"})


@pytest.mark.parametrize("name", ["sabour-2017", "hinton-2018"])
def test_a_width_counts_as_changed_where_it_is_published(name):
    """At the paper's scale a narrower network left verdicts of published claims."""
    study = find(name)
    assert study.values("paper", given={"width": 0.5})[1] == {"width": 0.5}
    assert study.values("paper", given={"width": 1.0})[1] == {}
    assert study.values("quick", given={"width": 0.5})[1] == {}
