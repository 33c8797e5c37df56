"""A run folder in an object store: the same bits and page as on disk, resumed, taken over, and what is refused."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import xarray as xr

from deeptheory.core.errors import DeeptheoryError, InputError, StoreError
from deeptheory.core.places import place
from deeptheory.core.storage import is_whole, read_dataset, read_json, whole_below, write_dataset, write_text
from deeptheory.report import write_page
from deeptheory.runs import (
    Claim,
    Ledger,
    Page,
    PageFigure,
    Run,
    Section,
    Step,
    chunks,
    decide,
    read_figure,
    read_record,
)
from deeptheory.runs import work as at_work
from deeptheory.runs.comparison import compare_runs
from deeptheory.runs.lock import LOCK
from deeptheory.runs.work import Task, perform_anywhere, perform_for
from oracles import steps as work


def units(settings):
    return chunks(range(6), 2)


STEPS = [Step(name="draw", function=work.drawn, units=units), Step(name="sum", function=work.scaled, needs=("draw",))]
CLAIM = Claim(id="c", figure="1", source="s", statement="s", quantity="q", unit="1", region=">= -100", criterion="c",
              protocol="p", measure=lambda r: r["draw"]["value"].mean("time").values)  # fmt: skip


@pytest.fixture
def there():
    """A store in memory, emptied afterwards."""
    import fsspec

    yield place("memory://bucket/run")
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def run(folder, **settings):
    settings = {"factor": 2.0, **settings}
    return Run(folder, study="s", scale="quick", seed=0, settings=settings, command="go on", threads=1)


def reported(folder):
    """Everything that a study writes: the run, its ledger, a figure and the page."""
    import pandas as pd
    import plotly.graph_objects as go

    results = run(folder).execute(STEPS, progress=False)
    decide([CLAIM], results, scale="quick").write(folder)
    drawn = PageFigure(name="f", title="t", figure=go.Figure(go.Scatter(y=[1, 2])), table=pd.DataFrame({"y": [1, 2]}),
                       shows="what", limitations="not", alt="a line", claims=("c",))  # fmt: skip
    Page(title="t", lead="l", sections=(Section(title="s", figures=(drawn,)),)).write(folder)
    return results, write_page(folder)


def test_a_run_in_an_object_store_is_the_run_on_disk(there, tmp_path):
    """Results, ledger, figure and page; and a second call computes nothing."""
    away, page = reported(str(there))
    here, same = reported(tmp_path / "run")
    assert all(away[name].identical(here[name]) for name in here)
    assert str(page) == "memory://bucket/run/report.html"
    started = [read_record(f).times["started"] for f in (there, tmp_path / "run")]
    texts = page.read_text(), same.read_text()
    assert len(texts[0]) > 10_000
    assert len(texts[0]) == len(texts[1]) or started[0] != started[1]
    assert Ledger.load(str(there)).rows() == Ledger.load(tmp_path / "run").rows()
    assert read_figure(str(there), "f").to_json() == read_figure(tmp_path / "run", "f").to_json()
    assert compare_runs(str(there), tmp_path / "run").moved() == ()
    assert not (there / LOCK).exists()
    broken = [Step(name="draw", function=work.dividing, units=units), STEPS[1]]
    assert run(there).execute(broken, progress=False)["draw"].identical(here["draw"])
    with pytest.raises(InputError, match="did you mean f"):
        read_figure(str(there), "ff")


def test_a_stopped_run_is_gone_on_with(there, tmp_path):
    """What was done stays; a unit that was only begun is made again, whatever lies there."""
    broken = [Step(name="draw", function=work.failing_late, units=units)]
    with pytest.raises(ZeroDivisionError):
        run(there).execute(broken, progress=False)
    step = there / "steps" / "draw"
    done = whole_below(step)
    assert len(done) == 1
    begun = next(p for p in STEPS[0].parts({}) if p not in done)
    write_dataset(xr.Dataset({"value": ("seed", [1.0, 2.0, 3.0]), "old": 1}), step / begun)
    (step / begun / "checksums.json").unlink()
    assert not is_whole(step / begun)
    found = run(there).execute(STEPS, progress=False)
    assert found["draw"].identical(run(tmp_path / "r").execute(STEPS, progress=False)["draw"])


def test_runs_at_work_in_one_folder_at_once_end_with_the_same(there, tmp_path):
    """Nobody holds a lock; neither takes away what the other has put."""
    found = []
    at_once = [threading.Thread(target=lambda: found.append(run(there).execute(STEPS, progress=False))) for _ in "abc"]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    same = run(tmp_path / "r").execute(STEPS, progress=False)
    assert [all(r[name].identical(same[name]) for name in same) for r in found] == [True] * 3


def test_a_damaged_unit_is_named(there):
    run(there).execute(STEPS, progress=False)
    part = there / "steps" / "draw" / next(iter(STEPS[0].parts({})))
    chunk = part / "value" / "c" / "0" / "0"
    assert chunk.is_file()
    chunk.write_text("not these bytes")
    with pytest.raises(StoreError, match="To fix: delete the folder steps/draw"):
        run(there).execute([*STEPS, Step(name="again", function=work.scaled, needs=("draw",))], progress=False)


def test_another_run_is_refused_as_on_disk(there):
    run(there).execute(STEPS, progress=False)
    with pytest.raises(StoreError, match="setting factor = 2.0, not 3.0"):
        run(there, factor=3.0).execute(STEPS, progress=False)
    write_text(there.parent / "other" / "notes.txt", "mine")
    with pytest.raises(StoreError, match=r"is not a run folder .* holds notes.txt"):
        run(there.parent / "other").execute(STEPS, progress=False)
    with pytest.raises(StoreError, match="missing; this is not a complete run"):
        read_json(there.parent / "nowhere" / "run.json", "run")
    with pytest.raises(InputError, match="seen by this process alone"):
        run(there).execute(STEPS, engine="processes", progress=False)


def test_a_lock_that_was_left_is_taken_over_and_its_workers_give_up(there, capsys, monkeypatch):
    monkeypatch.setattr(at_work, "_ASK_EVERY", 0.0)
    monkeypatch.setattr(at_work, "_owner", os.getppid())  # as in a process whose run that is
    write_text(there / LOCK, "the mark of a killed run")
    run(there).execute(STEPS, progress=None)
    assert "is taken over" in capsys.readouterr().err
    step = Step(name="late", function=work.drawn)
    late = Task(folder=there, mark="the mark of a killed run", step=step, part="all", unit=[0], settings={"seed": 0},
                needed={}, threads=1)  # fmt: skip
    for perform in (perform_anywhere, lambda task: perform_for(task, os.getppid())):
        with pytest.raises(DeeptheoryError, match="belongs to another run"):
            perform(late)
    assert not (there / "steps" / "late").exists()


def test_datasets_come_back_bit_for_bit_and_are_replaced(there):
    values = np.random.default_rng(0).normal(size=(3, 2)).astype("f4")
    texts = xr.Dataset({"t": ("x", ["a", "bb", ""])}, coords={"x": [3, 1, 2]})
    data = texts.assign(a=(("x", "y"), values), b=("x", np.arange(3, dtype=">f8"))).assign_attrs(n=[1, 2])
    write_dataset(data.isel(y=[0]).assign(gone=1), there / "d")
    write_dataset(data, str(there / "d"))
    back = read_dataset(there / "d")
    assert back.drop_vars("t").identical(data.drop_vars("t"))
    assert list(back["t"].values) == ["a", "bb", ""]
    assert back["a"].dtype == "float32"


@pytest.fixture
def s3(monkeypatch):
    """A server of S3's protocol on this machine, with an empty bucket."""
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    for name, value in {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
                        "AWS_DEFAULT_REGION": "us-east-1"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="runs")
    yield "s3://runs/a"
    server.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the server's
