"""The form of a descriptor: every field that there is, what is allowed in it, and what it becomes when compiled."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from trailhook.handshakes import HANDSHAKES
from trailhook_local.descriptors.places import CHANGES, CONDITION, HEADER, IDS, KEPT_HEADER, PATH, PLACES, TIMES, TYPES
from trailhook_local.descriptors.readers import (
    Problems,
    Reader,
    checked,
    choice,
    fields,
    list_of,
    mapping_of,
    one_of,
    scalar,
    text,
)

SOURCES = (
    "Custom",
    "CloudStorageSecurityConsole",
    "CrowdStrike",
    "CyberArk",
    "KongGatewayEnterprise",
    "NetskopeCloudExchange",
    "OneLogin",
    "WizAuditLogs",
)
"""The sources that are for descriptors, out of CloudTrail's "Additional information about integration partners"."""

_FLAG = choice(True, False)
_MEMBERS = text(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*", "members joined by dots, like data.events")


def _arrays_problem(arrays: Sequence[str]) -> str | None:
    twice = sorted({array for array in arrays if arrays.count(array) > 1})
    return f"{twice[0]} stands here twice, and so would each of its events" if twice else None


def _kinds_problem(kinds: Sequence[Mapping[str, Any]]) -> str | None:
    """A kind without conditions takes every event, so that those after it would never count."""
    taking = [index for index, kind in enumerate(kinds[:-1]) if "when" not in kind]
    if taking:
        return f"every event fits kinds[{taking[0]}], which has no when, so no event reaches the next: put it last"
    return None


def _details(node: yaml.Node, name: str, problems: Problems) -> list[dict[str, Any]]:
    """`details: user` takes that object's members; a mapping names single values, a list names them as they are."""
    if isinstance(node, yaml.MappingNode):
        return [{"as": key, "at": path} for key, path in mapping_of(PATH)(node, name, problems).items()]
    if isinstance(node, yaml.SequenceNode):
        paths = list_of(PATH)(node, name, problems)
        names = [path.rpartition(".")[2].strip('"') for path in paths]
        for called in sorted({called for called in names if names.count(called) > 1}):
            problems.add(node, name, f"two are called {called!r}; give them names: {{actor: a.name, team: b.name}}")
        return [{"as": called, "at": path} for called, path in zip(names, paths, strict=True)]
    return [{"at": PATH(node, name, problems)}]


def _time_format_problem(form: str) -> str | None:
    """What is wrong with a format by which no time, or no day, can be read: it would refuse every event."""
    example = datetime(2025, 11, 25, 20, 30, 15, tzinfo=UTC)
    try:
        read = datetime.strptime(example.strftime(form), form)  # noqa: DTZ007 - only the day is looked at
    except (ValueError, re.error) as error:
        return f"no time can be read in the form {form!r} ({error}); write it as Python's datetime.strptime takes it"
    if read.date() != example.date():
        return f"{form!r} does not tell year, month and day; an event's time needs all three"
    if read.hour not in (0, example.hour):
        return f"{form!r} does not tell morning from afternoon; with %I it needs %p"
    return None


def _token_problem(proof: Mapping[str, Any]) -> str | None:
    """YAML takes the blank off the end of a text without quotes, and every delivery would be refused."""
    prefix = proof.get("prefix", "")
    if proof["header"] == "authorization" and prefix.isalpha():
        return f'in that header a blank follows {prefix}, and belongs to the prefix: write "{prefix} ", in quotes'
    return None


def _message(*parts: str) -> Reader:
    """What is signed: a text with all of these parts, such as `{body}`, in their places."""
    held = "".join(rf"(?=.*{re.escape(part)})" for part in parts)
    hint = f"a text with {' and '.join(parts)} in {'their places' if len(parts) > 1 else 'its place'}"

    def problem(message: str) -> str | None:
        """Any other name in braces would be signed as it stands, and every delivery refused."""
        others = [name for name in re.findall(r"\{\w+\}", message) if name not in parts]
        if "{timestamp}" in others:
            return "a signed {timestamp} belongs under timestamped_hmac, which holds it against the time of receipt"
        if others:
            return (
                f"{others[0]} is not known; what can be signed is {', '.join(parts)} and, as it stands, what is "
                "always the same, such as the URL"
            )
        return "{body} stands here twice" if message.count("{body}") > 1 else None

    return checked(text(rf"(?s){held}.{{1,300}}", f"{hint}, of up to 300 characters"), problem)


def _time_problem(proof: Mapping[str, Any]) -> str | None:
    """What would refuse every delivery, or some: no place for the time, two, or one where it may be taken for a
    signature.
    """
    before = proof.get("timestamp_prefix")
    if proof.get("timestamp_header") == proof["header"]:
        return 'for a time in the signature\'s own header, write what stands before it: timestamp_prefix: "t="'
    if ("timestamp_header" in proof) == (before is not None):
        return "exactly one of these belongs here: timestamp_header, timestamp_prefix"
    if before is None:
        return None
    prefix = proof.get("prefix", "")
    digits = _DIGITS[proof.get("encoding", "hex")]
    if prefix.startswith(before) or re.fullmatch(re.escape(prefix) + digits, before):
        return f"what begins with {before!r} is the time there, but a signature may begin so, too"
    if re.search("[,; ]", prefix):
        return f"prefix is {prefix!r}, but a comma, a semicolon or a blank ends each part of such a header"
    return None


_ACTOR = fields({"when": list_of(CONDITION), "id": PLACES, "type": TYPES, "details": _details}, required=["id"])
_FAILURE = fields({"when": CONDITION, "code": PLACES, "message": PLACES}, required=["when"])


def _actor(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
    return {"type": [{"constant": "User"}], **_ACTOR(node, name, problems)}


def _failure(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
    values: dict[str, Any] = _FAILURE(node, name, problems)
    # If no code is given, it is the value that marks the failure.
    mark = {key: value for key, value in values.get("when", {}).items() if key in {"at", "header", *CHANGES}}
    return {"code": [mark], **values}


_KIND = fields(
    {
        "name": text(r"[a-z][a-z0-9 -]{1,60}", "a short name in lower case, like audit entry"),
        "when": list_of(CONDITION),
        "uid": IDS,
        "uid_repeats": _FLAG,
        "tenant": PLACES,
        "digest": list_of(PATH),
        "event_name": PLACES,
        "time": TIMES,
        "time_format": checked(text(r".*%.*", "a form of time like %d/%b/%Y:%H:%M:%S %z"), _time_format_problem),
        "actors": list_of(_actor),
        "source_ip": PLACES,
        "user_agent": PLACES,
        "version": PLACES,
        "failures": list_of(_failure),
        "response": list_of(text(r"[^\n.]+", "a member of the event itself, and none below one")),
    },
    required=["name", "event_name", "time"],
)

_DIGITS = {"hex": "[0-9a-f]*", "base64": "[A-Za-z0-9+/]*"}
"""What a signature is written with."""
_ENCODING = choice(*_DIGITS)
_PREFIX = text(r"[!-~ ]{1,40}", "up to 40 printable characters")
_PROOFS: dict[str, Reader] = {
    "token": checked(
        fields({"header": HEADER, "prefix": _PREFIX, "yields_to": HEADER}, required=["header"]), _token_problem
    ),
    "hmac": fields(
        {
            "header": HEADER,
            "prefix": _PREFIX,
            "algorithm": choice("sha1", "sha256", "sha512"),
            "encoding": _ENCODING,
            "listed": _FLAG,
            "message": _message("{body}"),
        },
        required=["header"],
    ),
    "timestamped_hmac": checked(
        fields(
            {
                "header": HEADER,
                "timestamp_header": HEADER,
                "timestamp_prefix": text(
                    r"(?![^,;]*[,;])[!-~]{1,40}", "up to 40 printable characters, but , ; and blanks"
                ),
                "message": _message("{timestamp}", "{body}"),
                "prefix": _PREFIX,
                "encoding": _ENCODING,
                "any_time": _FLAG,
            },
            required=["header", "message"],
        ),
        _time_problem,
    ),
}


def _proof(node: yaml.Node, name: str, problems: Problems) -> dict[str, Any]:
    """One proof: its kind, and below it its settings. Its name in the log is its header's."""
    values: dict[str, Any] = one_of(_PROOFS)(node, name, problems)
    return next(
        ({"kind": kind, "name": settings.get("header", ""), **settings} for kind, settings in values.items()), {}
    )


_CHALLENGE = fields(
    {"challenge": text(r"[A-Za-z0-9_.-]{1,60}", "the name of a parameter of the query, like hub.challenge")},
    required=["challenge"],
)


def _handshake(node: yaml.Node, name: str, problems: Problems) -> Any:
    """One that has a name; or `challenge`, with the parameter of a GET's query that goes back."""
    if isinstance(node, yaml.MappingNode):
        return _CHALLENGE(node, name, problems)
    named = (*HANDSHAKES, "head")
    value = scalar(node)
    if value not in named:
        shown = repr(value) if isinstance(node, yaml.ScalarNode) else "a list"
        problems.add(node, name, f"{shown} is not one of: {', '.join(named)}, {{challenge: parameter}}")
    return value


DESCRIPTOR = fields(
    {
        "name": text(r"[a-z][a-z0-9]{1,40}", "a name of lower-case letters and digits, beginning with a letter"),
        "title": text(r"[^\n]{1,80}", "the partner's own name"),
        "source": choice(*SOURCES),
        "event_source": text(
            r"(?!aws|.*amazonaws\.com|.*aws\.amazon\.com)[a-z0-9][a-z0-9./-]{1,200}",
            "a source like payroll.example.com, in lower case and not one of AWS's",
        ),
        "proofs": list_of(_proof),
        "handshake": _handshake,
        "acknowledge": choice(200, 201, 202, 204),
        "delivery_id": KEPT_HEADER,
        "form": text(r"[A-Za-z_][\w.-]*", "the name of a form's field, like payload"),
        "array": checked(list_of(_MEMBERS), _arrays_problem),
        "inside": text(r"[A-Za-z_][\w-]*", "the one member that holds the event"),
        "redact": list_of(text(r"[\w-]+(\.[\w-]+)*", "a member or a path, like ssn, items.0.ssn or actor.email")),
        "kinds": checked(list_of(_KIND), _kinds_problem),
    },
    required=["name", "title", "source", "event_source", "kinds"],
)
"""The whole file."""
