"""Cold start of each function beside an anchor, in fresh interpreters, on the layer as it is built.

    .venv/bin/python -m benchmarks.cold_start [--rounds 11] [--container]

The anchor is what a lean Lambda function on the same libraries would import: botocore with one client, Powertools'
Logger and Metrics, orjson and msgspec, with botocore's data pruned as the layer's is, all compiled. The same without
pruning and bytecode, as SAM's own builder ships it, stands beside it. Init is everything up to the handler's import,
clients included; the first invocation adds one call of the handler, into an endpoint of this process that accepts
everything; a warm one is the median of twenty more. All times are CPU time, which a busy machine changes least; even so
they mean little, and ratios of one run do.

The interpreter is the runtime's own minor version where there is one, else this one. `--container` runs every sample in
Lambda's image, which Docker must have.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import rmtree
from statistics import median
from typing import Any

from benchmarks.runtime import LAYER, ROOT, build_layer, in_image, interpreter
from rich.console import Console
from rich.table import Table

SERVICES = ("cloudtrail", "cloudtrail-data", "s3", "secretsmanager", "sqs", "sts")
ANCHOR_PACKAGES = (
    "aws-lambda-powertools",
    "botocore",
    "jmespath",
    "msgspec",
    "orjson",
    "python-dateutil",
    "six",
    "typing-extensions",
    "urllib3",
)
ANCHOR, AS_SHIPPED = "anchor", "anchor, as SAM ships it"
DEPTHS = 15
"""Calls that may be under way when Lambda's runtime imports a function."""

SECRET = "TrailhookFakeSecretForLocalUseOnly0000000000"

SAMPLE = """
import time
began = time.process_time()
import json, sys
site, path, event_file, depth = sys.argv[1:]
sys.path.insert(0, site)
def load(depth):
    if depth:
        return load(depth - 1)
    if path:
        sys.path.insert(0, path)
        from app import handler
        return handler
    import botocore.session
    client = botocore.session.get_session().create_client("sqs")
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.metrics import Metrics
    import msgspec
    import orjson
    def handler(event, context):
        client.send_message(QueueUrl="https://sqs/111122223333/deliveries", MessageBody=orjson.dumps(event).decode())
    return handler
handler = load(int(depth))
init = time.process_time() - began
event = json.load(open(event_file)) if event_file else None
times = []
for _ in range(21 if event else 0):
    start = time.process_time()
    answer = handler(event, None)
    times.append(time.process_time() - start)
    assert not answer or answer.get("statusCode", 202) == 202 and not answer.get("batchItemFailures"), answer
report = {"init": init}
if times:
    report |= {"first": init + times[0], "warm": sorted(times[1:])[10]}
print(json.dumps(report), file=sys.__stderr__)
"""


@dataclass(frozen=True)
class Subject:
    """What one sample starts: a function, or nothing but the anchor's imports; without an event it stops after init."""

    site: Path
    function: Path | None = None
    event: Path | None = None


