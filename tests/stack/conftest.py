"""Servers and functions that the stack's tests share: all real, on loopback ports that the operating system chose."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.functions import Function
from trailhook_local.stack.servers import Server

FUNCTIONS = Path(__file__).parent / "functions"


@pytest.fixture(scope="module")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoints]:
    """moto's server, with nothing in it; there is no Lake."""
    server = Server("trailhook_local.stack.aws", [], tmp_path_factory.mktemp("aws") / "aws.log")
    try:
        yield Endpoints(aws=server.wait_ready(), cloudtrail="http://127.0.0.1:9", region="us-east-1")
    finally:
        server.stop()


@pytest.fixture
def function(tmp_path: Path) -> Callable[..., Function]:
    """Makes a function of `functions/<module>.py`."""

    def make(module: str = "probe", timeout_seconds: float = 10.0, concurrency: int = 1) -> Function:
        return Function(
            name="probe",
            arn="arn:aws:lambda:us-east-1:111122223333:function:probe",
            path=FUNCTIONS / f"{module}.py",
            handler="handler",
            timeout_seconds=timeout_seconds,
            memory_mb=1024,
            concurrency=concurrency,
            environment={"PARTNER": "github"},
            log_file=tmp_path / "probe.log",
        )

    return make


def eventually(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether `condition` came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def closing_terminals_tell() -> Iterator[None]:
    """What is started meanwhile gets SIGHUP, also where these tests themselves were started with `nohup`."""
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, former)


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
