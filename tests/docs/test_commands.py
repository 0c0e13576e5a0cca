"""The AWS commands that the pages, outputs and messages hand to an operator exist as they stand."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from trailhook.destination import Disposition, Outcome
from trailhook.gateway import Response
from trailhook.ledger import Ledger
from trailhook.receive import LoggedResponse
from trailhook.telemetry import report_ledger, report_request

ROOT = Path(__file__).parents[2]
SOURCES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/**/*.md"),
    ROOT / "template.yaml",
    *ROOT.glob("layers/trailhook/trailhook/integration/*.py"),
]
EVERYWHERE = {"region", "query", "output", "endpoint-url"}
BY_THE_CLI_ALONE = {
    ("logs", "tail"): {"since", "filter-pattern"},
    ("s3", "cp"): {"recursive"},
    ("s3", "ls"): set[str](),
}
RENAMED = {("sns", "subscribe"): {"notification-endpoint"}}
SESSION = botocore.session.get_session()


def commands() -> Iterator[tuple[str, str]]:
    """Where each command stands, and the command on one line, up to the end of its line or quotation."""
    for path in SOURCES:
        text = re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8"))
        for match in re.finditer(r"\baws ([a-z0-9]+) ([a-z]+(?:-[a-z]+)*)\b([^`\n]*(?:\n +--[^`\n]*)*)", text):
            service, operation, options = match.groups()
            if service in SESSION.get_available_services():
                yield str(path.relative_to(ROOT)), f"{service} {operation} {' '.join(options.split())}"


COMMANDS = sorted(set(commands()))


def options_of(service: str, operation: str) -> set[str]:
    if (service, operation) in BY_THE_CLI_ALONE:
        return BY_THE_CLI_ALONE[service, operation]
    model = SESSION.get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names, f"aws {service} has no {operation}"
    shape = model.operation_model(names[operation]).input_shape
    members = dict(shape.members) if shape else {}
    options = {xform_name(name, "-") for name in members}
    options |= {f"no-{xform_name(name, '-')}" for name, member in members.items() if member.type_name == "boolean"}
    return options | RENAMED.get((service, operation), set())


def test_commands_are_found_wherever_they_stand() -> None:
    assert {"docs/operations.md", "docs/integration.md", "template.yaml"} <= {where for where, _ in COMMANDS}


@pytest.mark.parametrize(("where", "command"), COMMANDS)
def test_every_aws_command_exists_with_its_options(where: str, command: str) -> None:
    service, operation, *_ = command.split()
    used = {word[2:] for word in re.findall(r"(?<!\S)--[a-z][a-z-]*", command)}
    assert used <= options_of(service, operation) | EVERYWHERE, where


@pytest.mark.parametrize(("where", "command"), [pair for pair in COMMANDS if pair[0] == "docs/operations.md"])
def test_an_operators_command_is_quoted_to_its_end(where: str, command: str) -> None:
    assert shlex.split(command), where


# Of Powertools, and of the lines that Lambda writes.
THEIR_OWN = {"level", "record.status"}


def paths(value: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for name, member in value.items():
        yield at + name
        if isinstance(member, dict):
            yield from paths(member, f"{at}{name}.")


@pytest.mark.parametrize(
    "pattern",
    sorted(set(re.findall(r"--filter-pattern '(.+?)'", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")))),
)
def test_a_filter_looks_at_what_the_log_has(pattern: str, caplog: pytest.LogCaptureFixture) -> None:
    ledger = Ledger(messages=Counter(unreadable=1))
    for disposition in (Disposition.QUARANTINE, Disposition.RETRY):
        ledger.enter(Outcome(disposition, "Code", "reason"))
    with caplog.at_level("INFO"):
        report_ledger("okta", ledger)
        report_request(LoggedResponse(Response(HTTPStatus.ACCEPTED), {"status": 202, "partner": "okta"}))
    lines = [vars(record) for record in caplog.records]
    members = re.findall(r"\$\.([\w.]+)", pattern)
    assert members
    assert set(members) <= {path for line in lines for path in paths(line)} | THEIR_OWN
    assert set(re.findall(r'message = "(\w+)"', pattern)) <= {line["message"] for line in lines}
