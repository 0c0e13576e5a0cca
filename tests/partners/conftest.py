"""The golden pairs' switch."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--regenerate-goldens",
        action="store_true",
        help="write what the mappings yield now beside each fixture; review the difference before you commit it",
    )


@pytest.fixture
def regenerate_goldens(request: pytest.FixtureRequest) -> bool:
    # Off where pytest was started above this folder: it reads the options of conftest files before it collects.
    return bool(request.config.getoption("--regenerate-goldens", default=False))
