"""Streams of discrete readouts, called by hand: batches that do not fit, buffers that are filled again."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError

READOUTS = [dt.Binning(4, (-9, 9)), dt.information.Exact(), dt.information.Quantized(3, (-9.0, 9.0))]
RANGED = [dt.Binning(4, "layer"), dt.Binning(4, "unit"), dt.information.Quantized(3)]
ROWS = np.random.default_rng(0).normal(size=(1, 40, 2))


@pytest.mark.parametrize("readout", READOUTS, ids=repr)
def test_a_buffer_of_labels_may_be_filled_again(readout):
    labels, buffer = np.arange(40) // 20, np.empty(10, dtype=int)
    stream = readout.start("layer")
    for k in range(0, 40, 10):
        buffer[:] = labels[k : k + 10]
        stream.update(ROWS[:, k : k + 10], buffer)
    assert stream.result()["i_y"] == readout.summarize(ROWS, labels)["i_y"]


@pytest.mark.parametrize("readout", READOUTS, ids=repr)
def test_targets_of_another_number_are_refused_batch_by_batch(readout):
    """3 samples with 2 labels, then 2 with 3: the totals agree, the pairs do not."""
    stream = readout.start("layer")
    with pytest.raises(InputError, match="activations 3 samples"):
        stream.update(ROWS[:, :3], np.array([0, 1]))
    with pytest.raises(InputError, match="targets are missing"):
        stream.update(ROWS[:, :3], None)


@pytest.mark.parametrize("readout", READOUTS, ids=repr)
def test_a_stream_without_a_batch_has_no_result(readout):
    with pytest.raises(InputError, match="no batch"):
        readout.start("layer").result()


@pytest.mark.parametrize("readout", RANGED, ids=repr)
def test_a_range_has_to_be_looked_at_first(readout):
    stream = readout.start("layer")
    with pytest.raises(InputError, match="look"):
        stream.update(ROWS, np.arange(40) % 2)
    stream.look(ROWS)
    with pytest.raises(InputError, match="units"):
        stream.look(ROWS[..., :1].repeat(3, axis=2)[:, :, :3].repeat(2, axis=0))


def test_values_outside_of_the_range_seen_are_refused():
    stream = dt.Binning(4, "layer").start("layer")
    stream.look(ROWS)
    with pytest.raises(InputError, match="look"):
        stream.update(ROWS * 2, np.arange(40) % 2)


@pytest.mark.parametrize("readout", READOUTS, ids=repr)
def test_targets_that_cannot_change_are_not_copied(readout):
    """Each stream of a recording held a copy of all targets."""
    targets = np.eye(5)[np.arange(40) % 5]
    stream = readout.start("layer")
    stream.update(ROWS, targets)
    assert not np.shares_memory(stream._targets[0], targets)
    targets.flags.writeable = False
    stream.update(ROWS, targets)
    assert np.shares_memory(stream._targets[1], targets)
