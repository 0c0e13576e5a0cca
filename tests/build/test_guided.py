"""`sam deploy --guided` at a terminal: how many questions want an answer other than Enter."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tests.build.conftest import ROOT, Build, environment

from trailhook_local.stack.template import load_document

pytestmark = [pytest.mark.build, pytest.mark.timeout(600)]

ANSWERS = {r"Parameter Partner\b": "github", r"has no authentication": "y"}
QUESTION = re.compile(rb"(?:\]: ?|\[[yYnN]/[yYnN]\]:? ?|: )$")
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
AFTER_THE_QUESTIONS = b"Looking for resources needed for deployment"


def converse(command: list[str], folder: Path, seconds: float) -> tuple[list[tuple[str, str]], bytes]:
    """Every question with the answer it was given, and all that stood on the screen, until SAM turns to AWS."""
    terminal, line = pty.openpty()
    # Nothing answers at that address: SAM must not get further than its questions.
    variables = environment(
        AWS_ACCESS_KEY_ID="AKIAEXAMPLEFAKEOWNER",
        AWS_SECRET_ACCESS_KEY="fake",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_MAX_ATTEMPTS="1",
    )
    process = subprocess.Popen(command, cwd=folder, env=variables, stdin=line, stdout=line, stderr=line)
    os.close(line)
    asked: list[tuple[str, str]] = []
    screen = unanswered = b""
    ends = time.monotonic() + seconds
    try:
        while time.monotonic() < ends and AFTER_THE_QUESTIONS not in screen and process.poll() is None:
            ready, _, _ = select.select([terminal], [], [], 0.2)
            if ready:
                try:
                    new = ESCAPES.sub(b"", os.read(terminal, 65536))
                except OSError:  # the other end has closed the terminal
                    break
                screen, unanswered = screen + new, unanswered + new
            elif QUESTION.search(unanswered):
                question = unanswered.decode().strip().splitlines()[-1].strip()
                answer = next((text for pattern, text in ANSWERS.items() if re.search(pattern, question)), "")
                asked.append((question, answer))
                unanswered = b""
                os.write(terminal, answer.encode() + b"\n")
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    return asked, screen


def test_a_guided_deployment_wants_two_answers_and_otherwise_enter(sam: Path, build: Build, tmp_path: Path) -> None:
    command = [str(sam), "deploy", "--guided", "--template-file", str(build.template)]
    command += ["--config-file", str(shutil.copy(ROOT / "samconfig.toml", tmp_path))]  # it writes into that
    asked, screen = converse(command, build.template.parents[2], seconds=120)

    questions = [question for question, _ in asked]
    assert AFTER_THE_QUESTIONS in screen or "Saving arguments" in screen.decode(), screen.decode()[-2000:]
    asked_for = {match[1] for question in questions if (match := re.match(r"Parameter (\w+)", question))}
    assert asked_for == set(load_document(build.template)["Parameters"])
    assert [answer for _, answer in asked if answer] == ["github", "y"]
