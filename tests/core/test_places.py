"""Places on this machine and in an object store, by the same names; what is no place is refused."""

import importlib
import sys

import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError, MissingDependency, StoreError
from deeptheory.core.places import RemotePath, local_place, place
from deeptheory.core.storage import write_text


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("s3:/bucket/run", "lost a slash"),
        ("simplecache::memory://a", "two file systems"),
        ("s3://", "is no address; write s3://bucket/run"),
        ("://bucket", "is no address"),
    ],
)
def test_an_address_that_is_none_is_refused(given, match):
    with pytest.raises(InputError, match=match):
        place(given)


def test_an_unknown_protocol_and_a_store_that_refuses(monkeypatch):
    with pytest.raises(InputError, match="cannot be read as an address"):
        place("nosuch://bucket/run").exists()
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setattr(importlib.import_module("fsspec.registry"), "_registry", {})
    with pytest.raises(MissingDependency, match=r"deeptheory\[s3\]"):
        place("s3://bucket/run").exists()


def test_places_are_read_as_they_are_written(tmp_path):
    assert place(tmp_path) == place(str(tmp_path)) == place(f"file://{tmp_path}") == tmp_path
    there = place("S3://bucket//a/run/")
    assert there == RemotePath("s3://bucket/a/run") == place(there)
    assert (there.name, str(there.parent), str(there.parent.parent.parent)) == ("run", "s3://bucket/a", "s3://bucket")
    assert (there / "f.json").stem == "f"
    inside = place("memory://twins/a")
    write_text(inside / "a", "a file of its folder's name")
    assert list(inside.iterdir()) == [inside / "a"]
    (inside / "a").unlink()
    assert (there / "f.json").suffix == ".json"
    assert there.resolve() == there
    assert there.is_absolute()


def test_a_store_answers_as_a_folder_does():
    there = place("memory://places/a [x]*")  # no pattern
    assert (there.exists(), there.is_dir(), list(there.iterdir()), there.holding("x")) == (False, False, [], set())
    with pytest.raises(FileNotFoundError):
        (there / "x").read_text()
    with pytest.raises(FileNotFoundError):
        (there / "x").unlink()
    (there / "x").unlink(missing_ok=True)
    for name in ("u", "v"):
        write_text(there / name / "x", "π")
    write_text(there / "w" / "y", "")
    assert (there / "u" / "x").read_text() == "π"
    assert (there / "u").is_dir()
    assert not (there / "u").is_file()
    assert (there / "u" / "x").is_file()
    assert there.holding("x") == {"u", "v"}
    assert sorted(there.iterdir()) == [there / "u", there / "v", there / "w"]


def test_a_store_that_cannot_be_written_is_named(monkeypatch):
    import fsspec

    def refuse(*arguments, **options):
        raise PermissionError("read-only")

    monkeypatch.setattr(fsspec.get_filesystem_class("memory"), "pipe_file", refuse)
    with pytest.raises(StoreError, match=r"memory://places/b cannot be reached \(PermissionError: read-only\)"):
        place("memory://places/b").write_text("x")


def test_what_has_to_lie_here_says_so(tmp_path):
    assert local_place(str(tmp_path), "store") == tmp_path
    nets = dt.networks.Population.mlp([3, 2], seeds=[0])
    x, y = [[0.0, 1.0, 2.0], [1.0, 0.0, 2.0]], [0, 1]
    for name, call in {
        "store": lambda there: dt.Recorder(nets, x, y, store=there),
        "path": lambda there: dt.Recording.load(there),
        "weights": lambda there: dt.Recorder(nets, x, y, weights=there),
        "checkpoint": lambda there: dt.networks.fit(nets, x, y, epochs=1, checkpoint=there),
    }.items():
        with pytest.raises(InputError, match=f"{name} is memory://places/c; it has to lie on this machine"):
            call("memory://places/c")
