"""Where settings become working parts, put together once per process: the AWS clients with their time limits.

A module per function, so that none of them waits for what only another one imports.
"""

# First, while the call stack is short. No other module takes longer to compile its patterns, and at the depth of
# botocore's imports it takes up to four times as long, because every other call there crosses an edge of the 16 kB that
# Python's stack grows by.
import urllib3  # noqa: F401

# isort: split
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config


def one_try(connect_seconds: float, read_seconds: float, connections: int = 1) -> Config:
    """The time limits of calls that botocore makes once: receive has no time for retries, and forward makes its own."""
    return Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
    )


@cache
def session() -> botocore.session.Session:
    """botocore's own session: boto3's adds resources and transfers that nobody here uses, and 20 ms of imports.

    It tells at INFO where it found credentials, and at DEBUG what it sent and was answered, the webhook secret and
    events too; an operator may have Lambda set either for all loggers. So it is silenced before there is a client.
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return botocore.session.get_session()


def client(service: str, config: Config, region: str | None = None) -> Any:
    """A client of `service`. The layer ships only the models of the services that the product calls it with."""
    return session().create_client(service, region_name=region, config=config)


def prepare(make: Callable[[], object], environ: Mapping[str, str]) -> None:
    """Make a function's parts as Lambda imports it: a whole processor is at hand then, whatever the memory size.

    Elsewhere an import makes nothing. What fails here fails again in the first invocation, which reports it.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" in environ:
        with suppress(Exception):
            make()
