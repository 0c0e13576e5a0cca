"""The stack's own clients and servers, on a laptop whose AWS configuration is for AWS."""

from pathlib import Path

import pytest

from trailhook_local.stack.endpoints import Endpoints
from trailhook_local.stack.servers import Server


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that is not there, and files that cannot be read."""
    file = tmp_path / "config"
    file.write_text("[no section")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))


@pytest.mark.parametrize(("service", "port"), [("sqs", 1), ("s3", 1), ("cloudtrail", 2), ("cloudtrail-data", 2)])
def test_clients_are_nobodys_own(service: str, port: int) -> None:
    client = Endpoints("http://127.0.0.1:1", "http://127.0.0.1:2", "eu-west-1").client(service)
    assert (client.meta.endpoint_url, client.meta.region_name) == (f"http://127.0.0.1:{port}", "eu-west-1")


@pytest.mark.stack
def test_servers_are_nobodys_own(tmp_path: Path) -> None:
    server = Server("trailhook_local.stack.aws", [], tmp_path / "aws.log")
    try:
        sqs = Endpoints(aws=server.wait_ready(), cloudtrail="", region="us-east-1").client("sqs")
        assert sqs.create_queue(QueueName="any")["QueueUrl"].endswith("/any")
    finally:
        server.stop()
