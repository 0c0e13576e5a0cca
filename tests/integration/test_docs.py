"""The page on the integration names every property and everything that Fn::GetAtt finds."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cloudformation import CloudFormation

from trailhook.integration.ownership import KMS_ALIAS, LOGICAL_ID, MADE_BY_UPDATE, STACK_ID
from trailhook.integration.properties import PROPERTIES, STORE_MEMBERS

PAGE = (Path(__file__).parents[2] / "docs" / "integration.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_every_property_has_its_line(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("name", [*sorted(STORE_MEMBERS), STACK_ID, LOGICAL_ID, MADE_BY_UPDATE, KMS_ALIAS])
def test_every_member_and_tag_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_everything_that_getatt_finds_has_its_line(stack: CloudFormation, github: dict[str, Any]) -> None:
    answer = stack.create(github)
    assert answer.succeeded
    for name in answer.data:
        assert re.search(rf"^\| `{name}` \|", PAGE, re.MULTILINE), name
