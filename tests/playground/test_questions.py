"""Answers are worked out: on planes made to say the opposite a question gives the other word and the other number."""

import numpy as np
import pytest

from deeptheory.information import fall
from deeptheory.playground.grid import READOUTS, Setting
from deeptheory.playground.packing import unpack
from deeptheory.playground.page import packed_planes, tables
from deeptheory.playground.questions import QUESTIONS, answers, asked_for, compresses

TABLES = tables()
_, SHIPPED = unpack(packed_planes())


def planes_of(lost, layers=6, networks=4, epochs=5):
    """Planes in which I(X;T) of every layer decreases by `lost` bits, by as much in each network but for 0.01."""
    path = np.linspace(8, 8 - lost, epochs) + 0.01 * np.arange(networks)[:, None, None] * np.linspace(1, 0, epochs)
    i_x = np.repeat(path, layers, axis=1)
    plane = {"i_x": i_x, "i_y": i_x / 12, "floor": i_x[0] / 24}
    accuracy = np.full((networks, epochs), 0.5) + 1e-3 * np.arange(networks)[:, None]
    both = dict.fromkeys(("train_accuracy", "test_accuracy"), accuracy)
    return {s.key: dict.fromkeys(READOUTS, plane) | both for s in asked_for()}


def said(planes, text):
    (answer,) = (a["answer"] for a in answers(planes, TABLES) if a["text"] == text)
    return answer


@pytest.mark.parametrize(("lost", "word"), [(3, "Yes"), (0.1, "No"), (0.5, "Undecided")])
def test_the_word_follows_the_interval(lost, word):
    planes = planes_of(lost)
    for question in QUESTIONS[:1] + QUESTIONS[2:5]:
        assert question.answer(planes, TABLES).startswith(f"{word}. ")
    assert said(planes, "And under 10 or 100 bins?").startswith(f"Under 100 bins: {word}. ")
    if word != "Undecided":
        assert said(planes, "Without the noise of minibatches?").startswith(f"{word}. ")


def test_numbers_are_those_of_the_planes():
    values = fall(SHIPPED[Setting().key]["bins-30-run"]["i_x"][:, -2], axis=1)
    assert f"{values.mean():.3g} bits [" in compresses(Setting(), "bins-30-run")(SHIPPED, TABLES)


def test_less_or_more_without_minibatch_noise_is_computed():
    few, many = planes_of(1), planes_of(4)
    full, mini = Setting(batch="full").key, Setting().key
    text = "Without the noise of minibatches?"
    assert ": less, by −3 bits" in said({**few, mini: many[mini]}, text)
    assert ": more, by 3 bits" in said({**few, full: many[full]}, text)
    assert "about as much" in said(few, text)


def test_a_plane_that_is_missing_is_said_so():
    planes = planes_of(1)
    del planes[Setting("relu").key]
    assert said(planes, "With ReLU units and 100 bins?") == "Not measured in this file (relu-mini-85-true-5)."
    assert all(a["answer"].startswith("Not measured") for a in answers({}, TABLES) if a["tab"] == "plane")


def test_each_question_has_its_planes_shipped_and_its_verdicts():
    assert {s.key for s in asked_for()} <= SHIPPED.keys()
    for row in answers(SHIPPED, TABLES):
        assert not row["answer"].startswith("Not measured")
        assert all(c["verdict"] for c in row["claims"])
    assert {a["tab"] for a in answers(SHIPPED, TABLES)} == {"plane", "neuron", "gate"}


def test_the_first_layers_label_is_that_of_its_floor_or_not():
    text, key = "Does I(T;Y) tell what the first layer has learned?", Setting().key
    planes = planes_of(1)
    assert said(planes, text).startswith("Yes")  # i_y is twice its floor
    level = planes[key]["bins-30-run"] | {"floor": planes[key]["bins-30-run"]["i_y"].mean(0)}
    assert said({**planes, key: planes[key] | {"bins-30-run": level}}, text).startswith("No")
