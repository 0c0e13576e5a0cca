"""The built functions in Lambda's own kind of container: `make test-containers`.

Runs `sam build`, starts the local stack, lets containers reach it, invokes each recorded event with `sam local invoke`
and looks at the answers and into the Lake. Needs a running Docker engine that has Lambda's Python image; where it
cannot run it says why and exits with 0, so that a machine without Docker is not a failure.
"""

import json
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from trailhook_local.lake_query import query_lake, store_id
from trailhook_local.stack.endpoints import CREDENTIALS
from trailhook_local.stack.stack import Stack

ROOT = Path(__file__).parents[2]
SAM = str(ROOT / ".venv-sam" / "bin" / "sam")
IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"
FAKE_SECRET = "TrailhookFakeSecretForLocalUseOnly0000000000"
HOST = "host.docker.internal"


class Forward(socketserver.BaseRequestHandler):
    """Carries one connection from the containers' bridge to a server that listens on loopback only."""

    port: ClassVar[int]

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            back = threading.Thread(target=_pump, args=(server, self.request), daemon=True)
            back.start()
            _pump(self.request, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def reachable(url: str, bridge: str) -> Iterator[str]:
    """`url` under the name by which containers reach this machine."""
    handler = type("ForwardTo", (Forward,), {"port": urlsplit(url).port})
    with socketserver.ThreadingTCPServer((bridge, 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_address[1]}"
        server.shutdown()


def environment(stack: Stack, aws: str, lake: str) -> Mapping[str, Mapping[str, str]]:
    """events/env.json with what the stack really has."""
    integration = stack["github"]
    stack.client("secretsmanager").put_secret_value(SecretId=integration.secret_arn, SecretString=FAKE_SECRET)
    actual = {
        "DELIVERY_QUEUE_URL": integration.queue_url,
        "DEAD_LETTER_QUEUE_URL": integration.dead_letter_queue_url,
        "WEBHOOK_SECRET_ARN": integration.secret_arn,
        "CHANNEL_ARN": integration.channel_arn,
        "QUARANTINE_BUCKET": integration.bucket,
        "AWS_ENDPOINT_URL": aws,
        "AWS_ENDPOINT_URL_CLOUDTRAIL_DATA": lake,
    }
    recorded = json.loads((ROOT / "events" / "env.json").read_text(encoding="utf-8"))
    return {
        function: {name: actual.get(name, value) for name, value in variables.items()}
        for function, variables in recorded.items()
    }


def invoke(build: Path, function: str, event: str, variables: Path) -> Any:
    done = subprocess.run(
        [SAM, "local", "invoke", function, "--event", str(ROOT / "events" / event), "--env-vars", str(variables)]
        + ["--template", str(build / "template.yaml"), "--skip-pull-image", "--add-host", f"{HOST}:host-gateway"]
        + ["--parameter-overrides", "Architecture=x86_64", "--region", "us-east-1"],
        cwd=ROOT,
        env={**CREDENTIALS, "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(Path.home()), "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    assert lines, done.stderr
    return json.loads(lines[-1])


def missing() -> str | None:
    """Why this cannot run here, or None."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no Docker engine answers"
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode:
        return f"the image {IMAGE} is not there: docker pull {IMAGE}"
    return None


def main() -> None:
    if reason := missing():
        print(f"skipped: {reason}")
        return
    bridge = subprocess.run(
        ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    with tempfile.TemporaryDirectory(prefix="trailhook-containers-") as folder:
        build = Path(folder) / "build"
        subprocess.run([SAM, "build", "--build-dir", build, "--no-cached"], cwd=ROOT, check=True)
        with (
            Stack(["github"], state=Path(folder) / "state", template=ROOT / "template.yaml", retry_seconds=5) as stack,
            reachable(stack.endpoints.aws, bridge) as aws,
            reachable(stack.endpoints.cloudtrail, bridge) as lake,
        ):
            variables = Path(folder) / "env.json"
            variables.write_text(json.dumps(environment(stack, aws, lake)), encoding="utf-8")
            for event in ("receive-github-webhook.json", "receive-custom-standard-webhook.json"):
                answer = invoke(build, "ReceiveFunction", event, variables)
                assert answer["statusCode"] == 202, answer
                print(f"ReceiveFunction {event}: 202")
            answer = invoke(build, "ForwardFunction", "forward-deliveries.json", variables)
            assert answer == {"batchItemFailures": []}, answer
            stack.wait_until_settled(60)
            sql = f"SELECT count(*) AS events FROM {store_id(stack.event_data_store_arn)}"
            (row,) = query_lake(stack.client("cloudtrail"), sql).rows
            print(f"ForwardFunction forward-deliveries.json: delivered; the Lake holds {row['events']} events")
            assert int(row["events"]) >= 2, row
    print("3 passed, 0 failed")


if __name__ == "__main__":
    main()
