"""The cluster engine: the same bits as in this process, workers that die, runs that are taken over."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from deeptheory.core.errors import DeeptheoryError, InputError, MissingDependency
from deeptheory.runs import Run, Step, chunks, engines
from deeptheory.runs import work as at_work
from deeptheory.runs.lock import LOCK
from deeptheory.runs.work import Task, perform_anywhere
from oracles import steps as work

pytest.importorskip("distributed")


MARK = str(os.getpid())  # by which a lock of this process names it


def units(settings):
    return chunks(range(6), 2)


STEPS = [
    Step(name="draw", function=work.draw, units=units),
    Step(name="scaled", function=work.scaled, needs=("draw",)),
]


def run(folder, **settings):
    return Run(folder, study="s", scale="quick", seed=0, settings={"factor": 2.0, **settings}, command="go on")


def test_a_local_cluster_gives_the_same_bits_also_where_a_worker_dies(tmp_path, monkeypatch):
    """The unit that kills the first worker that it meets is done by another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poison").touch()
    steps = [Step(name="draw", function=work.poisoned, units=units), STEPS[1]]
    found = run("relative", poison=str(tmp_path / "poison")).execute(steps, engine="dask", jobs=2, progress=False)
    assert not (tmp_path / "poison").exists()
    same = run(tmp_path / "here").execute(STEPS, progress=False)
    assert all(found[name].identical(same[name]) for name in same)


def test_a_local_cluster_listens_on_this_machine_alone():
    """Scheduler, its HTTP server, nannies and workers."""
    import distributed
    import psutil

    with engines._client(distributed, 1, ""):
        here = psutil.Process()
        processes = [here, *here.children(recursive=True)]
        listening = [c.laddr.ip for p in processes for c in p.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert len(listening) >= 3
    assert set(listening) == {"127.0.0.1"}


def test_a_scheduler_is_found_by_its_address(tmp_path):
    import distributed

    options = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, **options) as there:
        found = run(tmp_path / "a").execute(STEPS, engine=f"dask:{there.scheduler_address}", progress=False)
        broken, other = [Step(name="draw", function=work.dividing, units=units)], run(tmp_path / "b")
        with pytest.raises(ZeroDivisionError):
            other.execute(broken, engine=f"dask:{there.scheduler_address}", progress=False)
    same = run(tmp_path / "here").execute(STEPS, progress=False)
    assert found["scaled"].identical(same["scaled"])


def test_what_is_done_needs_no_cluster(tmp_path, monkeypatch):
    run(tmp_path / "a").execute(STEPS, progress=False)
    monkeypatch.setattr(engines, "_client", lambda *a: pytest.fail("opened a cluster"))
    run(tmp_path / "a").execute(STEPS, engine="dask", progress=False)


@pytest.mark.parametrize(
    ("engine", "match"),
    [
        ("dask:tcp://127.0.0.1:9", "no Dask scheduler answers at 'tcp://127.0.0.1:9'"),
        ("dask:nowhere at all", "an address looks like tcp://host:8786"),
        ("serial:tcp://127.0.0.1:9", "only dask and ray take an address"),
        ("dusk", "did you mean dask"),
    ],
)
def test_an_engine_that_is_not_there_is_named(tmp_path, monkeypatch, engine, match):
    monkeypatch.setattr(engines, "_PATIENCE", 1)
    with pytest.raises(InputError, match=match):
        run(tmp_path / "a").execute(STEPS, engine=engine, progress=False)


def test_without_dask_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(MissingDependency, match=r"deeptheory\[cluster\]"):
        run(tmp_path / "a").execute(STEPS, engine="dask", progress=False)


def _task(folder, function):
    step = Step(name="draw", function=function, units=units)
    part, unit = next(iter(step.parts({}).items()))
    settings = {"factor": 2.0, "seed": 0, "lock": str(folder / LOCK)}
    return Task(folder=folder, mark=MARK, step=step, part=part, unit=unit, settings=settings, needed={}, threads=1)


def test_a_worker_whose_run_is_not_there_any_more_gives_up(tmp_path, monkeypatch):
    """Before its unit, and in the middle of it; nothing is written then."""
    monkeypatch.setattr(at_work, "_LOOK_EVERY", 0.0)
    (tmp_path / LOCK).write_text("1")
    with pytest.raises(DeeptheoryError, match="belongs to another run"):
        perform_anywhere(_task(tmp_path, work.draw))
    (tmp_path / LOCK).write_text(MARK)
    with pytest.raises(DeeptheoryError, match="belongs to another run"):
        perform_anywhere(_task(tmp_path, work.taken_over))
    assert not list((tmp_path / "steps" / "draw").glob("[!.]*"))
    (tmp_path / LOCK).write_text(MARK)
    assert perform_anywhere(_task(tmp_path, work.draw)) >= 0  # and the process is free for the next
    assert list((tmp_path / "steps" / "draw").glob("[!.]*"))


# Ray's workers import what this process finds on its path, which is not this file
RAY = [replace(STEPS[0], units=work.pairs), STEPS[1]]
TESTS = str(Path(__file__).parents[1])


@pytest.fixture
def ray():
    library = pytest.importorskip("ray")
    yield library
    library.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of ray's own
def test_ray_gives_the_same_bits_also_where_a_worker_dies(tmp_path, monkeypatch, ray):
    """On a Ray of its own, which ends with the run; what a unit raises comes back as it was raised."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "poison").touch()
    steps = [Step(name="draw", function=work.poisoned, units=work.pairs), RAY[1]]
    found = run("relative", poison=str(tmp_path / "poison")).execute(steps, engine="ray", jobs=2, progress=False)
    assert not (tmp_path / "poison").exists()
    assert not ray.is_initialized()
    same = run(tmp_path / "here").execute(RAY, progress=False)
    assert all(found[name].identical(same[name]) for name in same)
    monkeypatch.setenv("PYTHONPATH", TESTS)  # workers of a Ray that is not ours find what its environment names
    ray.init(address="local", num_cpus=1, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    broken = [Step(name="draw", function=work.dividing, units=work.pairs)]
    with pytest.raises(ZeroDivisionError):
        run(tmp_path / "b").execute(broken, engine="ray", progress=False)
    deadly = [Step(name="draw", function=work.killed, units=work.pairs)]
    with pytest.raises(DeeptheoryError, match="killed every worker"):
        run(tmp_path / "c").execute(deadly, engine="ray", progress=False)
    assert ray.is_initialized()  # the user's
    with pytest.raises(InputError, match="connected to a Ray already"):
        run(tmp_path / "d").execute(RAY, engine="ray:auto", progress=False)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_ray_cluster_is_found_by_its_address(tmp_path, monkeypatch, ray):
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", TESTS)
    there = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        found = run(tmp_path / "a").execute(RAY, engine=f"ray:{there.address}", progress=False)
    finally:
        there.shutdown()
    assert found["scaled"].identical(run(tmp_path / "here").execute(RAY, progress=False)["scaled"])
    for nobody in ("127.0.0.1:9", "ray://127.0.0.1:port"):
        with pytest.raises(InputError, match="no Ray answers at"):
            run(tmp_path / "b").execute(RAY, engine=f"ray:{nobody}", progress=False)


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(MissingDependency, match=r"deeptheory\[ray\]"):
        run(tmp_path / "a").execute(RAY, engine="ray", progress=False)
