"""However an event is written, and whatever comes along with it, it says the same.

Of a fixture's `eventData` nothing may change but the digest of the original's bytes, and the order of what is listed as
taken out.
"""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from tests.partners.cases import SENT_BY_ALL, Case, cases, compact, outcomes

from trailhook.delivery import Delivery

ONE_EVENT = [case for case in cases() if "text" not in json.loads(case.path.read_text())]
DIGEST = 64
"""Characters of a UID that is the digest of an event without an id of its own."""


def written(value: Any, blank: str = "", *, backwards: bool = False, escape: bool = False) -> str:
    """JSON with every character of its strings escaped, its members in reverse, or blanks between all tokens."""
    if isinstance(value, dict):
        members = list(value.items())[:: -1 if backwards else 1]
        pairs = [
            f"{written(key, escape=escape)}{blank}:{blank}{written(member, blank, backwards=backwards, escape=escape)}"
            for key, member in members
        ]
        return f"{{{blank}{f'{blank},{blank}'.join(pairs)}{blank}}}"
    if isinstance(value, list):
        elements = [written(element, blank, backwards=backwards, escape=escape) for element in value]
        return f"[{blank}{f'{blank},{blank}'.join(elements)}{blank}]"
    if isinstance(value, str) and escape:
        units = value.encode("utf-16-be", "surrogatepass")
        return '"' + "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + '"'
    return json.dumps(value)


def with_fractions(value: Any) -> Any:
    """Whole numbers as many log shippers write them: 51111.0."""
    if isinstance(value, dict):
        return {name: with_fractions(member) for name, member in value.items()}
    if isinstance(value, list):
        return [with_fractions(element) for element in value]
    return float(value) if type(value) is int and abs(value) < 2**53 else value


SPELLINGS: dict[str, Callable[[Any], str]] = {
    "over several lines": lambda body: json.dumps(body, indent=2),
    "all escaped": lambda body: written(body, escape=True),
    "backwards": lambda body: written(body, backwards=True),
    "with blanks everywhere": lambda body: written(body, "\r\n\t "),
}
COMPANY = {
    "alone in an array": ("[{}]", 0),
    "twice in an array": ("[{}, {}]", 0),
    "twice in lines": ("{}\n{}\n", 0),
    "before a line that is cut off": ('{}\n{{"a":\n', 1),
    "behind a line that is cut off": ('{{"a":"b\n{}', 1),
    "beside a key that stands twice": ('[{{"id":1,"id":2}},{}]', 1),
    "beside numbers that are none": ("[{},NaN,1e999]", 2),
    "beside half a surrogate pair": ('["\\ud800",{}]', 1),
    "beside what is nested too deeply": ("[{}," + "[" * 300 + "]" * 300 + "]", 1),
    "in a text sequence": ("\x1e{}\n\x1e7\n", 1),
}
"""Where an event stands, and how many others are there that are none."""


def said(sent: Delivery, *, id_too: bool = True) -> list[dict[str, Any]]:
    """What becomes of a delivery's events, but for what may differ. Of one that has no id, UID is a digest."""
    ends = []
    for outcome in outcomes(sent):
        event = dict(outcome.get("eventData") or {})
        if notes := event.get("additionalEventData"):
            lists = {name: sorted(notes[name]) for name in ("redacted", "truncated") if name in notes}
            event["additionalEventData"] = {**notes, **lists, "originalSha256": None}
        if not id_too and len(str(event.get("UID"))) == DIGEST:
            event["UID"] = None
        ends.append({**outcome, "reason": None, "eventData": event} | ({} if id_too else {"id": None, "uid": None}))
    return ends


def body_of(case: Case) -> Any:
    return json.loads(case.path.read_text())["body"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_event_says_the_same_however_it_is_written(spelling: str) -> None:
    for case in ONE_EVENT:
        sent = case.delivery()
        again = replace(sent, body=SPELLINGS[spelling](body_of(case)).encode())
        # Where the partner's id is in a header, the bytes below it are part of ours: a copied header hides no event.
        id_too = sent.headers.keys() <= SENT_BY_ALL.keys() and case.partner != "custom"
        assert said(again, id_too=id_too) == said(sent, id_too=id_too), case.name


def test_an_event_says_the_same_compressed() -> None:
    for case in ONE_EVENT:
        sent = case.delivery()
        assert said(replace(sent, body=gzip.compress(sent.body))) == said(sent), case.name


@pytest.mark.parametrize("company", COMPANY)
def test_an_event_says_the_same_whatever_comes_along(company: str) -> None:
    for case in ONE_EVENT:
        sent = case.delivery()
        alone = said(sent)
        # An array or a line holds objects; what is wrapped in a list of its partner's is several events of one.
        if not isinstance(body_of(case), dict):
            continue
        form, others = COMPANY[company]
        among = said(replace(sent, body=form.format(*[compact(body_of(case))] * 2).encode()))
        assert len(among) == form.count("{}") * len(alone) + others, case.name
        first = 0 if form.index("{}") < 4 else others
        assert among[first : first + len(alone)] == alone, case.name


def test_a_whole_number_with_a_fraction_of_nothing_names_the_same_event() -> None:
    for case in ONE_EVENT:
        sent = case.delivery()
        again = replace(sent, body=compact(with_fractions(body_of(case))).encode())
        for one, other in zip(outcomes(sent), outcomes(again), strict=True):
            assert one.get("refused") == other.get("refused"), case.name
            if "eventData" in one:
                assert _headline(one) == _headline(other), case.name


def _headline(outcome: dict[str, Any]) -> list[Any]:
    """What people look for, but for an id that is a digest."""
    event = outcome["eventData"]
    identity = event["userIdentity"]
    texts = [event.get(name) for name in ("eventName", "eventTime", "sourceIPAddress", "errorCode", "errorMessage")]
    return [*texts, identity["type"], identity["principalId"], *([event["UID"]] if len(event["UID"]) < DIGEST else [])]
