"""What PutAuditEvents takes: sizes, counts, ids and forms."""

import json
import statistics
import time
import uuid
from typing import Any

from verify.probe import Answer, Fit, Probe, fitting, required
from verify.workbench import ACCEPTED, Workbench

TWO_BYTES = "ä"
TWO_UNITS = "\N{GRINNING FACE}"


def request_size(bench: Workbench) -> Answer:
    below = bench.put(_request(bench, 999_000, "x"))
    above = bench.put(_request(bench, 1_030_000, "x"))
    escaped = bench.put(_request(bench, 1_030_000, TWO_BYTES))
    if below != ACCEPTED:
        return Answer(f"a body of 999,000 bytes: {below}", Fit.CONTRADICTION)
    if above == ACCEPTED:
        return Answer("a body of 1,030,000 bytes is taken: the limit is 1 MiB or more", Fit.SAFE)
    if escaped == ACCEPTED:
        return Answer("the events' own bytes count: escaping them beyond 1 MB is taken", Fit.SAFE)
    return Answer(f"above 1,000,000 bytes of body: {above}", Fit.ASSUMED)


def _request(bench: Workbench, body_bytes: int, letter: str) -> list[dict[str, Any]]:
    """Events whose request has so many bytes as botocore encodes it, made of `letter`s."""

    def with_text(letters: int) -> dict[str, Any]:
        return bench.event(requestParameters={"text": letter * letters})

    def encoded(events: list[dict[str, Any]]) -> int:
        entries = [{"id": uuid.uuid4().hex, "eventData": json.dumps(one, ensure_ascii=False)} for one in events]
        return len(json.dumps({"auditEvents": entries}))

    each = 90_000 // len(json.dumps(letter).strip('"'))
    events = [with_text(each) for _ in range(body_bytes // 100_000)]
    while (room := body_bytes - encoded([*events, with_text(0)])) > 0:
        events.append(with_text(min(each, room // len(json.dumps(letter).strip('"')))))
    return events


def event_count(bench: Workbench) -> Answer:
    hundred = bench.put([bench.event() for _ in range(100)])
    more = bench.put([bench.event() for _ in range(101)])
    return required(f"100 events: {hundred}, 101: {more}", holds=hundred == ACCEPTED and more != ACCEPTED)


def equal_ids_in_a_request(bench: Workbench) -> Answer:
    code = bench.put([bench.event(), bench.event()], ids=["same", "same"])
    return fitting(code, assumed=code == "DuplicatedAuditEventId")


def equal_ids_later(bench: Workbench) -> Answer:
    own, one = uuid.uuid4().hex, bench.event(requestParameters={"text": "plain", "nested": {"a": 1}})
    put = [bench.put([one], ids=[own]) for _ in range(2)]
    sql = f"SELECT eventid FROM STORE WHERE eventdata.uid = '{one['UID']}'"  # noqa: S608 - our own id
    seen = bench.until(lambda: len(bench.query(sql)) >= 2)
    says = f"both {put[0]}; {'two rows' if seen else f'{len(bench.query(sql))} rows so far'} in the Lake"
    return fitting(says, assumed=seen and put == [ACCEPTED, ACCEPTED])


def form_of_rows(bench: Workbench) -> Answer:
    """Asked after `equal_ids_later`, whose event is there by then."""
    columns = "eventversion, eventdata.requestparameters AS parameters, eventtime"
    sql = f"SELECT {columns} FROM STORE WHERE element_at(eventdata.requestparameters, 'text') = 'plain'"  # noqa: S608 - constants
    rows = bench.query(sql)
    if not rows:
        return Answer("no row yet: ask again with a larger --patience", Fit.OPEN)
    row = rows[0]
    return fitting(str(dict(row)), assumed=row["eventversion"] == "1.0" and "text=plain" in row["parameters"])


def units_of_texts(bench: Workbench) -> Answer:
    def name_of(letter: str) -> str:
        return bench.put([bench.event(eventName=letter * 1_024)])

    if (plain := name_of("x")) != ACCEPTED:
        return Answer(f"1,024 letters: {plain}", Fit.CONTRADICTION)
    if name_of(TWO_BYTES) != ACCEPTED:
        return Answer("UTF-8 bytes", Fit.ASSUMED)
    units = "characters" if name_of(TWO_UNITS) == ACCEPTED else "UTF-16 units"
    return Answer(units, Fit.SAFE)


def size_of_objects(bench: Workbench) -> Answer:
    def parameters(letter: str, letters: int) -> str:
        return bench.put([bench.event(requestParameters={"text": letter * letters})])

    if (within := parameters("x", 99_900)) != ACCEPTED:
        return Answer(f"99,900 bytes: {within}", Fit.CONTRADICTION)
    kilo = "102,400" if parameters("x", 101_000) == ACCEPTED else "100,000"
    if parameters(TWO_BYTES, 20_000) != ACCEPTED:
        return fitting(f"{kilo} bytes of ASCII-escaped JSON", assumed=kilo == "100,000")
    unit = "characters" if parameters(TWO_BYTES, 60_000) == ACCEPTED else "UTF-8 bytes"
    return Answer(f"{kilo} {unit}", Fit.SAFE)


def size_of_events(bench: Workbench) -> Answer:
    def with_details(size: int) -> str:
        bare = bench.event(userIdentity={"type": "Service", "principalId": "p", "details": {"text": ""}})
        room = size - len(json.dumps(bare, ensure_ascii=False))
        bare["userIdentity"]["details"]["text"] = "x" * room
        return bench.put([bare])

    if (within := with_details(256_000)) != ACCEPTED:
        return Answer(f"256,000 bytes: {within}", Fit.CONTRADICTION)
    above = with_details(258_000)
    return fitting(f"256,000 bytes: {within}, 258,000: {above}", assumed=above != ACCEPTED)


def unknown_members(bench: Workbench) -> Answer:
    code = bench.put([bench.event(somethingElse="x")])
    return fitting(code, assumed=code != ACCEPTED)


def nested_nulls(bench: Workbench) -> Answer:
    code = bench.put([bench.event(requestParameters={"a": None, "b": {"c": None}})])
    return required(code, holds=code == ACCEPTED)


def null_members(bench: Workbench) -> Answer:
    code = bench.put([bench.event(errorCode=None)])
    return fitting(code, assumed=code != ACCEPTED)


def sources_of_aws(bench: Workbench) -> Answer:
    names = ("s3.amazonaws.com", "aws.s3", "sub.aws.amazon.com")
    codes = {name: bench.put([bench.event(eventSource=name)]) for name in names}
    return fitting(", ".join(f"{name}: {code}" for name, code in codes.items()), assumed=ACCEPTED not in codes.values())


def latency(bench: Workbench) -> Answer:
    """Of twenty requests each; nothing depends on the figures."""

    def median(events: int) -> float:
        took = []
        for _ in range(20):
            batch = [bench.event() for _ in range(events)]
            began = time.perf_counter()
            bench.put(batch)
            took.append((time.perf_counter() - began) * 1000)
        return statistics.median(took)

    return Answer(f"median {median(1):.0f} ms for one event, {median(100):.0f} ms for a hundred", Fit.ASSUMED)


PROBES: tuple[Probe[Workbench], ...] = (
    Probe("request-size", "What counts as 1 MB of a request?", "1,000,000 bytes of body", request_size),
    Probe("event-count", "Are 101 events refused?", "yes, as a whole", event_count),
    Probe("equal-ids", "Are two equal ids in a request refused?", "DuplicatedAuditEventId", equal_ids_in_a_request),
    Probe("equal-ids-later", "Is an id that was taken before taken again?", "yes, as one more row", equal_ids_later),
    Probe("form-of-rows", "How does a query print version and maps?", "1.0 and {text=plain, …}", form_of_rows),
    Probe("units-of-texts", "In what is the limit of a text counted?", "UTF-8 bytes", units_of_texts),
    Probe("size-of-objects", "What is 100 kB of an object?", "100,000 bytes, ASCII-escaped", size_of_objects),
    Probe("size-of-events", "What is 256 kB of an event?", "256,000 bytes", size_of_events),
    Probe("unknown-members", "Are unknown members of eventData taken?", "no; none is ever sent", unknown_members),
    Probe("nested-nulls", "Is null within requestParameters taken?", "yes; it is sent as it came", nested_nulls),
    Probe("null-members", "Is null as a member of the schema taken?", "no; none is ever sent", null_members),
    Probe("aws-sources", "Which event sources are AWS's own?", "all of amazonaws.com, aws.*", sources_of_aws),
    Probe("latency", "How long does PutAuditEvents take?", "nothing depends on it", latency, needs_aws=True),
)
