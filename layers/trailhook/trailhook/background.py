"""Work that may be given up: it goes on in a thread which keeps neither a function nor a command from ending."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")


def begin(work: Callable[[], Result]) -> Future[Result]:
    """Do it in a daemon thread: a process that ends waits for the threads of a pool, but not for this one."""
    begun = Future[Result]()

    def do() -> None:
        try:
            begun.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
            begun.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return begun
