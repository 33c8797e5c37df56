"""The linear teacher: its error formula against fresh samples, its scales against their definition."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError


def test_the_error_of_a_student_is_what_fresh_samples_show():
    data = dt.datasets.student_teacher(200_000, 10, 2, snr=2.0, seed=3)
    student = data.teacher + np.random.default_rng(0).standard_normal((2, 10))
    seen = ((data.y - (data.x @ student.T + [0.1, -0.2])) ** 2).sum(1).mean()
    assert data.error(student, [0.1, -0.2]) == pytest.approx(seen, rel=0.01)
    assert data.error(data.teacher) == pytest.approx(2 * 0.5)  # the noise remains
    assert data.error(np.stack([student, data.teacher]), 0.0).shape == (2,)


@pytest.mark.parametrize("relevant", [None, 3])
def test_scales(relevant):
    signal = [
        dt.datasets.student_teacher(5, 10, snr=4.0, relevant=relevant, seed=s).table()["signal"][0] for s in range(4000)
    ]
    assert np.mean(signal) == pytest.approx(1, abs=0.05)
    data = dt.datasets.student_teacher(100_000, 10, snr=4.0, relevant=relevant)
    assert data.label_noise == 0.5
    assert data.x.var() * 10 == pytest.approx(1, abs=0.02)
    assert (data.teacher[:, data.relevant :] == 0).all()
    assert (data.y - data.x @ data.teacher.T).var() == pytest.approx(0.25, rel=0.02)
    assert repr(data).startswith(f"StudentTeacher(100000 samples, 10 inputs, {data.relevant} of them relevant")


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"n": 0}, "n is 0"),
        ({"n": 5, "relevant": 0}, "relevant is 0; needed"),
        ({"n": 5, "relevant": 101}, "relevant is 101 of 100"),
        ({"n": 5, "snr": 0}, "snr is 0"),
    ],
)
def test_wrong_use(kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.datasets.student_teacher(**kwargs)
