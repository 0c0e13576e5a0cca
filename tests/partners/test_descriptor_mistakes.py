"""What is wrong with a descriptor is said by line and field, with what is allowed there."""

import re

import pytest
from tests.partners.descriptors import MINIMAL, PAGE, with_kind

from trailhook_local.descriptors.compiler import DescriptorError, compile_descriptor


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL + "nonsense: 1\n",
        MINIMAL + "handshake: {nonsense: 1}\n",
        with_kind("nonsense: 1"),
        with_kind("actors: {nonsense: 1}"),
        with_kind("failures: {nonsense: 1}"),
        with_kind("uid: {nonsense: 1}"),
        with_kind("when: {nonsense: 1}"),
        with_kind("uid: {at: a, when: {nonsense: 1}}"),
        *(
            MINIMAL + f"proofs: {{{kind}: {{nonsense: 1}}}}\n"
            for kind in ("token", "hmac", "timestamped_hmac", "nonsense")
        ),
    ],
)
def test_every_field_that_is_allowed_is_on_the_page(text: str) -> None:
    with pytest.raises(DescriptorError) as caught:
        compile_descriptor(text, "lamps.yaml")
    allowed = {name for names in re.findall(r"allowed here: (.*)", str(caught.value)) for name in names.split(", ")}
    assert allowed
    assert {name for name in allowed if f"`{name}`" not in PAGE and f"{{{name}: " not in PAGE} <= {"at", "with"}


