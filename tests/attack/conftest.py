"""The receive function as its own tests run it."""

from tests.receive.conftest import aws, function, handler

__all__ = ["aws", "function", "handler"]
