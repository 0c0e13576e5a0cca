"""samconfig.toml: one environment per integration, deployable as it stands, and no secret in it."""

import re
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from trailhook.known_partners import PARTNERS, WEBHOOK
from trailhook.partners import REGISTRY

INTEGRATIONS = sorted(REGISTRY)


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "samconfig.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def samconfig(text: str) -> Mapping[str, Any]:
    return tomllib.loads(text)


def overrides(value: str | list[str]) -> dict[str, str]:
    words = value.split() if isinstance(value, str) else value
    return dict(word.split("=", 1) for word in words)


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_an_integration_is_a_stack_of_its_own_with_everything_that_has_no_default(
    samconfig: Mapping[str, Any], document: Mapping[str, Any], name: str
) -> None:
    deployment = samconfig[name]["deploy"]["parameters"]
    given = overrides(deployment["parameter_overrides"])
    needed = {key for key, parameter in document["Parameters"].items() if "Default" not in parameter}
    assert needed <= set(given) <= set(document["Parameters"])
    assert given["Partner"] == name
    assert deployment["stack_name"] == f"trailhook-{name}"
    assert deployment["capabilities"] == "CAPABILITY_IAM", "no resource has a fixed name that IAM would have to own"


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_only_senders_outside_the_catalogue_may_share_a_channel(
    samconfig: Mapping[str, Any], text: str, name: str
) -> None:
    """A partner of the catalogue has a source of its own, which the channel to share would not have.

    The line is a comment: an ARN that was made up would fail the first such stack, which has no channel to name.
    """
    given = overrides(samconfig[name]["deploy"]["parameters"]["parameter_overrides"])
    assert "ChannelArn" not in given
    environment = text.partition(f"[{name}.deploy.parameters]\n")[2].partition("\n[")[0]
    assert ('    # "ChannelArn=' in environment) is (PARTNERS[name].sources[WEBHOOK] == "Custom")


def test_every_environment_is_an_integration(samconfig: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    assert set(samconfig) - {"version", "default"} == set(INTEGRATIONS)
    assert set(INTEGRATIONS) <= set(document["Parameters"]["Partner"]["AllowedValues"])


def test_a_partner_of_ones_own_is_deployed_as_customs_is(text: str, root: Path) -> None:
    page = (root / "docs" / "partners" / "your-own.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^ *```toml\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    customs = "[custom" + text.partition("[custom")[2].partition("\n\n")[0]
    assert textwrap.dedent(shown).strip() == customs.replace("custom", "lampworks")


def test_builds_are_cached(samconfig: Mapping[str, Any]) -> None:
    assert samconfig["default"]["build"]["parameters"]["cached"] is True


@pytest.mark.parametrize("command", ["local_invoke", "local_start_lambda", "local_start_api"])
def test_the_laptop_runs_the_functions_on_its_own_processor(samconfig: Mapping[str, Any], command: str) -> None:
    parameters = samconfig["default"][command]["parameters"]
    assert overrides(parameters["parameter_overrides"]) == {"Architecture": "x86_64"}


def test_no_secret_is_kept_in_it(text: str) -> None:
    assert not re.search(r"WebhookSecretArn|secret:|whsec_|(?<!one)password", text, re.IGNORECASE)
