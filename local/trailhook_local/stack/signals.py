"""What ends a command that has something to tidy up: Ctrl-C, SIGTERM, and the SIGHUP of a terminal that is closed."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


def end_as_by_ctrl_c() -> None:
    """Let SIGTERM and SIGHUP tidy up as Ctrl-C does."""
    for number in _others():
        signal.signal(number, _interrupt_once)


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """An event that these signals set instead of ending this process; for the main thread."""
    asked = threading.Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        asked.set()

    with _handled_by(ask):
        yield asked


@contextmanager
def interrupted_by_signals() -> Iterator[threading.Event]:
    """These signals raise KeyboardInterrupt: at once, or at the end of the block where one comes while Python runs a
    finalizer, which lets no exception out. A block that takes long can ask the event whether one came. For the main
    thread.
    """
    came = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.set()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        _interrupt_once(number, frame)

    with _handled_by(interrupt):
        yield came
        if came.is_set():
            raise KeyboardInterrupt


@contextmanager
def _handled_by(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, *_others())}
    try:
        yield
    finally:
        for number, former in before.items():
            # One that came is ignored by now, and is to be: whoever is interrupted tidies up out there.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, former)


def _others() -> list[signal.Signals]:
    """Without SIGHUP where it is ignored: somebody said `nohup`."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]


def _interrupt_once(number: int, _frame: FrameType | None) -> None:
    # A closed terminal sends it, and its shell may, too; the second one must not interrupt the tidying up.
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt
