"""What a JSON Patch or SCIM writes is judged by its path, as if it stood there."""

from typing import Any

import pytest
from tests.cpu_time import cost_ratio
from tests.partners.redacting import X, redact

from trailhook.redaction import REDACTED, Redaction


@pytest.mark.parametrize(
    ("path", "value", "kept"),
    [
        ("/secret", X, REDACTED),
        ("/config/apiKey", X, REDACTED),
        ("/tokens/0", X, REDACTED),
        ("/tokens/-", X, REDACTED),
        ("/secrets/github", X, REDACTED),
        ("/token/value", X, REDACTED),
        ("/environments/public/apiKey", X, REDACTED),
        (f"/{'two words ' * 10}/apiKey", X, REDACTED),
        ("/password", 1234, REDACTED),
        ("/credentials", {"id": "c-1", "pem": X}, {"id": "c-1", "pem": REDACTED}),
        ("password", X, REDACTED),
        ("urn:ietf:params:scim:schemas:core:2.0:User:password", X, REDACTED),
        ("/name", X, X),
        ("/secretName", X, X),
        ("/secrets/0/name", X, X),
        ("/token/ending", X, X),
        ("/access/0/key", X, X),
        ("/permissions/secrets", "write", "write"),
        ("/permissions/secrets", X, REDACTED),
        ('emails[type eq "work"].value', X, X),
        ('emails[value eq "/secret"].value', X, X),
        ('secrets[name eq "a.b]:c"].primary', X, REDACTED),
        ("credentials.primary", X, REDACTED),
        ("credentials.name", X, X),
        ("config/apiKey", X, REDACTED),
        ("docs/secret.txt", X, X),
        ('variables["DB_PASSWORD"]', X, REDACTED),
        ("$.config['apiKey']", X, REDACTED),
        ("$.items[0].secrets[1].inner", X, REDACTED),
        ("tokens[*]", X, REDACTED),
        ("tokens[]", X, REDACTED),
        ("headers[Authorization].value", X, REDACTED),
        ("$.tags['first name']", X, X),
        ('emails[password pr and type eq "work"].value', X, X),
        ("credentials.prod:primary", X, REDACTED),
        ('apps[id eq "1"].secrets[name eq "2"].primary', X, REDACTED),
        ('apps["one"].secrets[name eq "2"].primary', X, REDACTED),
        ('apps[id eq "1"].variables["DB_PASSWORD"]', X, REDACTED),
        ("/hasPassword", True, True),
        (7, X, X),
    ],
)
def test_the_path_of_a_json_patch_says_what_its_value_is(path: Any, value: Any, kept: Any) -> None:
    delta = [{"op": "replace", "path": path, "value": value}]
    assert redact({"delta": delta})[0] == {"delta": [{"op": "replace", "path": path, "value": kept}]}


def test_of_a_path_of_very_many_names_the_last_ones_are_looked_at() -> None:
    def patch(length: int) -> dict[str, Any]:
        return {"op": "add", "path": "".join(f"/k{number}" for number in range(length)), "value": X}

    long, short = patch(20_000), patch(8)
    assert cost_ratio(lambda: redact(long), lambda: [redact(short) for _ in range(100)]) < 1
    secret = long | {"path": f"{long['path']}/secrets/0/ci/old/of/it"}
    assert redact(secret)[0] == secret | {"value": REDACTED}


def test_a_path_alone_says_nothing_of_what_stands_beside_it() -> None:
    for members in (
        {"path": "/oauth/token", "from": "192.0.2.7", "value": X},
        {"op": "move", "from": "/token", "path": "/secret"},
        {"op": "remove", "path": "/secret"},
    ):
        assert redact(members) == (members, [])


def test_a_json_patch_is_looked_at_whatever_the_event_before_it_held() -> None:
    redact({"op": "login", "password": X, "path": "/", "value": X})
    patch = {"op": "replace", "path": "/secret", "value": X}
    assert redact(patch)[0] == patch | {"value": REDACTED}


def test_the_path_of_a_json_patch_may_be_on_a_list() -> None:
    patch = {"op": "add", "path": "/actor/email", "value": "mira@example.com"}
    assert redact(patch, Redaction.of(["actor.email"]))[0] == patch | {"value": REDACTED}
    assert redact(patch, Redaction.of(["email"]))[0] == patch | {"value": REDACTED}
    assert redact(patch, Redaction.of(["owner"]))[0] == patch
    assert redact(patch, Redaction.of(["actor"]))[0] == patch | {"value": REDACTED}
    assert redact(patch, Redaction.of(["owner.email"]))[0] == patch


@pytest.mark.parametrize(
    ("path", "listed"),
    [
        ("/profile/home~1office", "home/office"),
        ("/profile/a~01", "a~1"),
        ("/actor~1email/0", "actor/email"),
        ('emails[type eq "work"].value', "emails"),
        ('emails[type eq "work"].value', "emails.value"),
        ('emails[value eq "mira]@example.com"]', "emails"),
        ("$.emails[0].value", "emails"),
        ("$['actor']['email']", "actor.email"),
        ("name.familyName", "name"),
        ("URN:example:schemas:1.0:User:manager", "manager"),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName", "manager"),
    ],
)
def test_the_path_of_a_patch_is_on_a_list_as_the_member_that_it_leads_to(path: str, listed: str) -> None:
    patch = {"op": "replace", "path": path, "value": "mira"}
    assert redact(patch, Redaction.of([listed]))[0] == patch | {"value": REDACTED}
    assert redact(patch, Redaction.of(["other"])) == (patch, [])


@pytest.mark.parametrize("repeated", ["[", "a[b]", '["\\"', '[\\"', '[""', "[a eq "])
def test_brackets_cost_no_more_than_they_are_long(repeated: str) -> None:
    def patch(length: int) -> dict[str, Any]:
        return {"op": "add", "path": '["' + repeated * length, "value": X}

    long, short = patch(20_000), patch(2_000)
    assert cost_ratio(lambda: redact(long), lambda: redact(short)) < 30
