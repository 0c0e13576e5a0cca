"""Ties the stack's processes to the one that started them.

A child holds the reading end of a pipe whose only writer is its parent. However the parent ends (return, signal,
kill -9), the kernel closes the pipe and the child sees end-of-file. That works alike on Linux and macOS, unlike a
parent-death signal, which moreover follows the *thread* that forked.

`python -m trailhook_local.stack.leash MODULE [ARGUMENT ...]` runs a module that knows nothing of this on such a leash.
"""

import os
import runpy
import signal
import sys
import threading
import time

GRACE_SECONDS = 2.0


def _end_with_parent() -> None:
    """Wait until standard input's writer is gone, then end this process.

    It gets SIGTERM first, so that a server closes its files, and is ended for good after `GRACE_SECONDS`.
    """
    # os.read, not sys.stdin: a thread blocked in a buffered reader holds its lock and aborts interpreter shutdown.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(1)


def main() -> None:
    if len(sys.argv) < 2:
        raise SystemExit("usage: python -m trailhook_local.stack.leash MODULE [ARGUMENT ...]")
    threading.Thread(target=_end_with_parent, name="leash", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
