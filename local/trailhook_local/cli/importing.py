"""Importing what a command needs, which takes up to a second."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """A Ctrl-C that comes meanwhile ends the process at once and without a word.

    As an exception it would be raised in the middle of somebody's import, and shown with all of its traceback.
    """
    former = signal.getsignal(signal.SIGINT)
    if former is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, former)
