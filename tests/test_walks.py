"""The two walks of CONTRIBUTING: from an activation to its plane, from responses to their verdict, without going back.

Calls from file to file are watched while they happen. Two files that call each other are a back and forth, and somebody
who reads one must read the other.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import deeptheory as dt

SOURCE = Path(dt.__file__).parent
RNG = np.random.default_rng(0)


def calls(run: Callable[[], object]) -> set[tuple[str, str]]:
    """(file, file) of every call from one file of the package to another."""
    found: set[tuple[str, str]] = set()
    root = f"{SOURCE}/"

    def watch(frame, event, _):
        inside, caller = frame.f_code, frame.f_back
        if event != "call" or not inside.co_filename.startswith(root) or inside.co_name == "<module>":
            return
        while caller is not None and not caller.f_code.co_filename.startswith(root):
            caller = caller.f_back  # through torch or numpy
        if caller is not None and caller.f_code.co_name != "<module>":
            found.add((caller.f_code.co_filename.removeprefix(root), inside.co_filename.removeprefix(root)))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(before)
    return {(a, b) for a, b in found if a != b}


def back_and_forth(found: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(a, b) for a, b in found if (b, a) in found and a < b}


def activations_to_plane() -> None:
    x = RNG.normal(size=(40, 5)).astype(np.float32)
    model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    recorder = dt.Recorder(model, x, (x[:, 0] > 0).astype(int), readouts=dt.Binning(10, "layer"))
    recorder.snapshot(0)
    recorder.snapshot(1)
    dt.information_plane(recorder.recording, dt.Binning(10, "layer")).figure()


def responses_to_verdict() -> None:
    code = dt.axis_code(RNG.normal(size=(80, 2)), RNG.normal(size=(80, 3)), permutations=10, folds=4)
    assert len(code.verdict) == 2
    code.table()
    code.figure("ramp")


def walk(first: str) -> list[str]:
    """The files that CONTRIBUTING names in the paragraph that begins so."""
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    paragraph = next(p for p in text.split("\n\n") if p.startswith(first))
    return [f for f in re.findall(r"`([\w/*]+\.py)`", paragraph) if "*" not in f]


def test_the_walk_of_an_activation_does_not_go_back():
    activations_to_plane()  # what is imported late is imported now
    found = calls(activations_to_plane)
    assert back_and_forth(found) == {
        ("information/drawing.py", "information/plane.py"),  # a figure reads its result's properties
        ("information/readouts/binning.py", "information/readouts/keys.py"),  # a stream and the class it derives from
        ("recording/probe.py", "recording/recorder.py"),  # what each batch is handed to
        ("recording/probe.py", "recording/sites.py"),  # a hook pushes: what each activation is handed to
    }
    reached = {file for pair in found for file in pair}
    named = walk("An activation:")
    assert len(named) > 8
    assert [f for f in named if not (SOURCE / f).is_file()] == []
    assert set(named) - reached == {
        "recording/steps.py",
        "runs/figures.py",
        "report/page.py",
    }  # with a folder; the page


def test_the_walk_of_responses_does_not_go_back():
    responses_to_verdict()
    found = calls(responses_to_verdict)
    assert back_and_forth(found) == set()
    reached = {file for pair in found for file in pair}
    named = walk("A response:")
    assert len(named) > 10
    assert [f for f in named if not (SOURCE / f).is_file()] == []
    assert set(named) - reached == {"inspection/axis_page.py", "report/page.py"}


def test_a_back_and_forth_is_seen():
    assert back_and_forth({("a", "b"), ("b", "a"), ("b", "c")}) == {("a", "b")}
