"""Who computes: as many workers as torch has threads, each of one thread, for parts that do not depend on each other.

The bench is made of many short operations. Threads that meet at the end of each of them spend most of their time on
waiting, ten times as much where others use the machine too; and results would depend on their number. Here they do not.
"""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def workers() -> Iterator[Executor]:
    """A pool of as many threads as torch would use; within, torch itself uses one. Both as they were afterwards.

    Gradients and inference mode are off within: the pool's threads do not inherit the caller's mode, and what is made
    in inference mode cannot be written to outside it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.no_grad(), ThreadPoolExecutor(threads) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)