@pytest.mark.parametrize(
    ("text", "line", "field", "words"),
    [
        ("", 1, "(file)", "empty"),
        ("- a\n", 1, "(file)", "mapping"),
        ("name: [\n", 2, "(file)", "not YAML"),
        ("name: lamps\ntitle: 'x\n", 3, "(file)", "a quoted scalar that begins in line 2, found unexpected end"),
        ("name: lamps\n\ttitle: x\n", 2, "(file)", "indent with blanks, not with tabs"),
        (MINIMAL.replace("    time: at", "   time: at"), 8, "(file)", "indented like those that it belongs to?"),
        (with_kind("uid: @id"), 9, "(file)", "put the text in quotes"),
        (
            with_kind("uid: actor.user-id"),
            9,
            "kinds[0].uid",
            "quote those of more than letters, digits and _: 'actor.\"user-id\"'",
        ),
        (with_kind("uid: '@id'"), 9, "kinds[0].uid", "join names with dots"),
        (with_kind("uid: $.id"), 9, "kinds[0].uid", "it begins with a member's name: leave out the $"),
        (with_kind("uid: {at: ids[0]}"), 9, "(file)", "put a path with brackets in quotes"),
        (with_kind("uid: {join: [a, ids[0]]}"), 9, "(file)", "put a path with brackets in quotes"),
        (with_kind("uid: {join: [a, ids[?b=='c']]}"), 9, "(file)", "put a path with brackets in quotes"),
        (with_kind("uid: {a}.{b}"), 9, "(file)", "put the whole text in quotes"),
        (with_kind("uid: {join: [a, b] with: c}"), 9, "(file)", "is a comma missing"),
        (with_kind("uid: {join: [a, b], with: {a}.{b}}"), 9, "(file)", "is a text with braces in it not in quotes?"),
        (
            MINIMAL + "proofs:\n  - hmac: {header: x-s, message: POST{body}}\n",
            10,
            "(file)",
            "put a text with braces in it in quotes",
        ),
        (
            with_kind("uid: {constant: so: it is}"),
            9,
            "(file)",
            "is a text with a colon and a blank in it not in quotes",
        ),
        (with_kind("uid: {at: a\ntime_format: '%d'}"), 10, "(file)", "is a brace not closed"),
        (with_kind("uid: so: it is"), 9, "(file)", "is a text with a colon and a blank not in quotes"),
        (MINIMAL + "proofs:\n  - hmac\n      header: x-sig\n", 11, "(file)", "or a colon missing before?"),
        (with_kind("actors\n  - id: a"), 10, "(file)", "could not find expected ':'"),
        (with_kind("uid: *nobody"), 9, "(file)", "found undefined alias 'nobody'"),
        (with_kind("tenant: &a {at: b}\nuid: {<<: *a}"), 10, "kinds[0].uid.<<", "write these fields again"),
        (MINIMAL.replace("lamps\n", "Lamps!\n", 1), 1, "name", "lower-case"),
        (MINIMAL.replace("source: Custom", "source: Okta"), 3, "source", "not one of: Custom"),
        (MINIMAL.replace("lamps.example.com", "s3.amazonaws.com"), 4, "event_source", "AWS"),
        (MINIMAL.replace("title: Lamps\n", ""), 1, "title", "is missing"),
        (MINIMAL + "titel: x\n", 9, "titel", "allowed here: name, title"),
        (MINIMAL + "name: again\n", 9, "name", "twice"),
        (MINIMAL + "acknowledge: 200.0\n", 9, "acknowledge", "200.0 is not one of: 200, 201, 202, 204"),
        (MINIMAL.replace("event_name: type", "event_name: 'a['"), 7, "kinds[0].event_name", "not a JMESPath"),
        (MINIMAL.replace("    time: at\n", ""), 6, "kinds[0].time", "is missing"),
        (with_kind("actors:\n  - {type: User}"), 10, "kinds[0].actors[0].id", "is missing"),
        (with_kind("uid: {header: X-Id}"), 9, "kinds[0].uid.header", "lower case"),
        (with_kind("uid: {header: authorization}"), 9, "kinds[0].uid.header", "holds a secret"),
        *(
            (MINIMAL + f"delivery_id: {name}\n", 9, "delivery_id", "holds a secret")
            for name in ("authorization", "cookie", "cf-webhook-auth", "x-api-key")
        ),
        *(
            (with_kind(f"uid: {{header: {name}}}"), 9, "kinds[0].uid.header", "holds a secret")
            for name in ("x-gitlab-token", "x-gitlab-event-streaming-token")
        ),
        (with_kind("actors:\n  - {id: a, type: actor.kind}"), 10, "kinds[0].actors[0].type", "{at: actor.kind}"),
        (
            with_kind("uid: {header: x-key}") + "proofs:\n  - token: {header: x-key}\n",
            1,
            "proofs",
            "x-key holds the secret",
        ),
        (MINIMAL + "proofs:\n  - token: {header: svix-id}\n", 1, "proofs", "svix-id holds the secret"),
        (MINIMAL + "delivery_id: x-key\nproofs:\n  - token: {header: x-key}\n", 1, "proofs", "x-key holds the secret"),
        (with_kind("uid: {at: a, constant: b}"), 9, "kinds[0].uid", "exactly one"),
        (with_kind("uid: {join: [a, b], map: {c: d}}"), 9, "kinds[0].uid", "map changes a path or a header alone"),
        (
            with_kind("version: {constant: a, after: b}"),
            9,
            "kinds[0].version",
            "after changes a path or a header alone",
        ),
        (with_kind("uid: {join: [a, b], map: {c: d}, when: e}"), 9, "kinds[0].uid", "beside one of the parts"),
        (
            MINIMAL.replace("time: at", "time: [at, {receipt: true, except: a}]"),
            8,
            "kinds[0].time[1]",
            "except changes a path or a header alone",
        ),
        (with_kind("uid: {at: a, with: b}"), 9, "kinds[0].uid", "with stands between the parts of a join"),
        (with_kind("response: data.result"), 9, "kinds[0].response", "a member of the event itself"),
        (
            MINIMAL + "  - {name: second, when: a, event_name: type, time: at}\n",
            6,
            "kinds",
            "every event fits kinds[0], which has no when",
        ),
        (
            MINIMAL + "proofs:\n  - token: {header: authorization, prefix: Bearer }\n",
            10,
            "proofs[0].token",
            'write "Bearer ", in quotes',
        ),
        (with_kind("when: {at: a, matches: '('}"), 9, "kinds[0].when.matches", "regular expression"),
        (with_kind("when: {at: a, in: [1], present: true}"), 9, "kinds[0].when", "at most one"),
        (with_kind("uid: {at: a, when: {header: x}}"), 9, "kinds[0].uid.when.header", "not known; allowed here: at"),
        (with_kind("uid: {at: a, when: b == 'c'}"), 9, "kinds[0].uid.when", "write {at: …, in: [true]}"),
        (with_kind("failures:\n  - {code: a}"), 10, "kinds[0].failures[0].when", "is missing"),
        (with_kind("time_format: '%Q'"), 9, "kinds[0].time_format", "'Q' is a bad directive"),
        (with_kind("time_format: '%Y-%m-%d%'"), 9, "kinds[0].time_format", "no time can be read"),
        (with_kind("time_format: '%Y-%m-%d %d'"), 9, "kinds[0].time_format", "as Python's datetime.strptime takes it"),
        (with_kind("time_format: '%H:%M:%S'"), 9, "kinds[0].time_format", "year, month and day"),
        (with_kind("time_format: '%Y-%m-%d %I:%M:%S'"), 9, "kinds[0].time_format", "with %I it needs %p"),
        (with_kind("uid: {receipt: true}"), 9, "kinds[0].uid.receipt", "is not known; allowed here: at, header"),
        (with_kind("uid: {join: [a, {receipt: true}]}"), 9, "kinds[0].uid.join[1].receipt", "is not known"),
        (with_kind("uid: [a, {constant: none}]"), 9, "kinds[0].uid[1]", "the same for every event"),
        (with_kind("uid: {join: [{constant: b}, {constant: c}]}"), 9, "kinds[0].uid", "the same for every event"),
        (MINIMAL.replace("time: at", "time: [at, {constant: '2026'}]"), 8, "kinds[0].time[1]", "write {receipt: true}"),
        (
            with_kind("actors:\n  - id: a.id\n    details: [a.name, a.mail, org.name]"),
            11,
            "kinds[0].actors[0].details",
            "two are called 'name'",
        ),
        (MINIMAL + "array: [items, data, items]\n", 9, "array", "items stands here twice"),
        (with_kind("uid: []"), 9, "kinds[0].uid", "is empty: name at least one, or leave out what is not required"),
        ("a: 1\n---\nb: 1\n", 2, "(file)", "not YAML: expected a single document in the stream, but found another"),
        (with_kind("uid: &a {join: [b, *a]}"), 1, "(file)", "an alias is in itself"),
        (with_kind("when: contain(a, 'b')"), 9, "kinds[0].when", "JMESPath has no function contain; it has abs"),
        (with_kind("uid: a || [sum(b, c)]"), 9, "kinds[0].uid", "sum takes 1 in its brackets, not 2"),
        (with_kind("uid: merge()"), 9, "kinds[0].uid", "merge takes 1 or more in its brackets, not 0"),
        (with_kind("when: a == 'b'"), 9, "kinds[0].when", "write {at: …, in: [true]}"),
        (with_kind("when: [c, '!a && b']"), 9, "kinds[0].when[1]", "may be false, which counts as something"),
        (with_kind("when: {at: 'a['}"), 9, "kinds[0].when.at", "not a JMESPath"),
        *(
            (with_kind(f"when: {{at: \"a || {name}(b, 'c')\"}}"), 9, "kinds[0].when.at", "write {at: …, in: [true]}")
            for name in ("contains", "starts_with", "ends_with")
        ),
        (with_kind("when: {at: a | b > c, present: true}"), 9, "kinds[0].when.at", "write {at: …, in: [true]}"),
        (with_kind("when: {at: a, in: [b, off]}"), 9, "kinds[0].when.in[1]", "off is false to YAML"),
        (with_kind("when: {at: a, not_in: 010}"), 9, "kinds[0].when.not_in", "010 is 8 to YAML"),
        (with_kind("when: {at: a, in: 2026-11-25}"), 9, "kinds[0].when.in", "quote what looks like a date"),
        (with_kind("when: {at: a, in: [[b]]}"), 9, "kinds[0].when.in[0]", "a text, a number, true or false belongs"),
        (with_kind("when: {at: a, at_least: many}"), 9, "kinds[0].when.at_least", "a number belongs here"),
        (with_kind("when: {at: a, at_least: true}"), 9, "kinds[0].when.at_least", "a number belongs here"),
        (with_kind("when: {at: a, at_least: 0400}"), 9, "kinds[0].when.at_least", "0400 is 256 to YAML"),
        (with_kind("when: {at: a, at_least: .nan}"), 9, "kinds[0].when.at_least", ".nan is NaN to YAML"),
        (
            with_kind("when: {at: a, in: 1e3}"),
            9,
            "kinds[0].when.in",
            "1e3 is a text to YAML: write 1000.0, or quote it",
        ),
        (with_kind("uid: {constant: no}"), 9, "kinds[0].uid.constant", "no without quotes is not a text"),
        (with_kind("version: {constant: null}"), 9, "kinds[0].version.constant", "null without quotes is not a text"),
        ("? [a]\n: b\n", 1, "(file)", "a name belongs before the colon"),
        (MINIMAL + "proofs:\n  - hmac: {header: x-s, algorithm: md5}\n", 10, "proofs[0].hmac.algorithm", "sha256"),
        *(
            (
                MINIMAL + f"proofs:\n  - hmac: {{header: x-s, message: '{message}'}}\n",
                10,
                "proofs[0].hmac.message",
                words,
            )
            for message, words in (
                ("https://example.com/webhook", "is not a text with {body} in its place, of up to 300 characters"),
                ("{body}" + "v" * 300, "of up to 300 characters"),
                ("{body}{body}", "{body} stands here twice"),
                ("{url}{body}", "{url} is not known; what can be signed is {body} and, as it stands, what is always"),
                ("{timestamp}.{body}", "a signed {timestamp} belongs under timestamped_hmac, which holds it against"),
            )
        ),
        (MINIMAL + "proofs:\n  - rsa: {}\n", 10, "proofs[0].rsa", "allowed here: token"),
        *(
            (MINIMAL + f"proofs:\n  - {kind}: {{prefix: v1}}\n", 10, f"proofs[0].{kind}.header", "is missing")
            for kind in ("token", "hmac", "timestamped_hmac")
        ),
        (
            MINIMAL + "proofs:\n  - timestamped_hmac: {header: x-s, timestamp_header: x-t, message: '{body}'}\n",
            10,
            "proofs[0].timestamped_hmac.message",
            "{timestamp}",
        ),
        *(
            (
                MINIMAL
                + f"proofs:\n  - timestamped_hmac: {{header: x-s, timestamp_header: x-t, message: '{message}'}}\n",
                10,
                "proofs[0].timestamped_hmac.message",
                words,
            )
            for message, words in (
                ("{id}.{timestamp}.{body}", "{id} is not known; what can be signed is {timestamp}, {body} and"),
                ("{timestamp}{body}{body}", "{body} stands here twice"),
                ("POST{uri}{body}{timestamp}", "as it stands, what is always the same, such as the URL"),
                ("v" * 300 + "{body}{timestamp}", "of up to 300 characters"),
            )
        ),
        *(
            (
                MINIMAL + f"proofs:\n  - timestamped_hmac: {{header: x-s, message: '{{timestamp}}.{{body}}'{more}}}\n",
                10,
                f"proofs[0].timestamped_hmac{field}",
                words,
            )
            for more, field, words in (
                ("", "", "exactly one of these belongs here: timestamp_header, timestamp_prefix"),
                (", timestamp_header: x-t, timestamp_prefix: t=", "", "exactly one of these belongs here"),
                (", timestamp_header: x-s", "", 'write what stands before it: timestamp_prefix: "t="'),
                (", timestamp_prefix: t=, prefix: t=v1", "", "what begins with 't=' is the time there"),
                (", timestamp_prefix: a", "", "what begins with 'a' is the time there, but a signature"),
                (", timestamp_prefix: t, encoding: base64", "", "what begins with 't' is the time there"),
                (", timestamp_prefix: v1=1, prefix: v1=", "", "what begins with 'v1=1' is the time there"),
                (
                    ", timestamp_prefix: t=, prefix: 'v1 '",
                    "",
                    "prefix is 'v1 ', but a comma, a semicolon or a blank ends",
                ),
                (", timestamp_prefix: 'a;t='", ".timestamp_prefix", "is not up to 40 printable characters, but , ;"),
            )
        ),
        (MINIMAL + "acknowledge: 500\n", 9, "acknowledge", "200"),
        *(
            (MINIMAL + f"handshake: {handshake}\n", 9, f"handshake{field}", words)
            for handshake, field, words in (
                ("challenge", "", "'challenge' is not one of: slack-url-verification, zoom-url-validation, head, {"),
                ("[head, zoom-url-validation]", "", "a list is not one of: slack-url-verification"),
                ("true", "", "True is not one of: "),
                ("{challenge: 'a=b'}", ".challenge", "is not the name of a parameter of the query, like hub.challenge"),
                ("{}", ".challenge", "is missing"),
                ("{challenge: a, head: true}", ".head", "is not known; allowed here: challenge"),
            )
        ),
        (
            MINIMAL.replace("    time: at\n", "    time: at\n  - {name: event, event_name: a, time: b}\n"),
            1,
            "kinds",
            "two",
        ),
    ],
)
def test_a_mistake_is_named_by_line_and_field_with_what_is_allowed(
    text: str, line: int, field: str, words: str
) -> None:
    with pytest.raises(DescriptorError) as caught:
        compile_descriptor(text, "lamps.yaml")
    found = [(problem.line, problem.field) for problem in caught.value.problems]
    assert (line, field) in found
    assert words in str(caught.value)
    assert str(caught.value).startswith("lamps.yaml:")


def test_all_mistakes_are_named_at_once() -> None:
    text = MINIMAL.replace("Custom", "Nobody").replace("type", "'a['").replace("time: at", "tiem: at")
    with pytest.raises(DescriptorError) as caught:
        compile_descriptor(text, "lamps.yaml")
    assert [problem.line for problem in caught.value.problems] == [3, 6, 7, 8]


@pytest.mark.parametrize(
    "form", ["%m/%d/%y %I:%M %p", "%a, %d %b %Y %H:%M:%S %Z", "%Y-%j", "%G-W%V-%u", "%Y%m%dT%H%M%S.%fZ"]
)
def test_any_form_that_tells_the_day_can_be_compiled(form: str) -> None:
    [kind] = compile_descriptor(with_kind(f"time_format: '{form}'"), "lamps.yaml")["kinds"]
    assert kind["time_format"] == form
