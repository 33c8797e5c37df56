"""Samples of loaders: paired with the targets that are theirs, and no more of them drawn than asked for."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler, TensorDataset

from deeptheory.core.errors import InputError
from deeptheory.inspection.sampling import sampled

MODEL = nn.Linear(2, 2)
X, Y = torch.arange(40.0).view(20, 2), torch.arange(20)


@pytest.mark.parametrize("first", [None, 8])
def test_targets_next_to_a_loader_that_shuffles_are_refused(first):
    """They were paired with the samples in the order in which these happened to come."""
    bare = TensorDataset(X)
    mixed = BatchSampler(RandomSampler(bare), 4, False)
    for loader in (DataLoader(bare, batch_size=4, shuffle=True), DataLoader(bare, batch_sampler=mixed)):
        with pytest.raises(InputError, match="the loader shuffles"):
            sampled(loader, Y, first, 0, MODEL)
    x, y, _ = sampled(DataLoader(TensorDataset(X, Y), batch_size=4, shuffle=True), None, first, 0, MODEL)
    assert (x[:, 0] == 2 * y).all()
    x, y, _ = sampled(DataLoader(bare, batch_size=4), Y, first, 0, MODEL)
    assert (x[:, 0] == 2 * y).all()


@pytest.mark.parametrize("targets", [Y[:3], Y[:19], torch.tensor(1), 1, [1, 2, 3]])
def test_targets_of_another_length_are_told(targets):
    with pytest.raises(InputError, match="one each is needed"):
        sampled(DataLoader(TensorDataset(X), batch_size=4), targets, 30, 0, MODEL)


class Counted(Dataset):
    """Counts the samples that are asked for."""

    def __init__(self, form):
        self.form, self.drawn = form, 0

    def __len__(self):
        return 5000

    def __getitem__(self, index):
        self.drawn += 1
        x = torch.tensor([float(index), 0.0])
        return {"x": x, "y": index} if self.form == "dict" else (x, index)


@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_a_batch_sampler_is_asked_for_the_batches_that_are_needed(form):
    """Of a loader without a batch size as many batches were drawn as samples were asked for."""
    data = Counted(form)
    loader = DataLoader(data, batch_sampler=BatchSampler(SequentialSampler(data), 50, False))
    x, y, said = sampled(loader, None, 60, 0, MODEL)
    x = x["x"] if isinstance(x, dict) else x
    assert np.asarray(y).tolist() == x[:, 0].tolist() == list(range(60))
    assert data.drawn == 100
    assert said == "the first 60 of the loader"
