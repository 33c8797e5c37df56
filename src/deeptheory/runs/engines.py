"""Where units are worked on: in this process, in several, or in those of a cluster. A new engine: one function, one
line in ENGINES.

An engine is open for the time of a run; open, it takes tasks and yields (task, seconds) as they are done, in any order.
It decides nothing that could change a result: units are cut by the settings, and each worker writes its own result into
the run folder, which all workers see under the same path.
"""

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any, Literal

from deeptheory.core.errors import DeeptheoryError, InputError, MissingDependency
from deeptheory.core.names import pick
from deeptheory.core.places import Folder, RemotePath
from deeptheory.runs.work import perform, perform_anywhere, perform_for

Work = Callable[[Sequence[Any]], Iterator[tuple[Any, float]]]  # of runs.work.Task, or of the form of Job


@contextmanager
def serial(jobs: int | None, address: str) -> Iterator[Work]:
    """One after the other, in this process."""
    yield lambda tasks: ((task, perform(task)) for task in tasks)


@contextmanager
def processes(jobs: int | None, address: str) -> Iterator[Work]:
    """In worker processes (loky, through joblib), each with as many threads as the run states, which is one.

    With one worker, or on one core, in this process: joblib would do the same. DeeptheoryError: a worker was killed.
    """
    from joblib import effective_n_jobs

    if effective_n_jobs(jobs or -1) == 1:
        with serial(jobs, address) as work:
            yield work
    else:
        yield lambda tasks: _in_processes(tasks, jobs)


def _in_processes(tasks: Sequence[Any], jobs: int | None) -> Iterator[tuple[Any, float]]:
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    owner, finished = os.getpid(), False
    try:
        with parallel_config(backend="loky", inner_max_num_threads=tasks[0].threads):
            options: dict[str, Any] = {"return_as": "generator_unordered", "batch_size": 1, "pre_dispatch": "all"}
            work: Any = Parallel(n_jobs=jobs or -1, **options)
            yield from work(delayed(_timed)(task, owner) for task in tasks)
        finished = True
    except BrokenProcessPool as error:
        raise DeeptheoryError(
            "a worker process was killed, by the system for want of memory or by somebody else; "
            "what other workers finished is saved; with fewer workers (jobs=) less memory is needed"
        ) from error
    finally:
        if not finished:  # an error or Ctrl-C: nobody waits for what the others do
            get_reusable_executor(kill_workers=True).shutdown(wait=True, kill_workers=True)


@contextmanager
def dask(jobs: int | None, address: str) -> Iterator[Work]:
    """On a Dask cluster: at the address, "tcp://host:8786", or with `jobs` workers on this machine, 127.0.0.1 alone.

    What a killed worker was at goes to another one, which goes on from the unit's checkpoint.
    MissingDependency: without dask.distributed. InputError: nobody answers at the address. DeeptheoryError: a unit
    killed every worker that it was given to.
    """
    try:
        import distributed
    except ImportError as error:
        raise MissingDependency('engine "dask" needs dask.distributed: pip install "deeptheory[cluster]"') from error

    with _opened_when_needed(
        lambda: _client(distributed, jobs, address), lambda client, tasks: _on_dask(distributed, client, tasks)
    ) as work:
        yield work


@contextmanager
def _opened_when_needed(
    connect: Callable[[], AbstractContextManager[Any]], on: Callable[[Any, Sequence[Any]], Iterator[tuple[Any, float]]]
) -> Iterator[Work]:
    """A cluster that is connected for the first tasks and not before: a run that is done needs none."""
    with ExitStack() as until_the_end:
        connected: list[Any] = []

        def work(tasks: Sequence[Any]) -> Iterator[tuple[Any, float]]:
            if not connected:
                connected.append(until_the_end.enter_context(connect()))
            yield from on(connected[0], tasks)

        yield work


@contextmanager
def _client(distributed: Any, jobs: int | None, address: str) -> Iterator[Any]:
    options: dict[str, Any] = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with ExitStack() as until_the_end:
        try:
            where = address or until_the_end.enter_context(
                distributed.LocalCluster(n_workers=jobs or os.cpu_count(), **options)
            )
            client = distributed.Client(where, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"no Dask scheduler answers at {address!r} within {_PATIENCE} seconds ({error}); an address looks like "
                "tcp://host:8786"
            ) from error
        yield until_the_end.enter_context(client)


_PATIENCE = 20  # seconds for a scheduler to answer


