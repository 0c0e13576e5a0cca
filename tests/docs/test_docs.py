"""Documentation that cannot rot: what the code has, the pages name."""

import re
from http import HTTPStatus
from pathlib import Path

import botocore.session
import pytest

from trailhook.cloudtrail_lake import CALLER_CODES, ENTRY_CODES
from trailhook.destination import Disposition
from trailhook.partners import REGISTRY
from trailhook.telemetry import NAMESPACE
from trailhook_local.chaos.faults import FAULTS

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "layers" / "trailhook" / "trailhook"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = "\n".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("local/trailhook_local/**/*.py")))
"""What an operator is told on the screen; a text may go on in the next line."""
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PRODUCT.rglob("*.py")))


def found(pattern: str, text: str = SOURCE) -> list[str]:
    names = sorted(set(re.findall(pattern, text)))
    assert names, f"nothing in the source looks like {pattern}"
    return names


@pytest.mark.parametrize("name", found(r'environ(?:\.get\(|, )"([A-Z_]+)"'))
def test_every_environment_variable_is_described(name: str) -> None:
    assert f"| `{name}` |" in OPERATIONS


@pytest.mark.parametrize("code", found(r'(?:MalformedDelivery|UnmappableEvent|_refused)\(\s*(?:event, )?"(\w+)"'))
def test_every_quarantine_code_is_described(code: str) -> None:
    assert f"`{code}`" in OPERATIONS


WAITING = [code for code, what in ENTRY_CODES.items() if what is Disposition.RETRY]


@pytest.mark.parametrize("code", [*found(r'Disposition\.RETRY, "(\w+)"'), *WAITING])
def test_every_reason_to_wait_is_described(code: str) -> None:
    assert f"`retry:{code}`" in OPERATIONS


PUT_AUDIT_EVENTS = botocore.session.get_session().get_service_model("cloudtrail-data").operation_model("PutAuditEvents")


@pytest.mark.parametrize("code", sorted({shape.name for shape in PUT_AUDIT_EVENTS.error_shapes} & CALLER_CODES))
def test_every_refusal_of_the_caller_is_described(code: str) -> None:
    """In the table that says how to mend it."""
    assert re.search(rf"^\| (`\w+`, )*`{code}`", OPERATIONS, re.MULTILINE)


@pytest.mark.parametrize("status", [*found(r"HTTPStatus\.([A-Z_]+)")])
def test_every_status_is_described(status: str) -> None:
    assert re.search(rf"^\| .*\b{HTTPStatus[status].value}\b.* \|", OPERATIONS, re.MULTILINE)


@pytest.mark.parametrize("metric", found(r'"((?:Deliveries|Configuration|Messages)[A-Z]\w+)"'))
def test_every_metric_is_described(metric: str) -> None:
    assert f"`{metric}`" in OPERATIONS
    assert f"`{NAMESPACE}`" in OPERATIONS


@pytest.mark.parametrize("module", sorted({path.stem for path in PRODUCT.iterdir()} - {"__init__", "__pycache__"}))
def test_every_module_has_its_place_in_the_architecture(module: str) -> None:
    folders = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```")[1]
    assert re.search(rf"\b{module}\b", folders)


@pytest.mark.parametrize(
    "module", sorted({path.stem for path in (PRODUCT / "integration").glob("*.py")} - {"__init__"})
)
def test_every_module_of_the_integration_is_introduced(module: str) -> None:
    introduction = (PRODUCT / "integration" / "__init__.py").read_text(encoding="utf-8")
    assert re.search(rf"\b{module}\b", introduction)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_partner_has_its_page_and_stands_in_the_readme(name: str) -> None:
    page = f"docs/partners/{name}.md"
    assert (ROOT / page).is_file()
    assert f"({page})" in (ROOT / "README.md").read_text(encoding="utf-8")


SECTIONS = {
    "what to set up": r"console|set up|What to send",
    "what arrives and how it maps": r"arrives and how it maps|What to send",
    "what is quarantined": r"What is quarantined, and why",
    "what it costs to be wrong": r"What it costs to be wrong",
}


@pytest.mark.parametrize("name", sorted(REGISTRY))
@pytest.mark.parametrize("section", SECTIONS)
def test_every_partners_page_says_what_an_operator_needs(name: str, section: str) -> None:
    page = (ROOT / "docs" / "partners" / f"{name}.md").read_text(encoding="utf-8")
    assert re.search(rf"^## .*({SECTIONS[section]})", page, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_partners_page_says_how_to_get_at_url_and_secret(name: str) -> None:
    page = (ROOT / "docs" / "partners" / f"{name}.md").read_text(encoding="utf-8")
    assert "WebhookUrl" in page
    assert re.search("(Show|Set)WebhookSecretCommand", page)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_that_is_tried_is_described(name: str) -> None:
    assert f"| `{name}` |" in (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")


PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("events/*.md")]


def sections(page: Path) -> list[str]:
    """What GitHub calls the headings of a page in a link."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target, section in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        there = page.parent / target if target else page
        assert there.exists(), f"{page.name} links to {target}"
        assert not section or section in sections(there), f"{page.name} links to {target}#{section}"


@pytest.mark.parametrize("section", found(r"docs/operations\.md, ([A-Z][a-z ]+)", re.sub(r'"\s+"', "", COMMANDS)))
def test_every_section_that_a_command_names_is_there(section: str) -> None:
    assert f"# {section}\n" in OPERATIONS


@pytest.mark.parametrize("target", found(r"`make ([a-z-]+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
def test_every_command_that_is_named_exists(target: str) -> None:
    assert re.search(rf"^{target}:.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_make_tells_a_python_that_is_too_old_in_ascii() -> None:
    """Python 3.6 in the C locale, as on older servers, takes no other letter on its command line."""
    recipes = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if line.startswith("\t")]
    assert any("sys.version_info" in line for line in recipes)
    assert [line for line in recipes if not line.isascii()] == []


@pytest.mark.parametrize("option", found(r'"(--[a-z-]+)"', (ROOT / "local/trailhook_local/cli/redrive.py").read_text()))
def test_every_option_of_the_way_back_is_described(option: str) -> None:
    assert f"`{option}`" in OPERATIONS


@pytest.mark.parametrize(
    ("partition", "words"),
    [("aws-us-gov", "GovCloud (US)"), ("aws-cn", "in China"), ("aws-eusc", "the European Sovereign Cloud")],
)
def test_a_partition_that_has_no_put_audit_events_is_named(partition: str, words: str) -> None:
    page = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    session = botocore.session.get_session()
    assert session.get_available_regions("cloudtrail", partition)
    assert not session.get_available_regions("cloudtrail-data", partition), f"{partition} has it by now"
    assert words in page.split("## Regions\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("kind", found(r"Type: AWS::(\w+)::", (ROOT / "template.yaml").read_text(encoding="utf-8")))
def test_what_a_deployment_makes_is_among_the_rights_of_whoever_deploys(kind: str) -> None:
    service = "lambda" if kind == "Serverless" else kind.lower().removesuffix("v2")
    assert f"`{service}:*`" in OPERATIONS.split("\n### Who deploys\n")[1].split("\n## ")[0]
