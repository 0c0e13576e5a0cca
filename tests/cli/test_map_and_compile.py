"""`trailhook map` and `trailhook compile`, and what an operator's own descriptor becomes by them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.partners.descriptors import EXAMPLE, MINIMAL, SENT, with_kind

from trailhook.errors import SettingsError
from trailhook.known_partners import WEBHOOK, channel_sources
from trailhook.partner import Options
from trailhook.partners import REGISTRY, Partners, load_partner
from trailhook_local.cli import descriptors
from trailhook_local.cli.main import main


def trailhook(*arguments: str | Path, given: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=given)


@pytest.fixture
def lampworks(tmp_path: Path) -> Path:
    file = tmp_path / "lampworks.yaml"
    file.write_text(EXAMPLE)
    return file


def test_map_prints_what_becomes_of_each_event(lampworks: Path) -> None:
    result = trailhook("map", lampworks, "-", given=json.dumps(SENT))
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert set(printed) == {"id", "eventData", "kind", "from"}
    assert printed["eventData"]["eventName"] == "lamp.lit"
    assert printed["kind"] == "audit entry"
    assert printed["from"] == {
        "UID": "entry_id",
        "eventName": "object.type + action",
        "eventTime": "at",
        "userIdentity.type": "constant",
        "userIdentity.principalId": "actor.id",
        "sourceIPAddress": "context.ip",
        "errorCode": "outcome",
        "errorMessage": "reason",
    }


def test_map_says_why_an_event_is_refused_and_fails(lampworks: Path) -> None:
    result = trailhook("map", lampworks, "-", given=json.dumps(SENT) + '\n{"x": 1}\n{"x": 1, "x": 2}\nbroken')
    assert result.exit_code == 1
    assert re.findall(r'"refused": "(\w+)"', result.stdout) == ["UnknownForm", "AmbiguousJson", "NotJson"]
    assert re.sub(r"\s", "", result.stdout).count('"unmet":{"auditentry":{"at":"action"}}') == 1
    wrapped = trailhook("map", lampworks, "-", given='{"event": {"action": "lit"}, "at": 1}')
    assert json.loads(wrapped.stdout)["unmet"] == {"audit entry": {"at": "at"}}, "paths begin inside"
    assert trailhook("map", lampworks, "-", given="").exit_code == 1
    mixed = trailhook("map", lampworks, "-", given='{"x": 1}\n' + json.dumps(SENT))
    assert (mixed.exit_code, mixed.stderr) == (1, ""), "though the last one is mapped"


def test_map_says_of_a_built_in_partner_of_which_kind_an_event_is_and_where_its_fields_come_from() -> None:
    failed = {"event_name": "user_failed_login", "user_id": 1, "state": "blocked"}
    result = trailhook("map", "gitlab", "-", "-H", "Idempotency-Key: k-1", given=json.dumps(failed))
    printed = json.loads(result.stdout)
    assert printed["kind"] == "failed login"
    assert printed["from"] == {
        "UID": "idempotency-key (header)",
        "eventName": "event_name",
        "eventTime": "receipt",
        "userIdentity.type": "constant",
        "userIdentity.principalId": "user_id",
        "errorCode": "event_name",
        "errorMessage": "state",
    }


def test_map_says_where_the_fields_of_a_refused_event_would_come_from() -> None:
    result = trailhook("map", "gitlab", "-", given='{"author_id": 1, "entity_type": "User", "event_type": "member"}')
    printed = json.loads(result.stdout)
    assert (printed["refused"], printed["kind"]) == ("MissingTime", "audit event")
    assert set(printed["from"]) == {"eventName", "userIdentity.type", "userIdentity.principalId"}


def test_map_says_which_of_several_actors_counts(tmp_path: Path) -> None:
    file = tmp_path / "lamps.yaml"
    file.write_text(with_kind("actors:\n  - {id: nobody}\n  - {id: user}\n  - {id: service}"))
    event = {"type": "lit", "at": 1_762_331_405, "user": "mona", "service": "lamps"}
    printed = json.loads(trailhook("map", file, "-", given=json.dumps(event)).stdout)
    assert printed["eventData"]["userIdentity"]["principalId"] == "mona"
    assert printed["from"]["userIdentity.principalId"] == "user"


def test_map_names_each_kind_of_a_built_in_partner_that_an_event_is_not() -> None:
    unmet = json.loads(trailhook("map", "snyk", "-", given='{"org": 1}').stdout)["unmet"]
    assert unmet == {
        "audit-log entry": {"at": "event"},
        "project snapshot": {"at": "project"},
        "ping": {"at": "webhookId"},
    }


def test_map_takes_a_built_in_partner_headers_and_the_operators_list() -> None:
    result = trailhook(
        "map",
        "github",
        "-",
        "-H",
        "X-GitHub-Event: push",
        "--redact",
        "ref",
        given='{"ref": "main", "sender": {"id": 1}}',
    )
    assert result.exit_code == 0
    event = json.loads(result.stdout)["eventData"]
    assert event["eventName"] == "push"
    assert event["requestParameters"]["ref"] == "[redacted by trailhook]"


def test_map_keeps_the_headers_that_are_kept_of_every_partner() -> None:
    result = trailhook("map", "custom", "-", "-H", "Webhook-Id: msg_1", given='{"type": "lamp.lit"}')
    assert json.loads(result.stdout)["eventData"]["UID"] == "msg_1"


def test_map_refuses_a_path_that_no_member_can_have() -> None:
    result = trailhook("map", "github", "-", "--redact", "ssn,actor..email", given="{}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'actor..email' has a blank, or no name, beside one of its dots" in result.stderr


def test_map_names_every_mistake_of_a_descriptor_and_no_traceback(lampworks: Path) -> None:
    lampworks.write_text(EXAMPLE.replace("time: at", "tiem: at"))
    result = trailhook("map", lampworks, "-", given="{}")
    assert result.exit_code == 1
    assert f"{lampworks}:17: kinds[0].tiem: is not known" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", ":1: (file): not UTF-8"),
        (b"name: lampworks\ntitle: \x00", ":2: (file): not YAML"),
        (b"name: lampworks\ntitle: [", ":2: (file): not YAML"),
        (b"", ":1: (file): is empty"),
    ],
)
def test_a_file_that_is_no_yaml_is_said_to_be_none(lampworks: Path, content: bytes, told: str) -> None:
    lampworks.write_bytes(content)
    result = trailhook("compile", lampworks)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{lampworks}{told}")


def test_a_folder_that_cannot_be_is_said(lampworks: Path) -> None:
    result = trailhook("compile", lampworks, "--into", lampworks / "own")
    assert result.exit_code == 1
    assert "name another folder with --into" in result.stderr


def test_what_a_full_disk_does_not_take_leaves_the_former_one_in_place(tmp_path: Path, lampworks: Path) -> None:
    into: list[str | Path] = ["compile", lampworks, "--into", tmp_path / "own"]
    assert trailhook(*into).exit_code == 0
    compiled = tmp_path / "own" / "lampworks.json"
    former = compiled.read_text()
    # No file may get longer than nothing, which fails as a full disk does.
    ended = subprocess.run(
        ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-m", "trailhook_local.cli", *into],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "cannot write" in ended.stderr
    assert compiled.read_text() == former
    assert list(compiled.parent.iterdir()) == [compiled]


def test_a_header_without_its_value_and_a_sample_without_events_are_said(lampworks: Path) -> None:
    unread = trailhook("map", lampworks, "-", "-H", "X-Lampworks-Event", given=json.dumps(SENT))
    assert (unread.exit_code, "is not 'Name: value'" in unread.stderr) == (2, True)
    empty = trailhook("map", lampworks, "-", given="[]")
    assert (empty.exit_code, empty.stdout, "no event in this sample" in empty.stderr) == (0, "", True)


def test_a_file_that_is_not_there_and_one_under_another_name(tmp_path: Path, lampworks: Path) -> None:
    missing = trailhook("map", "nothing", "-", given="{}")
    assert missing.exit_code == 2, "1 is for an event that is refused"
    assert "nor is it one of: " in missing.stderr
    assert "Name a descriptor's YAML file" in missing.stderr
    other = lampworks.rename(tmp_path / "other.yaml")
    assert "the file must be lampworks.yaml" in trailhook("map", other, "-", given="{}").stderr


def test_an_operators_own_partner_is_a_compiled_file_in_a_folder(tmp_path: Path, lampworks: Path) -> None:
    assert trailhook("compile", lampworks, "--into", tmp_path / "own").exit_code == 0
    own = tmp_path / "own"
    partner = load_partner("lampworks", Options(), own)
    assert (partner.name, partner.source) == ("lampworks", "Custom")
    assert set(Partners(Options(), own)) == {*REGISTRY, "lampworks"}
    assert Partners(Options(), own)["lampworks"].name == "lampworks"
    assert channel_sources("lampworks", own) == {WEBHOOK: "Custom"}
    assert channel_sources("nobody", own) == {}
    with pytest.raises(SettingsError, match="lampworks"):
        load_partner("nobody", Options(), own)


@pytest.mark.parametrize("name", ["wiz", "clumio"])
def test_a_name_that_is_built_in_is_not_taken_for_ones_own(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.yaml"
    file.write_text(MINIMAL.replace("name: lamps", f"name: {name}", 1))
    result = trailhook("compile", file)
    assert result.exit_code == 1
    assert "built in" in result.stderr
    assert trailhook("compile", file, "--into", tmp_path / "elsewhere").exit_code == 0


def test_any_other_name_may_be_ones_own(tmp_path: Path, lampworks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "OWN", tmp_path / "own")
    for _ in ("at first", "and again"):
        result = trailhook("compile", lampworks, "--into", tmp_path / "own")
        compiled = tmp_path / "own" / "lampworks.json"
        assert (result.exit_code, result.stdout) == (0, f"{lampworks} -> {compiled}\n")
        assert compiled.exists()


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 0, "name": "lamps"}'])
def test_a_file_that_another_version_compiled_is_refused_with_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "lamps.json").write_text(text)
    with pytest.raises(SettingsError, match=r"lamps\.json .*: run `trailhook compile` on its YAML"):
        load_partner("lamps", Options(), tmp_path)
    with pytest.raises(SettingsError, match=r"lamps\.json"):
        channel_sources("lamps", tmp_path)
    assert load_partner("wiz", Options(), tmp_path).name == "wiz"
