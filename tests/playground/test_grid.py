"""The grid: what is planned, by which names, and that its protocol is that of the study."""

import pytest

from deeptheory.core.errors import InputError
from deeptheory.playground.grid import CHOICES, PROTOCOL, READOUTS, WIDTHS, Setting, grid
from deeptheory.studies.shwartz_ziv_tishby_2017 import PROTOCOLS, SCALES


def test_the_protocol_is_that_of_the_study_but_for_what_it_says():
    code = PROTOCOLS["code"]
    assert list(WIDTHS) == code["widths"]
    same = ("init", "optimizer", "lr", "batch", "reshuffle")
    assert {k: PROTOCOL[k] for k in same} == {k: code[k] for k in same}
    assert PROTOCOL["epochs"] == SCALES["paper"].settings["epochs"]
    assert PROTOCOL["networks"] >= 4


def test_no_setting_twice_and_the_first_is_the_one_that_the_page_opens_with():
    planned = grid()
    assert planned[0] == Setting()
    assert len({s.key for s in planned}) == len(planned) == 72
    for name, values in CHOICES.items():
        assert {getattr(s, name) for s in planned} == set(values), name


def test_what_would_say_nothing_is_not_planned():
    """5 % of 4096 patterns are one batch of at most 512."""
    assert PROTOCOL["batch"] >= 0.05 * 4096
    assert not [s for s in grid() if s.share == 5 and s.batch == "mini"]
    assert not [s for s in grid() if s.share != 85 and s.depth != 5]


@pytest.mark.parametrize(("depth", "widths"), [(1, (12, 10, 2)), (3, (12, 10, 7, 5, 2)), (5, WIDTHS)])
def test_depth_is_the_number_of_hidden_layers(depth, widths):
    assert Setting(depth=depth).widths == widths


def test_readouts_are_those_of_the_issue():
    assert [r for r in READOUTS if r.startswith("bins")] == [
        f"bins-{n}-{b}" for b in ("run", "layer") for n in (10, 30, 100)
    ]
    assert len([r for r in READOUTS if r.startswith("noise")]) == 3
    assert READOUTS[-1] == "exact"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"batch": "minibatch"}, "batch is 'minibatch'; known: mini, full"),
        ({"labels": "random"}, "labels is 'random'; known: true, permuted"),
        ({"depth": 6}, "depth is 6; known: 1, 2, 3, 4, 5"),
        ({"share": 0}, "share is 0"),
        ({"share": 0.85}, "share is 0.85"),
        ({"share": 101}, "share is 101; it is in per cent"),
    ],
)
def test_another_setting_is_refused(change, match):
    """Whatever is not "permuted" would else be trained on the true labels, under another name."""
    with pytest.raises(InputError, match=match):
        Setting(**change)
