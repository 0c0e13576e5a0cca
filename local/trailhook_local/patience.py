"""How long somebody who was paged waits: boto3 by itself would wait for minutes, and try again."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

SECONDS = 20

Found = TypeVar("Found")


def begin(work: Callable[[], Found]) -> Future[Found]:
    """Do it in a daemon thread, which does not keep the command from ending, as a pool's threads would."""
    begun = Future[Found]()

    def do() -> None:
        try:
            begun.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
            begun.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return begun
