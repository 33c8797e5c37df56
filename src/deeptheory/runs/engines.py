"""Where units are worked on: in this process, or in several. A new engine: one function, one line in ENGINES.

An engine takes tasks and yields (task, seconds) as they are done, in any order. It decides nothing that could change a
result: units are cut by the settings, and each worker writes its own result into the run folder.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from deeptheory.core.errors import DeeptheoryError, InputError
from deeptheory.runs.work import Task, perform, perform_for


def serial(tasks: Sequence[Task], jobs: int | None) -> Iterator[tuple[Task, float]]:
    """One after the other, in this process."""
    for task in tasks:
        yield task, perform(task)


def processes(tasks: Sequence[Task], jobs: int | None) -> Iterator[tuple[Task, float]]:
    """In worker processes (loky, through joblib), each with as many threads as the run states, which is one.

    With one worker, or on one core, in this process: joblib would do the same. DeeptheoryError: a worker was killed.
    """
    from joblib import Parallel, delayed, effective_n_jobs, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.process_executor import BrokenProcessPool

    if effective_n_jobs(jobs or -1) == 1:
        yield from serial(tasks, jobs)
        return
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


Engine = Literal["serial", "processes"]
ENGINES: dict[str, Callable[[Sequence[Task], int | None], Iterator[tuple[Task, float]]]] = {
    "serial": serial,
    "processes": processes,
}


def _timed(task: Task, owner: int) -> tuple[Task, float]:
    return task, perform_for(task, owner)


def check_jobs(jobs: int | None) -> int | None:
    """jobs, as given. InputError: neither None (one worker per core) nor a count of 1 or more."""
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise InputError(f"jobs is {jobs!r}; needed: a number of workers, 1 or more, or nothing for one per core")
    return jobs
