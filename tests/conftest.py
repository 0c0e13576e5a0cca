"""What every test shares: how hypothesis searches, and which tests stay on one worker."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Machines are shared and slow at times, so no example has a deadline. CI repeats the same examples, so that a failure
# there is the change's; `make check` asks for a quick look, `make nightly` for a wide one, always anew.
settings.register_profile("default", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=50, derandomize=True)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile(os.environ.get("TRAILHOOK_SEARCH") or ("ci" if os.environ.get("CI") else "default"))


class ByFile(LoadFileScheduling):  # type: ignore[misc] # xdist is not typed
    """A file's tests stay on one worker: they share stacks and servers. All of tests/build share what `sam build` made.

    Told by the path, because xdist's own groups change nothing: it notes them in a test's id, which pytest 9.2 ignores.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "tests/build" if nodeid.startswith("tests/build/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of integration and lake talk to a Lake on loopback, so none of them is among `make check`'s pure tests."""
    here = Path(__file__).parent
    for item in items:
        if {here / "integration", here / "lake"} & {*item.path.parents}:
            item.add_marker(pytest.mark.stack)
