"""Secrets do not reach a store that nobody can delete from: what is taken out, what is not, and how it is said."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.partners.cases import compact, delivery, outcomes
from tests.partners.redacting import X, redact

from trailhook import secret_names as names
from trailhook.errors import SettingsError
from trailhook.partner import Options
from trailhook.partners import REGISTRY, load_partner
from trailhook.redaction import LONGEST_TOLD, MOST_TOLD, REDACTED, Redaction
from trailhook.settings import ForwardSettings


@pytest.mark.parametrize(
    "name",
    [
        *("password", "newPassword", "user_password", "PASSWORD", "db-passwd", "userpassword", "passphrase"),
        *("secret", "client_secret", "clientSecret", "webhookSecret", "ClientSecret", "client-secret"),
        *("token", "access_token", "accessToken", "apiToken", "ID_TOKEN", "authtoken", "jwt"),
        *("authorization", "Authorization", "proxy-authorization", "cookie", "Set-Cookie"),
        *("private_key", "privateKey", "api_key", "apiKey", "apikey", "x-api-key", "secret_access_key", "signing_key"),
        *("credentials", "credential", "authtokens", "page_access_token"),
        *("next_password", "sync_secret", "page_api_key", "continuation_credentials"),
        *("hashed_password", "passwordHash", "user_password_digest", "passwordhash", "password_hashes", "pwd_sha256"),
        *("password1", "new_password_2", "token_2", "hash_secret", "usersecrets", "usercookie"),
        *("userpasswords", "dbpasswd", "rootpwd", "mypassphrase", "pwdhash", "userpasswordhashes", "accessjwt"),
        *("secretkey", "signingkey", "apikeys", "APIkey", "accesskeys"),
        *(
            "accessed_token",
            "connection_strings",
            "secretBinary",
            "secret_value",
            "secretString",
            "token_values",
            "private_key_pem",
            "connectionString",
            "password_1_value",
        ),
        *("password_md5", "passwordHashed", "passwordBcrypt"),
        *("passWord", "PassWord", "pass_word", "pass-words", "userPassWord", "passWordHash", "PASSWORDHASH", "pass_wd"),
        *("passPhrase", "pass_phrase", "PassCode", "pass-code", "PASSWORDs", "TOKENs", "API_KEYs", "SECRETs"),
        *("passwordV2", "token_v2", "apiKeyV1", "client_secret_v10", "secret_v2_value"),
        "x" * 100 + "_password",
        "not_only_one_word_but_a_name_of_many_words_which_ends_as_a_secrets_does_in_api_token",
    ],
)
def test_a_name_that_says_secret_is_enough(name: str) -> None:
    told = f"requestParameters.config.{name}"[:LONGEST_TOLD]
    assert redact({"config": {name: X}}) == ({"config": {name: REDACTED}}, [told])


@pytest.mark.parametrize(
    "name",
    [
        *("token_id", "tokenType", "token_name", "hashed_token", "token_scopes", "truncated_token", "next_token"),
        *("nextPageToken", "page_token", "password_policy", "secret_scanning", "secret_type", "passwordChangedAt"),
        *("key", "public_key", "entity_key", "primary_key", "key_id", "accessKeyId", "keyboard", "secretary"),
        *("token_hash", "hashed_api_key", "hash", "digest", "masked_password", "syncToken", "continuation_token"),
        *("nexttoken", "sha256", "md5", "pagetokens", "hashed_secret", "secret_hash", "primarykey"),
        *("value", "values", "1_value", "display_value", "pem", "cert_pem", "public_key_pem", "token_md5"),
        *("accessedSecrets", "string", "connection"),
        *(
            "compass_code",
            "bypassCode",
            "passes",
            "pass",
            "passwordless",
            "passWordPolicyV2",
            "token_id_v2",
            "secretIDs",
            "v2",
        ),
        *("author", "authorization_id", "credential_type", "cookie_name", "tokenizer", "session", "description"),
    ],
)
def test_a_name_that_only_names_a_secret_is_not_one(name: str) -> None:
    assert redact({name: "kept"}) == ({name: "kept"}, [])


@pytest.mark.parametrize("value", [True, False, "true", "False", None, "", [], {}])
def test_what_holds_nothing_is_evidence_and_stays(value: Any) -> None:
    assert redact({"password": value, "token": value}) == ({"password": value, "token": value}, [])


def test_lists_and_objects_of_secrets() -> None:
    members = {
        "tokens": ["a", "b"],
        "credentials": {"id": "c-1", "type": "jwt", "scopes": ["read"], "pem": "x", "nested": {"value": "y", "n": 1}},
        "token": {"id": "t-1", "name": "ci", "ending": "kept", "secret": "z"},
        "password": {"hash": "x", "pin": 1234},
    }
    kept, removed = redact(members)
    assert kept["tokens"] == [REDACTED, REDACTED]
    assert kept["credentials"] == {
        "id": "c-1",
        "type": "jwt",
        "scopes": ["read"],
        "pem": REDACTED,
        "nested": {"value": REDACTED, "n": 1},
    }
    assert kept["token"] == {"id": "t-1", "name": "ci", "ending": "kept", "secret": REDACTED}
    assert kept["password"] == {"hash": REDACTED, "pin": REDACTED}
    assert "requestParameters.tokens.1" in removed


def test_the_ids_of_a_jwt_and_of_its_key_say_which_it_was() -> None:
    members = {"credentials": {"jti": "5f0c", "scopes": ["read:users"]}, "secrets": [{"kid": "k-1", "k": "x"}]}
    kept, removed = redact(members)
    assert kept == members | {"secrets": [{"kid": "k-1", "k": REDACTED}]}
    assert removed == ["requestParameters.secrets.0.k"]


def test_a_pair_is_judged_by_its_label() -> None:
    pairs = [
        {"name": "client_secret", "before_value": "a", "value": "b"},
        {"Key": "api_token", "ValueString": "c"},
        {"fieldName": "Password", "changedFrom": "d", "changedTo": "e"},
        {"name": "color", "old_value": "red", "new_value": "blue"},
        {"header": "Authorization", "value": "f"},
        {"displayName": "Client secret", "display_value": "g", "previous": "kept"},
        {"setting": "require_password", "value": "true", "old_value": "false"},
    ]
    kept, removed = redact({"changes": pairs})
    assert kept["changes"][0] == {"name": "client_secret", "before_value": REDACTED, "value": REDACTED}
    assert kept["changes"][1] == {"Key": "api_token", "ValueString": REDACTED}
    assert kept["changes"][2] == {"fieldName": "Password", "changedFrom": REDACTED, "changedTo": REDACTED}
    assert kept["changes"][3] == pairs[3]
    assert kept["changes"][4] == {"header": "Authorization", "value": REDACTED}
    assert kept["changes"][5] == {
        "displayName": "Client secret",
        "display_value": REDACTED,
        "previous": "kept",
    }
    assert kept["changes"][6] == pairs[6]
    assert len(removed) == 7


def test_what_a_member_says_itself_is_no_value_of_its_label() -> None:
    """CrowdStrike has the hash of a file beside the name of what was found, which may be called after secrets."""
    members = {"Name": "Access to stored credentials", "SHA256String": "01ba", "MD5String": "68b3", "string": X}
    kept, removed = redact(members | {"AttributeValueString": X, "new_value_2": X})
    assert kept == members | {"string": REDACTED, "AttributeValueString": REDACTED, "new_value_2": REDACTED}
    assert removed == [f"requestParameters.{name}" for name in ("string", "AttributeValueString", "new_value_2")]


def test_a_pair_whose_label_is_on_a_list_loses_its_values() -> None:
    redaction = Redaction.of(["ssn", "entity.ENCRYPTION_KEY"])
    pair = {"key": "SSN", "value": {"is": 1}, "old_value": 2, "id": 3}
    below = {"key": "encryption_key", "value": "x"}
    kept, removed = redact({"fields": [pair], "entity": below, "other": below}, redaction)
    assert kept["fields"] == [{"key": "SSN", "value": REDACTED, "old_value": REDACTED, "id": 3}]
    assert kept["entity"] == {"key": "encryption_key", "value": REDACTED}
    assert kept["other"] == below
    assert removed == [f"requestParameters.{path}" for path in ("fields.0.value", "fields.0.old_value", "entity.value")]


@pytest.mark.parametrize("name", ["api_key", "token", "Authorization", "id_tokens"])
def test_what_a_token_was_and_is_goes_and_what_is_said_of_it_stays(name: str) -> None:
    members = {"from": "a", "to": "b", "new_value": "c", "ending": "kept", "old": {"nested": "kept"}, "before": 1}
    members |= {"valid_from": "2026-01-01", "assigned_to": "mira", "is_new": "yes", "期限": "2026-12-31", "1": "kept"}
    members |= {"value1": "d"}
    gone = dict.fromkeys(("from", "to", "new_value", "value1"), REDACTED)
    assert redact({"changes": {name: members}})[0] == {"changes": {name: members | gone}}
    assert redact({"changes": {name: [members]}})[0] == {"changes": {name: [members | gone]}}


@pytest.mark.parametrize("value", ["true", "False", "read"])
def test_what_is_listed_goes_whatever_it_says(value: str) -> None:
    kept, _ = redact({"permissions": {"pregnant": value}}, Redaction.of(["pregnant"]))
    assert kept == {"permissions": {"pregnant": REDACTED}}


def test_which_secrets_somebody_read_stays() -> None:
    members = {"details": {"accessedSecrets": ["client_secret"]}, "session_cookie": {"mode": "non-persistent"}}
    assert redact(members) == (members, [])


def test_a_permission_to_secrets_is_no_secret() -> None:
    assert redact({"permissions": {"secrets": "read"}})[1] == []
    assert redact({"permissions_added": {"organization": {"organization_secrets": "write"}}})[1] == []
    assert redact({"permissions": [{"name": "secrets", "value": "Read"}, {"tokens": ["create", "delete"]}]})[1] == []


@pytest.mark.parametrize("level", ["read-only", "read_write", "Read & write", "readwrite", "deny", "granted", "all"])
def test_what_a_permission_allows_stays_in_any_words(level: str) -> None:
    assert redact({"permissions": {"secrets": level, "tokens": [level]}})[1] == []


def test_every_word_that_decides_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "redaction.md").read_text()
    texts = (page, page.replace("(s)", "s"))
    told = {word for text in texts for joined in (text, text.replace("_", "")) for word in re.findall("[a-z]+", joined)}
    keys = {f"{kind}key{plural}" for kind in names._KEYS for plural in ("", "s")}
    words = frozenset().union(
        *(names._PASSWORDS, names._HASHES, names._WITHIN, names._TEXTS, names._KEYS, {*names._IN_ONE_WORD} - keys),
        *(names._HARMLESS, names._PAGING, names.TELLING, names._LEVELS, names._FORMS),
        *({label.replace("_", "") for label in names.LABELS}, names.LABELLED),
    )
    assert sorted(word for word in words if word not in told and word.removesuffix("es") not in told) == []


def test_a_secret_below_a_permission_is_one() -> None:
    members = {"permission": {"api_token": X, "secrets": {"of": "read", "ci": X}, "password": 1234}}
    kept, removed = redact(members)
    assert kept == {
        "permission": {"api_token": REDACTED, "secrets": {"of": "read", "ci": REDACTED}, "password": REDACTED}
    }
    assert removed == [f"requestParameters.permission.{name}" for name in ("api_token", "secrets.ci", "password")]


@pytest.mark.parametrize(
    "secret", ["пароль", "密码", "!@#$%^&*()", "all$$$", "use#only!", "----", "admin密码", "read."]
)
def test_a_secret_below_a_permission_is_one_whatever_it_is_written_in(secret: str) -> None:
    assert redact({"permissions": {"password": secret}})[0] == {"permissions": {"password": REDACTED}}


def test_a_label_of_several_words_is_one_up_to_the_length_of_a_name() -> None:
    longest = "the " + "_password".rjust(names.LONGEST_NAME - 4, "o")
    for label, removed in (("The lamp keeper's own old password", True), (longest, True), (f"x{longest}", False)):
        assert bool(redact({"name": label, "value": X})[1]) == removed, label


def test_words_of_permissions_without_an_end_are_no_level() -> None:
    level = " ".join(["read"] * 13)
    assert len(level) == names.LONGEST_NAME
    assert redact({"permissions": {"secrets": level}})[1] == []
    assert redact({"permissions": {"secrets": f"{level},all"}})[1] == ["requestParameters.permissions.secrets"]


def test_a_sentence_is_no_label() -> None:
    title = "A title of many words, more than any name would have, that ends with the word password"
    assert redact({"items": [{"name": title, "value": "kept"}]})[1] == []
    variable = "A_VARIABLE_WHOSE_NAME_IS_LONGER_THAN_A_NAME_IS_BUT_WHICH_IS_STILL_A_TOKEN"
    assert redact({"items": [{"name": variable, "value": X}]})[0] == {"items": [{"name": variable, "value": REDACTED}]}


def test_a_list_of_ones_own_takes_members_wherever_they_stand_and_paths_by_their_end() -> None:
    redaction = Redaction.of(["ssn", " actor.Email "], ("body",))
    members = {"SSN": 1, "a": {"ssn": "2"}, "actor": {"email": "e", "id": 1}, "email": "kept", "body": {"x": [1]}}
    kept, removed = redact(members, redaction)
    assert kept == {
        "SSN": REDACTED,
        "a": {"ssn": REDACTED},
        "actor": {"email": REDACTED, "id": 1},
        "email": "kept",
        "body": REDACTED,
    }
    assert removed == [f"requestParameters.{path}" for path in ("SSN", "a.ssn", "actor.email", "body")]


FORWARD = {
    "PARTNER": "github",
    "DELIVERY_QUEUE_URL": "https://sqs.example/q",
    "CHANNEL_ARN": "arn:aws:cloudtrail:us-east-1:111122223333:channel/0a1b2c3d",
    "QUARANTINE_BUCKET": "quarantine",
}


def test_the_list_of_the_settings_may_have_spaces_and_gaps() -> None:
    settings = ForwardSettings.from_environ({**FORWARD, "REDACT": " ssn, actor.email ,,"})
    assert settings.options.redact == ("ssn", "actor.email")


@pytest.mark.parametrize("path", ["a..b", ".a", "a.", ".", "a. .b", "a. b", "a .b"])
def test_a_path_that_no_member_can_have_is_refused(path: str) -> None:
    with pytest.raises(
        SettingsError, match=r"REDACT: .* has a blank, or no name, beside one of its dots; say .* like ssn,actor"
    ):
        ForwardSettings.from_environ({**FORWARD, "REDACT": f"ssn,{path}"})


@pytest.mark.parametrize("path", ["user.email", "email", "actor.user.email"])
def test_a_member_whose_own_name_has_dots_is_found(path: str) -> None:
    members = {"actor": {"user.email": "e", "user.name": "kept"}}
    assert redact(members, Redaction.of([path])) == (
        {"actor": {"user.email": REDACTED, "user.name": "kept"}},
        ["requestParameters.actor.user.email"],
    )


@pytest.mark.parametrize("path", ["userIdentity.details", "details", "details.email", "userIdentity.details.email"])
def test_a_path_may_begin_or_end_with_where_the_members_are(path: str) -> None:
    removed: list[str] = []
    kept = Redaction.of([path]).apply("userIdentity.details", {"email": "e"}, removed)
    assert (kept, removed) == ({"email": REDACTED}, ["userIdentity.details.email"])


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("emails.0", {"emails": [REDACTED, "c"], "rows": [["d", "e"]]}),
        ("rows.0.1", {"emails": ["a", "c"], "rows": [["d", REDACTED]]}),
        ("rows.0", {"emails": ["a", "c"], "rows": [REDACTED]}),
        ("1", {"emails": ["a", REDACTED], "rows": [["d", REDACTED]]}),
        ("emails.2", {"emails": ["a", "c"], "rows": [["d", "e"]]}),
    ],
)
def test_elements_of_a_list_count_by_their_number(path: str, kept: Mapping[str, Any]) -> None:
    assert redact({"emails": ["a", "c"], "rows": [["d", "e"]]}, Redaction.of([path]))[0] == kept


def test_what_holds_no_secret_is_not_copied() -> None:
    members = {"large": [{"a": 1}] * 3, "token": "t", "more": [{"token": "t"}, {"a": {"b": 2}}]}
    kept, _ = redact(members)
    assert kept["large"] is members["large"]
    assert kept["more"][1] is members["more"][1]


def test_a_mark_that_is_put_elsewhere_is_listed_there() -> None:
    shown = Redaction.of(["who.email"]).shown({"who": {"email": "e"}})
    assert redact({"address": shown["who"]["email"]}) == ({"address": REDACTED}, ["requestParameters.address"])


def test_of_many_secrets_all_are_counted_and_the_first_are_told() -> None:
    kept, removed = redact({"K" * 10_000: {"tokens": ["x"] * 5_000}})
    assert kept == {"K" * 10_000: {"tokens": [REDACTED] * 5_000}}
    assert len(removed) == 5_000
    assert sum(map(len, removed)) == MOST_TOLD * LONGEST_TOLD


def test_the_event_that_is_redacted_is_not_changed() -> None:
    members = {"a": [{"token": X}]}
    redact(members)
    assert members == {"a": [{"token": X}]}


EVENTS: dict[str, dict[str, Any]] = {
    "atlassian": {"webhookEvent": "a"},
    "auth0": {"type": "a", "date": 1762331400},
    "cloudflare": {"ActionType": "a", "When": 1762331400},
    "crowdstrike": {"metadata": {"eventType": "a", "eventCreationTime": 1762331400}, "event": {"UserId": "u"}},
    "custom": {"type": "a", "timestamp": "2025-11-05T08:30:00Z"},
    "cyberark": {"uuid": "u", "auditCode": "a", "timestamp": 1762331400},
    "github": {"action": "a", "@timestamp": 1762331400123},
    "gitlab": {"object_kind": "a"},
    "kong": {"source": "a", "event": "b"},
    "launchdarkly": {"_id": "1", "kind": "a", "date": 1762331400},
    "netskope": {"audit_log_event": "a", "timestamp": 1762331400},
    "okta": {"eventType": "a", "published": "2025-11-05T08:30:00Z"},
    "onelogin": {"event_type_id": 1, "event_timestamp": "2025-11-05 08:30:00 UTC"},
    "onepassword": {"action": "a", "actor_uuid": "u", "timestamp": "2025-11-05T08:30:00Z"},
    "pagerduty": {"event_type": "a", "occurred_at": "2025-11-05T08:30:00Z"},
    "slack": {"action": "a", "date_create": 1762331400},
    "snyk": {"event": "a", "created": "2025-11-05T08:30:00Z"},
    "terraform": {"trigger": "a", "trigger_scope": "b"},
    "wiz": {"action": "a", "timestamp": "2025-11-05T08:30:00Z"},
    "zoom": {"event": "a", "payload": {"account_id": "1"}},
}


@pytest.mark.parametrize("partner", sorted(EVENTS))
def test_every_partners_events_lose_secrets_and_the_operators_list_and_keep_their_id(partner: str) -> None:
    body = EVENTS[partner] | {"more": {"client_secret": X, "ssn": X}}
    sent = delivery(partner, compact(body).encode())
    [by_default] = outcomes(sent)
    assert by_default["eventData"]["requestParameters"]["more"] == {"client_secret": REDACTED, "ssn": X}
    [event] = load_partner(partner, Options(redact=("ssn",))).events(sent)
    own = load_partner(partner, Options(redact=("ssn",))).to_audit_event(event)
    assert own.fields["requestParameters"]["more"] == {"client_secret": REDACTED, "ssn": REDACTED}
    assert own.fields["additionalEventData"]["redacted"] == [
        "requestParameters.more.client_secret",
        "requestParameters.more.ssn",
    ]
    assert own.id == by_default["id"]


def test_what_was_typed_in_a_session_of_psm_goes_with_the_texts_that_it_stands_in() -> None:
    details = f"Command=mysql -p{X};SrcHost=192.0.2.7;"
    record = {"IsoTimestamp": "2025-11-05T08:30:00Z", "Issuer": "mira", "Desc": "Keystroke logging"}
    body = {
        "raw": f"<syslog><audit_record><ExtraDetails>{details}</ExtraDetails></audit_record></syslog>",
        "syslog": {"audit_record": record | {"ExtraDetails": details}},
    }
    partner = load_partner("cyberark", Options(redact=("ExtraDetails", "raw")))
    [event] = partner.events(delivery("cyberark", compact(body).encode()))
    assert X not in compact(partner.to_audit_event(event).fields)


@pytest.mark.parametrize(
    ("partner", "rule", "more"),
    [
        ("custom", "actor.email", {"actor": {"id": "u", "email": X}}),
        ("custom", "data.actor.email", {"data": {"actor": {"id": "u", "email": X}}}),
        ("github", "sender.login", {"sender": {"id": 7, "login": X}}),
        ("okta", "actor.detailEntry.mail", {"actor": {"id": "u", "detailEntry": {"mail": X}}}),
        ("okta", "actor.displayName", {"actor": {"id": "u", "displayName": X}}),
        ("wiz", "user.name", {"user": {"id": "u", "name": X}}),
        ("custom", "data.ssn", {"specversion": "1.0", "id": "1", "source": "/lamps", "data": {"ssn": X}}),
        ("custom", "data", {"specversion": "1.0", "id": "1", "source": "/lamps", "data": {"ssn": X}}),
        ("okta", "outcome.note", {"outcome": {"result": "FAILURE", "note": X}}),
        ("okta", "outcome", {"outcome": {"result": "FAILURE", "note": X}}),
        ("custom", "actor", {"actor": {"id": "u", "note": X}}),
        ("custom", "data.actor", {"data": {"actor": {"id": "u", "note": X}}}),
        ("custom", "data", {"data": {"actor": {"id": "u", "note": X}}}),
        ("github", "sender", {"sender": {"id": 7, "login": X}}),
        ("okta", "actor", {"actor": {"id": "u", "note": X}}),
        ("wiz", "user", {"user": {"id": "u", "note": X}}),
    ],
)
def test_what_a_rule_takes_out_of_an_event_is_not_left_where_it_is_put(
    partner: str, rule: str, more: dict[str, Any]
) -> None:
    headers = {"x-github-event": "push"} if partner == "github" else {}
    [event] = load_partner(partner, Options()).events(
        delivery(partner, compact(EVENTS[partner] | more).encode(), headers)
    )
    everything = load_partner(partner, Options()).to_audit_event(event)
    assert X.encode() in everything.text
    rest = load_partner(partner, Options(redact=(rule,))).to_audit_event(event)
    assert X.encode() not in rest.text
    last = rule.rpartition(".")[2]
    assert any(path.endswith(f".{last}") for path in rest.fields["additionalEventData"]["redacted"])
    assert REDACTED.encode() in rest.text
    assert rest.id == everything.id


def test_a_sender_who_writes_the_mark_has_hidden_nothing() -> None:
    written = "".join([REDACTED[:5], REDACTED[5:]])
    assert redact({"note": written, "token": X}) == ({"note": written, "token": REDACTED}, ["requestParameters.token"])


@pytest.mark.parametrize(
    ("partner", "member"),
    [
        ("kong", "payload"),
        ("launchdarkly", "mobileKey"),
        ("launchdarkly", "sdkKey"),
        ("pagerduty", "integration_key"),
        ("auth0", "ticket_url"),
        ("auth0", "invitation_url"),
        ("auth0", "recovery_code"),
        ("pagerduty", "routing_key"),
        ("pagerduty", "service_key"),
        ("zoom", "start_url"),
        ("zoom", "host_key"),
        ("zoom", "participant_pin_code"),
        ("zoom", "stream_key"),
        ("zoom", "meeting_join_url"),
        ("zoom", "zoom_join_url"),
        ("zoom", "join_link"),
        ("zoom", "manage_url"),
        ("zoom", "session_pin"),
    ],
)
def test_a_partners_own_secrets_go_although_their_names_do_not_tell(partner: str, member: str) -> None:
    [outcome] = outcomes(delivery(partner, compact(EVENTS[partner] | {"more": {member: X}}).encode()))
    assert outcome["eventData"]["requestParameters"]["more"] == {member: REDACTED}
    assert redact({"more": {member: X}}) == ({"more": {member: X}}, [])


@pytest.mark.parametrize("entity", ["entity", "old_entity"])
@pytest.mark.parametrize("member", ["key", "key_alt", "jwk", "config"])
def test_what_opens_something_in_an_entity_of_kongs_goes(entity: str, member: str) -> None:
    [outcome] = outcomes(delivery("kong", compact(EVENTS["kong"] | {entity: {"id": "e-1", member: X}}).encode()))
    assert outcome["eventData"]["requestParameters"][entity] == {"id": "e-1", member: REDACTED}


def test_what_auth0s_management_api_answers_with_opens_nothing() -> None:
    """A password change ticket counts for five days, and neither its name nor that of its id tells."""
    request = {"method": "post", "path": "/api/v2/tickets/password-change", "body": {"ticket_id": "kept"}}
    answer = {"ticket": "https://lamp.example.com/lo/reset?ticket=not-a-real-one", "ticket_id": "not-a-real-one"}
    details = {"request": request, "response": {"statusCode": 201, "body": answer}}
    [outcome] = outcomes(delivery("auth0", compact(EVENTS["auth0"] | {"type": "sapi", "details": details}).encode()))
    shown = outcome["eventData"]["requestParameters"]["details"]
    assert shown["request"] == request
    assert shown["response"]["body"] == {"ticket": REDACTED, "ticket_id": REDACTED}


def test_pins_of_zooms_are_secrets_as_numbers_too() -> None:
    event = EVENTS["zoom"] | {
        "payload": {"object": {"registrant": {"participant_pin_code": 380303}, "host_key": 123456}}
    }
    [outcome] = outcomes(delivery("zoom", compact(event).encode()))
    assert outcome["eventData"]["requestParameters"]["payload"] == {
        "object": {"registrant": {"participant_pin_code": REDACTED}, "host_key": REDACTED}
    }


def test_a_great_many_secrets_are_counted_not_listed() -> None:
    [outcome] = outcomes(delivery("wiz", compact(EVENTS["wiz"] | {"tokens": ["x"] * 500}).encode()))
    redacted = outcome["eventData"]["additionalEventData"]["redacted"]
    assert len(redacted) == 31
    assert redacted[-1] == "and 470 more"


def test_every_partner_takes_the_operators_list() -> None:
    for name in REGISTRY:
        assert load_partner(name, Options(redact=("a.b",))).name == name
