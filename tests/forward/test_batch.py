"""Requests are full, and never over a limit as botocore really encodes them."""

import contextlib
import json

import boto3
from botocore.awsrequest import AWSPreparedRequest
from hypothesis import given
from hypothesis import strategies as st

from trailhook.batch import MAX_BYTES, MAX_EVENTS, Entry, pack
from trailhook.cloudtrail_lake import CloudTrailLake

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
ENTRIES = st.lists(st.builds(Entry, id=st.sampled_from("abcdefgh"), event_data=TEXTS), max_size=300)


@given(ENTRIES)
def test_packing_keeps_every_entry_once_and_no_id_twice_in_a_request(entries: list[Entry]) -> None:
    batches = list(pack(entries))
    assert sorted(entries, key=repr) == sorted((entry for batch in batches for entry in batch), key=repr)
    for batch in batches:
        assert 0 < len(batch) <= MAX_EVENTS
        assert len({entry.id for entry in batch}) == len(batch)


def test_distinct_small_events_fill_requests_to_a_hundred() -> None:
    batches = list(pack(Entry(str(number), "{}") for number in range(1_050)))
    assert [len(batch) for batch in batches] == [100] * 10 + [50]


def test_a_request_of_awkward_events_stays_below_a_megabyte_as_botocore_encodes_it() -> None:
    sizes: list[int] = []
    client = boto3.client(
        "cloudtrail-data", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )

    def note_size(request: AWSPreparedRequest, **_: object) -> None:
        assert isinstance(request.body, bytes)
        sizes.append(len(request.body))
        raise ConnectionRefusedError

    client.meta.events.register("before-send.cloudtrail-data.PutAuditEvents", note_size)
    lake = CloudTrailLake(client, "arn:aws:cloudtrail:eu-central-1:111122223333:channel/1")
    text = json.dumps({"text": '"\\é\u2028😀\n' * 1_500}, ensure_ascii=False)
    for batch in pack(Entry(f"{number:0>43}", text) for number in range(60)):
        with contextlib.suppress(ConnectionRefusedError):
            lake.put(batch)
        assert sum(entry.size for entry in batch) >= sizes[-1] - 19 >= sum(entry.size for entry in batch) * 0.99
    assert len(sizes) > 1
    assert max(sizes) <= MAX_BYTES
    assert min(sizes[:-1]) > MAX_BYTES * 0.9
