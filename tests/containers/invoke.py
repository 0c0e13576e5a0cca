"""The built functions in Lambda's own kind of container: `make test-containers`.

Runs `sam build`, starts the local stack, lets containers reach it, invokes all of events/ with `sam local invoke`,
looks at the answers and into the Lake. Needs a running Docker engine that has Lambda's Python image, as
`make lambda-image` brings it; where it cannot run it says why and exits with 0, so that a machine without Docker is no
failure.
"""

import json
import platform
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
from trailhook_local.stack.cloudformation import ResponseUrl
from trailhook_local.stack.endpoints import CREDENTIALS
from trailhook_local.stack.stack import Stack

ROOT = Path(__file__).parents[2]
SAM = str(ROOT / ".venv-sam" / "bin" / "sam")
ARCHITECTURE = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "")
IMAGE = f"public.ecr.aws/lambda/python:3.13-{ARCHITECTURE}"
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


def environment(recorded: str, stack: Stack, aws: str, lake: str) -> Mapping[str, Mapping[str, str]]:
    """One of the environments in events/, with what the stack really has."""
    integration = stack["github"]
    stack.client("secretsmanager").put_secret_value(SecretId=integration.secret_arn, SecretString=FAKE_SECRET)
    actual = {
        "DELIVERY_QUEUE_URL": integration.queue_url,
        "DEAD_LETTER_QUEUE_URL": integration.dead_letter_queue_url,
        "WEBHOOK_SECRET_ARN": integration.secret_arn,
        "CHANNEL_ARN": integration.channel_arn,
        "QUARANTINE_BUCKET": integration.bucket,
        "AWS_ENDPOINT_URL": aws,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": lake,
        "AWS_ENDPOINT_URL_CLOUDTRAIL_DATA": lake,
    }
    functions = json.loads((ROOT / "events" / recorded).read_text(encoding="utf-8"))
    return {
        function: {name: actual.get(name, value) for name, value in variables.items()}
        for function, variables in functions.items()
    }


def invoke(build: Path, function: str, event: str, variables: Path) -> Any:
    done = subprocess.run(
        [SAM, "local", "invoke", function, "--event", str(ROOT / "events" / event), "--env-vars", str(variables)]
        + ["--template", str(build / "template.yaml"), "--skip-pull-image", "--add-host", f"{HOST}:host-gateway"]
        + ["--parameter-overrides", f"Architecture={ARCHITECTURE}", "--region", "us-east-1"],
        cwd=ROOT,
        env={**CREDENTIALS, "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(Path.home()), "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    assert lines, done.stderr
    return json.loads(lines[-1])


def invoke_stack_requests(build: Path, folder: Path, variables: Path, bridge: str, cloudtrail: Any) -> None:
    """Create, Update and Delete of events/, each told the physical id of the one before, as CloudFormation does."""
    with ResponseUrl(bridge) as response:
        physical_id = ""
        for kind in ("create", "update", "delete"):
            event = json.loads((ROOT / "events" / f"integration-{kind}.json").read_text(encoding="utf-8"))
            path = urlsplit(event["ResponseURL"])
            event["ResponseURL"] = f"http://{HOST}:{response.port}{path.path}?{path.query}"
            if physical_id:
                event["PhysicalResourceId"] = physical_id
            recorded = folder / f"integration-{kind}.json"
            recorded.write_text(json.dumps(event), encoding="utf-8")
            assert invoke(build, "IntegrationFunction", str(recorded), variables) is None
            answer = response.take()
            assert answer["Status"] == "SUCCESS", answer
            physical_id = answer["PhysicalResourceId"]
            channels = {channel["ChannelArn"] for channel in cloudtrail.list_channels()["Channels"]}
            assert (physical_id in channels) is (kind != "delete")
            print(f"IntegrationFunction integration-{kind}.json: SUCCESS")


def missing() -> str | None:
    """Why this cannot run here, or None."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
        return "no Docker engine answers: `make lambda-image` starts one where it may"
    if subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode:
        return f"the image {IMAGE} is not there: `make lambda-image` brings it"
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
            for recorded in ("env.json", "env-okta.json"):
                content = json.dumps(environment(recorded, stack, aws, lake))
                (Path(folder) / recorded).write_text(content, encoding="utf-8")
            variables = Path(folder) / "env.json"
            asked = json.loads((ROOT / "events" / "receive-okta-verification.json").read_text(encoding="utf-8"))
            answer = invoke(build, "ReceiveFunction", "receive-okta-verification.json", Path(folder) / "env-okta.json")
            echoed = {"verification": asked["headers"]["x-okta-verification-challenge"]}
            assert (answer["statusCode"], json.loads(answer["body"])) == (200, echoed), answer
            print("ReceiveFunction receive-okta-verification.json: 200")
            for event in ("receive-github-webhook.json", "receive-custom-standard-webhook.json"):
                answer = invoke(build, "ReceiveFunction", event, variables)
                assert answer["statusCode"] == 202, answer
                print(f"ReceiveFunction {event}: 202")
            answer = invoke(build, "ForwardFunction", "forward-deliveries.json", variables)
            assert answer == {"batchItemFailures": []}, answer
            stack.wait_until_settled(60)
            sql = f"SELECT count(*) AS events FROM {store_id(stack.event_data_store_arn)}"
            (row,) = query_lake(stack.client("cloudtrail"), sql)
            print(f"ForwardFunction forward-deliveries.json: delivered; the Lake holds {row['events']} events")
            assert int(row["events"]) >= 2, row
            invoke_stack_requests(build, Path(folder), variables, bridge, stack.client("cloudtrail"))
    print("7 passed, 0 failed")


if __name__ == "__main__":
    main()
