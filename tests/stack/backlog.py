"""What ten messages cost the stack's SQS beside a thousand that wait, compared with what they cost alone.

In a process of its own, in which moto's SQS is the stack's and its work is not another process's.
"""

import sys
from typing import Any

import boto3
from moto import mock_aws
from tests.cpu_time import cost_ratio

from trailhook_local.stack.sqs import install


def ten_go_round(sqs: Any, queue: str) -> None:
    send_ten(sqs, queue)
    assert len(sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]) == 10


def send_ten(sqs: Any, queue: str) -> None:
    entries = [{"Id": str(number), "MessageBody": "x" * 500} for number in range(10)]
    assert not sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed")


def main() -> None:
    install()
    with mock_aws():
        sqs = boto3.client("sqs", "us-east-1", aws_access_key_id="fake", aws_secret_access_key="fake")
        full, empty = (sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("full", "empty"))
        for _ in range(100):
            send_ten(sqs, full)
        sys.stdout.write(str(cost_ratio(lambda: ten_go_round(sqs, full), lambda: ten_go_round(sqs, empty))))


if __name__ == "__main__":
    main()
