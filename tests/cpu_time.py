"""Seconds of CPU, to be compared with others of the same run: no test holds a machine to a number of them."""

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ROUNDS = 3


def cost_ratio(dear: Callable[[], object], cheap: Callable[[], object]) -> float:
    """How many times as much the one costs as the other: the least of each, in turns, so both see the same machine."""
    dearest, cheapest = [], []
    with _undisturbed():
        for _ in range(ROUNDS):
            cheapest.append(_cpu_of(cheap))
            dearest.append(_cpu_of(dear))
    return min(dearest) / min(cheapest)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without coverage at each call, and without what other tests left to collect."""
    tracing = sys.gettrace()
    sys.settrace(None)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        sys.settrace(tracing)


def _cpu_of(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began
