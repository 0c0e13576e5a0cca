"""What a running stack tells other processes, in a JSON file, and the lock that makes it the only one there."""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.errors import AlreadyRunningError, NotRunningError, StartError

STATUS_FILE = "stack.json"
LOCK_FILE = "stack.lock"


@dataclass(frozen=True)
class Integration:
    """One running integration. `url` has no path: partners POST to `{url}/webhook`."""

    partner: str
    url: str
    secret: str
    secret_arn: str
    channel_arn: str
    event_data_store_arn: str
    queue_url: str
    dead_letter_queue_url: str
    bucket: str


@dataclass(frozen=True)
class Status:
    """A running stack: its process, its servers, and its integrations by name."""

    pid: Annotated[int, msgspec.Meta(gt=0, lt=2**31)]
    endpoints: Endpoints
    event_data_store_arn: str
    integrations: Mapping[str, Integration]

    def integration(self, name: str) -> Integration:
        """Raises `NotRunningError` for one that does not run."""
        if name not in self.integrations:
            raise NotRunningError(f"{name} does not run here; there is: {', '.join(self.integrations)}")
        return self.integrations[name]


@contextmanager
def written(state: Path) -> Iterator[None]:
    """Raises `StartError` where something in `state` cannot be written: a folder of another user, no folder, or a full
    disk, of which the system says no more.
    """
    try:
        yield
    except OSError as error:
        named = Path(error.filename or (state if error.errno in {errno.ENOSPC, errno.EDQUOT} else "."))
        if not (named.is_relative_to(state) or state.is_relative_to(named)):
            raise
        raise StartError(f"cannot write to {named} ({error.strerror}); name another folder with --state") from error


@contextmanager
def hold(state: Path) -> Iterator[None]:
    """Make this process the only stack in `state`. A dead process holds no lock.

    Raises `AlreadyRunningError`.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / LOCK_FILE).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(
                f"a stack already runs from {state}; stop it first, or give this one another folder with --state"
            ) from None
        yield


def write_status(state: Path, status: Status) -> None:
    """Publish `status`, readable by this user alone: it holds the webhook secrets."""
    target = state / STATUS_FILE
    draft = target.with_suffix(".tmp")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(status), file, indent=2)
    draft.replace(target)


def remove_status(state: Path) -> None:
    (state / STATUS_FILE).unlink(missing_ok=True)


def read_status(state: Path) -> Status:
    """The stack that runs from `state`. Raises `NotRunningError`."""
    file = state / STATUS_FILE
    try:
        status = msgspec.json.decode(file.read_bytes(), type=Status)
    except FileNotFoundError:
        raise NotRunningError(
            f"no stack runs from {state}: start one with `trailhook serve`, or name its folder with --state"
        ) from None
    except OSError as error:
        raise NotRunningError(
            f"{file} cannot be read ({error.strerror}); only whoever started a stack may read its secrets there: start "
            "one of your own, with another folder as --state"
        ) from error
    except (UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise NotRunningError(
            f"{file} is not as this version writes it ({type(error).__name__}: {error}): stop the stack that runs from "
            "there and start it again, or name another folder with --state"
        ) from error
    try:
        os.kill(status.pid, 0)
    except (ProcessLookupError, PermissionError):  # somebody else's process has its number by now
        raise NotRunningError(
            f"the stack that ran from {state} (process {status.pid}) has ended, or is another user's: "
            "start it again, or name another folder with --state"
        ) from None
    return status
