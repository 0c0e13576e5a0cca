"""The senders' side of each proof, held against the partners' own published vectors."""

import base64
import hmac
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from trailhook_local.cli.main import main
from trailhook_local.signing import SIGNERS, sign_github, sign_standard_webhooks


def test_github_signs_as_its_documentation_shows() -> None:
    """docs.github.com, "Validating webhook deliveries"."""
    signed = sign_github("It's a Secret to Everybody", b"Hello, World!")
    expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signed == {"X-Hub-Signature-256": expected}


def test_standard_webhooks_signs_as_its_reference_libraries_do() -> None:
    """standard-webhooks, libraries/*/tests, the sign test."""
    signed = sign_standard_webhooks(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("prefix", "size", "decoded"),
    [("", 23, False), ("", 24, True), ("", 64, True), ("", 65, False), ("whsec_", 15, False), ("whsec_", 16, True)],
)
def test_a_secret_in_base64_is_decoded_where_that_gives_a_key(prefix: str, size: int, decoded: bool) -> None:
    """Of 24 to 64 bytes; Svix also issues shorter ones, behind its prefix."""
    secret = prefix + base64.b64encode(b"k" * size).decode()
    key = b"k" * size if decoded else secret.encode()
    digest = hmac.digest(key, b"msg_1.1700000000.{}", "sha256")
    signed = sign_standard_webhooks(secret, b"{}", message_id="msg_1", timestamp=1_700_000_000)
    assert signed["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_okta_sends_the_secret_as_it_is() -> None:
    assert SIGNERS["okta"]("chosen-by-the-administrator", b"{}") == {"Authorization": "chosen-by-the-administrator"}


def test_send_says_where_it_cannot_sign_as_the_partner_itself(tmp_path: Path) -> None:
    """Only Amazon can sign as SNS; the endpoint takes Standard Webhooks too."""
    file = tmp_path / "message.json"
    file.write_text("{}")
    # While it is held and nobody listens there, no other program of this machine can answer.
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        for partner, said in (("cloudstoragesecurity", True), ("slack", True), ("okta", False), ("custom", False)):
            result = CliRunner().invoke(main, ["send", partner, str(file), "--url", url, "--secret", "fake"])
            assert "could not be asked" in result.stderr
            assert (f"signed under Standard Webhooks: the proof of {partner}" in result.stderr) is said