def _on_dask(distributed: Any, client: Any, tasks: Sequence[Any]) -> Iterator[tuple[Any, float]]:
    known = {client.submit(perform_anywhere, _away(task), pure=False): task for task in tasks}
    try:
        for done in distributed.as_completed(list(known), loop=client.loop):
            yield known[done], done.result()
    except distributed.KilledWorker as error:
        raise DeeptheoryError(_KILLED) from error
    finally:
        client.cancel(list(known), force=True)


@contextmanager
def ray(jobs: int | None, address: str) -> Iterator[Work]:
    """On a Ray cluster: at the address, "auto" or "ray://host:10001", or with `jobs` workers on this machine.

    Without an address, a Ray that this process has started already is used and stays. What a killed worker was at goes
    to another one, three times. MissingDependency: without ray. InputError: nobody answers at the address, or the
    process is connected to a Ray already. DeeptheoryError: a unit killed every worker that it was given to.
    """
    try:
        library = import_module("ray")
    except ImportError as error:
        raise MissingDependency('engine "ray" needs ray: pip install "deeptheory[ray]"') from error

    with _opened_when_needed(lambda: _connected(library, jobs, address), _on_ray) as work:
        yield work


@contextmanager
def _connected(ray: Any, jobs: int | None, address: str) -> Iterator[Any]:
    if ray.is_initialized():
        if address:
            raise InputError(f"this process is connected to a Ray already; leave {address!r} out to use that one")
        yield ray
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers of every cluster that starts
    here = {"num_cpus": jobs or os.cpu_count(), "include_dashboard": False, "_node_ip_address": "127.0.0.1"}
    try:
        _knock(address)  # ray itself would try for minutes
        with _importing_the_same():
            ray.init(
                address=address or "local", log_to_driver=False, logging_level="ERROR", **({} if address else here)
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"no Ray answers at {address or 'local'!r} ({error}); an address looks like auto, host:6379 or "
            "ray://host:10001"
        ) from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _importing_the_same() -> Iterator[None]:
    """Processes that are started meanwhile find the modules that this one finds."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    try:
        yield
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.__setitem__("PYTHONPATH", before)


def _knock(address: str) -> None:
    """OSError: nobody listens at host:port. ValueError: the port is no number. Addresses without a port pass."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _on_ray(ray: Any, tasks: Sequence[Any]) -> Iterator[tuple[Any, float]]:
    do = ray.remote(num_cpus=1, max_retries=_RETRIES)(perform_anywhere)
    known = {do.remote(_away(task)): task for task in tasks}
    waiting = list(known)
    try:
        while waiting:
            (done,), waiting = ray.wait(waiting, num_returns=1)
            yield known[done], ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error  # what the unit raised, as the other engines do
    except (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.NodeDiedError,
    ) as error:
        raise DeeptheoryError(_KILLED) from error
    finally:
        for task in waiting:
            ray.cancel(task, force=True)


_RETRIES = 3  # workers that a unit may kill before it is given up; as many as Dask allows
_KILLED = "a unit killed every worker that it was given to, perhaps for want of memory; what others finished is saved"


def _away(task: Any) -> Any:
    """The task for a worker that may work in another folder."""
    return replace(task, folder=task.folder.resolve())


Engine = Literal["serial", "processes", "dask", "ray"]
ENGINES: dict[str, Callable[[int | None, str], AbstractContextManager[Work]]] = {
    "serial": serial,
    "processes": processes,
    "dask": dask,
    "ray": ray,
}
_WITH_ADDRESS = ("dask", "ray")


def opened(engine: str, jobs: int | None, folder: Folder) -> AbstractContextManager[Work]:
    """The engine of that name, to be entered, for a run in the folder; "dask:ADDRESS", "ray:ADDRESS" name a cluster.

    InputError: no such engine, an address for one that has none, or a folder that no other process sees.
    """
    name, _, address = engine.partition(":")
    made = pick(ENGINES, name, what="engine")
    if address and name not in _WITH_ADDRESS:
        raise InputError(f"engine is {engine!r}; only {' and '.join(_WITH_ADDRESS)} take an address")
    if isinstance(folder, RemotePath) and folder.alone and name != "serial":
        raise InputError(f"{folder} is seen by this process alone; use engine='serial', not {engine!r}")
    return made(check_jobs(jobs), address)


def _timed(task: Any, owner: int) -> tuple[Any, float]:
    return task, perform_for(task, owner)


def check_jobs(jobs: int | None) -> int | None:
    """jobs, as given. InputError: neither None (one worker per core) nor a count of 1 or more."""
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise InputError(f"jobs is {jobs!r}; needed: a number of workers, 1 or more, or nothing for one per core")
    return jobs