def test_an_s3_bucket_serves_workers_of_several_processes(s3, tmp_path):
    """The engines that work elsewhere read and write there; a process killed in the middle is gone on with."""
    here, _ = reported(tmp_path / "run")
    pytest.importorskip("distributed")
    for k, engine in enumerate(("processes", "dask")):
        found = run(f"{s3}{k}").execute(STEPS, engine=engine, jobs=2, progress=False)
        assert all(found[name].identical(here[name]) for name in here)
    _, page = reported(f"{s3}0")
    assert page.exists()
    assert compare_runs(f"{s3}0", tmp_path / "run").moved() == ()
    text = (
        f"import sys; sys.path[:0] = {[p for p in sys.path if p.endswith('tests')]!r}\n"
        "from oracles import steps as work\nfrom deeptheory.runs import Run, Step, chunks\n"
        f"run = Run('{s3}k', study='s', scale='quick', seed=0, settings={{'factor': 2.0}}, command='go on')\n"
        "step = Step(name='draw', function=work.slow_after_two, units=lambda s: chunks(range(6), 2))\n"
        "run.execute([step], progress=False)\n"
    )
    killed = subprocess.Popen([sys.executable, "-c", text])
    step, until = place(f"{s3}k") / "steps" / "draw", time.monotonic() + 120
    while len(whole_below(step)) < 1 and time.monotonic() < until:
        time.sleep(0.2)
    killed.kill()
    killed.wait()
    assert len(whole_below(step)) == 1
    assert (place(f"{s3}k") / LOCK).exists()
    found = run(f"{s3}k").execute(STEPS, progress=False)
    assert found["draw"].identical(here["draw"])
    with pytest.raises(StoreError, match="check the address, the bucket and the keys"):
        run("s3://nobodys/a").execute(STEPS, progress=False)
