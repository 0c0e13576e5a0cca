"""What forward's handler reports where a message may kill its process, as the process prints it."""

from pathlib import Path

import orjson
import pytest
from tests.chaos.test_memory import aws, printed, record
from tests.loopback import serving

pytestmark = [pytest.mark.stack]


def test_what_is_taken_off_the_queue_is_reported_before_a_suspect_is_begun(tmp_path: Path) -> None:
    suspect = record(1, b"[]") | {"attributes": {"ApproximateReceiveCount": "3"}}
    with serving(aws) as service:
        lines = printed("forward", {"Records": [record(0, b"[]"), suspect]}, service, tmp_path)
    told = [orjson.loads(line) for line in lines if line.startswith("{")]
    ledgers = [line["messages"] for line in told if line.get("message") == "ledger"]
    assert [messages.get("finished", 0) for messages in ledgers] == [1, 1, 0]
