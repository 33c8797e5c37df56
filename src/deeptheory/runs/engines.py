"""Where units are worked on: in this process, in several, or in those of a cluster. A new engine: one function, one
line in ENGINES.

An engine is open for the time of a run; open, it takes tasks and yields (task, seconds) as they are done, in any order.
It decides nothing that could change a result: units are cut by the settings, and each worker writes its own result into
the run folder, which all workers see under the same path.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Literal

from deeptheory.core.errors import DeeptheoryError, InputError, MissingDependency
from deeptheory.core.names import pick
from deeptheory.runs.work import Task, perform, perform_anywhere, perform_for

Work = Callable[[Sequence[Task]], Iterator[tuple[Task, float]]]


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


def _in_processes(tasks: Sequence[Task], jobs: int | None) -> Iterator[tuple[Task, float]]:
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

    with ExitStack() as until_the_end:
        clients: list[Any] = []

        def work(tasks: Sequence[Task]) -> Iterator[tuple[Task, float]]:
            if not clients:  # a run that is done needs none
                clients.append(until_the_end.enter_context(_client(distributed, jobs, address)))
            yield from _on_dask(distributed, clients[0], tasks)

        yield work


@contextmanager
def _client(distributed: Any, jobs: int | None, address: str) -> Iterator[Any]:
    options: dict[str, Any] = {"threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
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


def _on_dask(distributed: Any, client: Any, tasks: Sequence[Task]) -> Iterator[tuple[Task, float]]:
    owner = os.getpid()
    known = {}
    for task in tasks:
        away = replace(task, folder=task.folder.resolve())  # a worker may work in another folder
        known[client.submit(perform_anywhere, away, owner, pure=False)] = task
    try:
        for done in distributed.as_completed(list(known), loop=client.loop):
            yield known[done], done.result()
    except distributed.KilledWorker as error:
        raise DeeptheoryError(
            "a unit killed every worker that it was given to, perhaps for want of memory; what others finished is saved"
        ) from error
    finally:
        client.cancel(list(known), force=True)


Engine = Literal["serial", "processes", "dask"]
ENGINES: dict[str, Callable[[int | None, str], AbstractContextManager[Work]]] = {
    "serial": serial,
    "processes": processes,
    "dask": dask,
}


def opened(engine: str, jobs: int | None) -> AbstractContextManager[Work]:
    """The engine of that name, to be entered; "dask:ADDRESS" names a scheduler. InputError: no such engine, an address
    for one that has none."""
    name, _, address = engine.partition(":")
    made = pick(ENGINES, name, what="engine")
    if address and name != "dask":
        raise InputError(f"engine is {engine!r}; only dask takes an address")
    return made(check_jobs(jobs), address)


def _timed(task: Task, owner: int) -> tuple[Task, float]:
    return task, perform_for(task, owner)


def check_jobs(jobs: int | None) -> int | None:
    """jobs, as given. InputError: neither None (one worker per core) nor a count of 1 or more."""
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise InputError(f"jobs is {jobs!r}; needed: a number of workers, 1 or more, or nothing for one per core")
    return jobs
