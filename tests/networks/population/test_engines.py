"""A first call that compiles for half a minute says so, and no other call does."""

import threading
from types import SimpleNamespace

import pytest

from deeptheory.networks.population import engines


@pytest.mark.parametrize(
    ("signatures", "silence", "said"),
    [([], 0.0, True), ([], 60.0, False), (["compiled"], 0.0, False)],
)
def test_compiling_is_said_while_it_lasts(monkeypatch, caplog, signatures, silence, said):
    """The first fit compiled for 21 s in silence."""
    monkeypatch.setattr(engines, "_SILENCE", silence)
    before = set(threading.enumerate())
    with caplog.at_level("WARNING", logger="deeptheory"), engines._announced(SimpleNamespace(signatures=signatures)):
        for thread in set(threading.enumerate()) - before:
            if silence == 0:
                thread.join(10)
    assert ("compiling the training step" in caplog.text) == said


def test_a_call_that_fails_leaves_no_timer(monkeypatch):
    monkeypatch.setattr(engines, "_SILENCE", 60.0)
    before = threading.active_count()
    with pytest.raises(ValueError, match="broken"), engines._announced(SimpleNamespace(signatures=[])):
        raise ValueError("broken")
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(5)
    assert threading.active_count() <= before