class Accepting(BaseHTTPRequestHandler):
    """SQS, Secrets Manager and PutAuditEvents that say yes."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer, or each waits for the acknowledgement of its headers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        if "SendMessage" in self.headers.get("X-Amz-Target", ""):
            # botocore compares the digest.
            digest = hashlib.md5(request["MessageBody"].encode(), usedforsecurity=False).hexdigest()
            answer: dict[str, Any] = {"MessageId": "m", "MD5OfMessageBody": digest}
        elif "GetSecretValue" in self.headers.get("X-Amz-Target", ""):
            answer = {"SecretString": SECRET, "CreatedDate": 1_700_000_000, "VersionId": "v"}
        else:
            answer = {"successful": [{"id": e["id"], "eventID": e["id"]} for e in request["auditEvents"]], "failed": []}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        pass


def build_anchor(folder: Path, python: str, *, lean: bool) -> Path:
    """The anchor's packages, in the layer's versions where it has them; `lean`: pruned and compiled."""
    locked = dict(
        re.findall(r"^([a-z0-9-]+)==(\S+)", (LAYER / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    )
    wanted = [f"{name}=={locked[name]}" if name in locked else name for name in ANCHOR_PACKAGES]
    install = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*install, "--target", str(folder), *wanted], check=True, capture_output=True)
    if lean:
        for service in (folder / "botocore" / "data").iterdir():
            if service.is_dir() and service.name not in SERVICES:
                rmtree(service)
        endpoints = folder / "botocore" / "data" / "endpoints.json"
        subprocess.run([python, str(LAYER / "endpoints.py"), str(endpoints), *SERVICES], check=True)
        subprocess.run(
            [python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)], check=True
        )
    return folder


def environment(url: str) -> dict[str, str]:
    return {
        "PARTNER": "github",
        "DELIVERY_QUEUE_URL": f"{url}/111122223333/deliveries",
        "WEBHOOK_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:111122223333:secret:webhook-AbCdEf",
        "CHANNEL_ARN": "arn:aws:cloudtrail:us-east-1:111122223333:channel/00000000-0000-4000-8000-000000000000",
        "QUARANTINE_BUCKET": "quarantine",
        "POWERTOOLS_SERVICE_NAME": "benchmark",
        "AWS_LAMBDA_FUNCTION_NAME": "benchmark",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "fake",
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_ENDPOINT_URL": url,
    }


def sample(python: Sequence[str], subject: Subject, environ: Mapping[str, str], depth: int = 0) -> dict[str, float]:
    """One cold start, `depth` calls deep: seconds of CPU of init, of init and first invocation, and of a warm one."""
    where = [str(subject.site), str(subject.function or ""), str(subject.event or ""), str(depth)]
    done = subprocess.run(
        [*python, "-I", "-S", "-B", "-c", SAMPLE, *where],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"A sample failed: {done.stderr}")
    times: dict[str, float] = json.loads(done.stderr.splitlines()[-1])
    return times


def measure(
    python: Sequence[str], subjects: Mapping[str, Subject], environ: Mapping[str, str], rounds: int
) -> dict[str, dict[str, float]]:
    """The median of each subject's samples. They take turns, so that what else the machine does hits all alike.

    Each turn begins at another depth of the stack: at some of them one subject or another takes a tenth longer, by
    nothing but where the edges of Python's stack fall.
    """
    for subject in subjects.values():
        sample(python, subject, environ)
    taken = [
        {name: sample(python, subject, environ, depth % DEPTHS) for name, subject in subjects.items()}
        for depth in range(rounds)
    ]
    return {name: {kind: median(times[name][kind] for times in taken) for kind in taken[0][name]} for name in subjects}


def render(results: Mapping[str, Mapping[str, float]], title: str) -> Table:
    table = Table(title=title)
    for column in ("", "init", "ratio", "and first invocation", "ratio", "warm invocation"):
        table.add_column(column, justify="right" if column else "left")
    anchor = results[ANCHOR]
    for name, times in results.items():
        row = [name, f"{times['init'] * 1e3:.0f} ms", f"{times['init'] / anchor['init']:.2f}"]
        if "first" in times:
            row += [f"{times['first'] * 1e3:.0f} ms", f"{times['first'] / anchor['first']:.2f}"]
            row.append(f"{times['warm'] * 1e3:.1f} ms")
        table.add_row(*row)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--container", action="store_true", help="run the samples in Lambda's image")
    arguments = parser.parse_args()
    python = interpreter()
    ask = "import platform as p; print(p.python_version(), p.machine())"
    version, machine = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.split()
    minor = version.rpartition(".")[0]
    with tempfile.TemporaryDirectory(prefix="trailhook-cold-start-") as name:
        folder = Path(name)
        layer = build_layer(folder / "layer", minor)
        lean = build_anchor(folder / "lean", python, lean=True)
        as_shipped = build_anchor(folder / "as-shipped", python, lean=False)
        delivery = ROOT / "events" / "receive-github-webhook.json"
        deliveries = ROOT / "events" / "forward-deliveries.json"
        subjects = {
            ANCHOR: Subject(lean, event=delivery),
            AS_SHIPPED: Subject(as_shipped, event=delivery),
            "receive": Subject(layer, ROOT / "functions" / "receive", delivery),
            "forward": Subject(layer, ROOT / "functions" / "forward", deliveries),
            "integration": Subject(layer, ROOT / "functions" / "integration"),
        }
        with ThreadingHTTPServer(("127.0.0.1", 0), Accepting) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            environ = environment(f"http://127.0.0.1:{server.server_address[1]}")
            command = in_image(minor, (folder, ROOT), environ) if arguments.container else [python]
            results = measure(command, subjects, environ, arguments.rounds)
            server.shutdown()
    where = "Lambda's image" if arguments.container else f"Python {version}"
    title = f"Cold start, median of {arguments.rounds} fresh interpreters ({where}, {machine})"
    Console(width=110).print(render(results, title))


if __name__ == "__main__":
    main()
