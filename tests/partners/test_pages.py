"""The partners' pages: what they tell operators to type works, and every code they explain exists."""

import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.partners.cases import cases

from trailhook.errors import Unauthenticated
from trailhook.gateway import Request
from trailhook.partners import FOLDER, REGISTRY
from trailhook.proofs import StandardWebhooksProof

PAGES = Path(__file__).parents[2] / "docs" / "partners"
SIGNING = re.compile(r"```sh\n((?:(?!```).)*webhook-signature.*?)```", re.DOTALL)
SECRET = "fakeFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKEfake"
"""44 letters, like a generated secret: the key is what they decode to."""
BODY = '{"action":"repo.create","repo":"harbor-works/lantern"}\n{"action":"café"}\n'.encode()


@pytest.mark.parametrize("page", ["github", "custom"])
@pytest.mark.skipif(not shutil.which("openssl"), reason="the page signs with openssl, which this machine does not have")
@pytest.mark.skipif(not shutil.which("bash"), reason="the page's lines are for bash, which this machine does not have")
def test_the_pages_shell_lines_sign_what_they_post(page: str, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(BODY)
    [lines] = SIGNING.findall((PAGES / f"{page}.md").read_text())
    capture = "curl() { printf '%s\\0' \"$@\" > arguments; }\n"
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", capture + lines],
        cwd=tmp_path,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "URL": "https://x.example", "SECRET": SECRET, "FILE": "body"},
        check=True,
        timeout=60,
    )
    arguments = (tmp_path / "arguments").read_text().split("\0")
    pairs = (value.split(": ", 1) for value in _after(arguments, "-H"))
    headers = {name.lower(): value for name, value in pairs}
    assert _after(arguments, "--data-binary") == ["@body"]

    now = int(time.time() * 1000)
    StandardWebhooksProof().verify(Request("POST", "/webhook", headers, BODY, "192.0.2.1", now, "r"), SECRET)
    with pytest.raises(Unauthenticated):
        StandardWebhooksProof().verify(Request("POST", "/webhook", headers, BODY + b" ", "192.0.2.1", now, "r"), SECRET)


@pytest.mark.parametrize("partner", sorted(REGISTRY))
def test_a_page_explains_what_the_fixtures_show_in_quarantine(partner: str) -> None:
    page = (PAGES / f"{partner}.md").read_text()
    refused = {
        outcome["refused"]
        for case in cases()
        if case.partner == partner
        for outcome in json.loads(case.expected_path.read_text())
        if "refused" in outcome
    }
    assert {code for code in refused if f"`{code}`" not in page} == set()


@pytest.mark.parametrize("partner", [file.stem for file in sorted(FOLDER.glob("*.yaml"))])
def test_a_page_names_every_member_that_an_id_a_time_or_an_origin_comes_from(partner: str) -> None:
    page = (PAGES / f"{partner}.md").read_text().lower()
    kinds = json.loads((FOLDER / f"{partner}.json").read_text())["kinds"]
    members = {
        name.lower()
        for kind in kinds
        for field in ("uid", "time", "source_ip", "user_agent")
        for place in kind.get(field, ())
        for name in _members(place)
    }
    assert {name for name in members if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", page)} == set()


def _members(place: Mapping[str, Any]) -> Iterator[str]:
    """The last member of each path of a place, or its header."""
    for part in place.get("join", [place]):
        at = re.sub(r"max\(\[(.*)\]\[\?@\]\)", r"\1", part.get("at", ""))
        choices = re.split(r" \|\| |, ", re.sub(r' \| \[0\]|\[[^]]*\]|"', "", at))
        yield from (path.rpartition(".")[2] for path in choices if path)
        yield from filter(None, [part.get("header")])


def _after(arguments: list[str], flag: str) -> list[str]:
    return [value for name, value in itertools.pairwise(arguments) if name == flag]
