"""What an event costs by what it is like: from a delivery's bytes to the entry of a request, beside a plain event.

python -m benchmarks.forms [--events 300]
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.corpus import ACCOUNT, audit_entry, body, delivery
from benchmarks.measuring import each, ratio, show, together
from msgspec.structs import replace

from trailhook.audit_event import AuditEvent
from trailhook.batch import Entry
from trailhook.delivery import Delivery
from trailhook.mapping import Mapper
from trailhook.partner import Options
from trailhook.partners import Partners

PLAIN = "GitHub's, plain ASCII"
DELIVERY = delivery(b"")
_MAPPER = Mapper(Partners(Options()))


def entries(sent: Delivery) -> Sequence[Entry]:
    """The entries of a delivery all of whose events are to be delivered."""
    _, events = _MAPPER.take_apart(sent)
    audit_events = [event for event in map(_MAPPER.map, events) if isinstance(event, AuditEvent)]
    if not audit_events:
        raise AssertionError(f"not mapped: {sent.body[:200]!r}")
    return [Entry.of(event.id, event.event_data(ACCOUNT)) for event in audit_events]


def in_japanese(number: int) -> dict[str, Any]:
    entry = audit_entry(number)
    return entry | {"data": {name: value.replace("value", "値") for name, value in entry["data"].items()}}


def with_a_secret(number: int) -> dict[str, Any]:
    entry = audit_entry(number)
    return entry | {"data": entry["data"] | {"token": "not a real secret"}}


def of_wiz(number: int) -> dict[str, Any]:
    entry = audit_entry(number)
    return {
        "id": entry["_document_id"],
        "action": entry["action"],
        "requestId": f"request-{number}",
        "status": "SUCCESS",
        "timestamp": "2025-11-05T08:30:00.123Z",
        "sourceIP": entry["actor_ip"],
        "userAgent": entry["user_agent"],
        "user": {"id": f"user-{number}", "name": entry["actor"]},
        "actionParameters": entry["data"],
    }


def of_okta(number: int) -> dict[str, Any]:
    entry = audit_entry(number)
    return {
        "uuid": entry["_document_id"],
        "eventType": entry["action"],
        "published": "2025-11-05T08:30:00.123Z",
        "actor": {"id": f"00u{number}", "type": "User", "alternateId": "mona@example.com", "displayName": "Mona"},
        "client": {"ipAddress": entry["actor_ip"], "userAgent": {"rawUserAgent": entry["user_agent"]}},
        "outcome": {"result": "SUCCESS"},
        "debugContext": {"debugData": entry["data"]},
    }


def of_gitlab(number: int) -> dict[str, Any]:
    entry = audit_entry(number)
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": {"id": number, "name": entry["actor"], "username": entry["actor"]},
        "object_attributes": {"id": number, "action": "merge", "updated_at": "2025-11-05 08:30:00 UTC"} | entry["data"],
    }


def as_cloudevent(number: int) -> dict[str, Any]:
    entry = audit_entry(number)
    return {
        "specversion": "1.0",
        "id": entry["_document_id"],
        "source": "lamps.example.com",
        "type": entry["action"],
        "time": "2025-11-05T08:30:00.123Z",
        "data": entry,
    }


def compact(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def forms(events: int) -> Mapping[str, Callable[[], int]]:
    def run(
        write: Callable[[int], bytes], partner: str = "github", headers: Mapping[str, str] = DELIVERY.headers
    ) -> Callable[[], int]:
        sent = replace(DELIVERY, partner=partner, headers=headers)
        return each(entries, [replace(sent, body=write(number)) for number in range(events)])

    return {
        PLAIN: run(body),
        "with blanks between members": run(lambda number: json.dumps(audit_entry(number)).encode()),
        "with / escaped, as PHP writes it": run(lambda number: body(number).replace(b"/", b"\\/")),
        "with some Japanese in it": run(lambda number: compact(in_japanese(number))),
        "the same, escaped as ASCII": run(lambda number: json.dumps(in_japanese(number)).encode()),
        "with a number like 1e5": run(lambda number: body(number)[:-1] + b',"number":1e5}'),
        "with a secret to take out": run(lambda number: compact(with_a_secret(number))),
        "Okta's": run(lambda number: compact(of_okta(number)), "okta"),
        "Wiz's, by a descriptor": run(lambda number: compact(of_wiz(number)), "wiz"),
        "a webhook of GitLab's, by a descriptor": run(
            lambda number: compact(of_gitlab(number)),
            "gitlab",
            {"idempotency-key": "b0e5ae25-0000-4000-8000-000000000001"},
        ),
        "a CloudEvent": run(lambda number: compact(as_cloudevent(number)), "custom"),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=300)
    rows = together(forms(arguments.parse_args().events))
    show(
        "An event of 1.4 kB, by what it is like: parsing, mapping and encoding",
        ("", "µs of CPU an event", "times a plain one"),
        [(name, f"{one.cost:,.1f}", ratio(one, rows[PLAIN])) for name, one in rows.items()],
    )


if __name__ == "__main__":
    main()
