"""Worker processes: what a function finds around it, and how its invocations can fail without taking others along."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.stack.conftest import eventually, is_alive

from trailhook_local.stack.errors import InvocationError, StartError
from trailhook_local.stack.functions import Function, FunctionPool

pytestmark = pytest.mark.stack

MakeFunction = Callable[..., Function]


@contextmanager
def running(function: Function) -> Iterator[FunctionPool]:
    pool = FunctionPool(function)
    try:
        pool.start()
        pool.wait_ready()
        yield pool
    finally:
        pool.close()


def failure(pool: FunctionPool, **event: Any) -> InvocationError:
    with pytest.raises(InvocationError) as raised:
        pool.invoke(event)
    return raised.value


def test_a_function_is_loaded_once_and_answers(function: MakeFunction) -> None:
    with running(function()) as pool:
        value = {"text": "Zoë \u2028 \ud83d", "numbers": [1, 2.5, None]}
        assert pool.invoke({"do": "echo", "value": value["numbers"]}) == [1, 2.5, None]
        first, second = (pool.invoke({"do": "process"}) for _ in range(2))
        assert first == second
        assert first["loaded"] == 1
        assert first["folder"] == str(function().path.parent)


def test_the_context_is_lambdas(function: MakeFunction) -> None:
    with running(function(timeout_seconds=7)) as pool:
        one, other = (pool.invoke({"do": "context"}) for _ in range(2))
    assert one["name"] == "probe"
    assert one["arn"] == "arn:aws:lambda:us-east-1:111122223333:function:probe"
    assert one["memory"] == "1024"
    assert 5_000 < one["remaining_ms"] <= 7_000
    assert one["request_id"] != other["request_id"]


def test_nothing_of_the_parents_environment_reaches_the_function(
    function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("WEBHOOK_SECRET_ARN", "the parent's")
    with running(function()) as pool:
        environment = pool.invoke({"do": "environment"})
    assert environment["PARTNER"] == "github"
    assert environment["PATH"] == os.environ["PATH"]
    assert not {"AWS_PROFILE", "WEBHOOK_SECRET_ARN"} & set(environment)
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_what_a_function_or_its_child_prints_goes_to_its_log(function: MakeFunction) -> None:
    described = function()
    with running(described) as pool:
        assert pool.invoke({"do": "print", "value": '{"result": "forged"}'}) == "printed"
    assert described.log_file.read_text().count('{"result": "forged"}\n') == 2


def test_an_exception_fails_its_invocation_and_keeps_the_process(function: MakeFunction) -> None:
    with running(function()) as pool:
        before = pool.invoke({"do": "process"})["pid"]
        error = failure(pool, do="raise", value="boom")
        assert (error.error_type, error.message) == ("ValueError", "boom")
        assert any("probe.py" in line for line in error.stack_trace)
        assert failure(pool, do="exit", value=3).error_type == "SystemExit"
        assert failure(pool, do="unserialisable").error_type == "TypeError"
        assert pool.invoke({"do": "process"})["pid"] == before


def test_a_function_that_overruns_its_timeout_is_killed_and_replaced(function: MakeFunction) -> None:
    with running(function(timeout_seconds=0.5)) as pool:
        before = pool.pids()
        error = failure(pool, do="sleep", value=30)
        assert error.error_type == "Sandbox.Timedout"
        assert "Task timed out after 0.50 seconds" in error.message
        assert not is_alive(before[0])
        assert pool.invoke({"do": "echo", "value": "again"}) == "again"
        assert pool.pids() != before


def test_a_function_killed_in_the_middle_fails_that_invocation_only(function: MakeFunction) -> None:
    with running(function()) as pool:
        working = pool.submit({"do": "sleep", "value": 30})
        (pid,) = pool.pids()
        assert eventually(lambda: pool.in_flight == 1)
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(InvocationError, match=r"Runtime\.ExitError.*SIGKILL"):
            working.result(5)
        assert pool.invoke({"do": "echo", "value": "again"}) == "again"


def test_a_function_killed_while_idle_is_replaced_unnoticed(function: MakeFunction) -> None:
    with running(function()) as pool:
        (pid,) = pool.pids()
        os.kill(pid, signal.SIGKILL)
        # Not merely a zombie: until its last thread is gone, the pool cannot know that it ended.
        assert eventually(lambda: not pool.pids())
        assert pool.invoke({"do": "echo", "value": "again"}) == "again"


def test_processes_grow_with_the_load_up_to_the_concurrency(function: MakeFunction) -> None:
    with running(function(concurrency=2)) as pool:
        assert len(pool.pids()) == 1
        results = [pool.submit({"do": "sleep", "value": 0.3}) for _ in range(4)]
        assert [result.result(10) for result in results] == ["slept"] * 4
        assert len(pool.pids()) == 2


def test_a_function_that_cannot_be_imported_says_why(function: MakeFunction) -> None:
    with pytest.raises(StartError, match=r"broken\.py.*no such setting: COLOUR"), running(function("broken")):
        pass
    with pytest.raises(StartError, match=r"FileNotFoundError"), running(function("missing")):
        pass


def test_closing_ends_even_a_busy_function(function: MakeFunction) -> None:
    pool = FunctionPool(function(timeout_seconds=60))
    working = pool.submit({"do": "sleep", "value": 60})
    assert eventually(lambda: bool(pool.pids()))
    pids = pool.pids()
    closing = threading.Thread(target=pool.close)
    closing.start()
    closing.join(5)
    assert not closing.is_alive()
    assert not any(map(is_alive, pids))
    assert isinstance(working.exception(1), InvocationError)
