"""What was put as the secret by mistake: it calls nobody a forger, and what anybody could know proves nothing."""

import pytest
from tests.cpu_time import cost_ratio
from tests.receive.stored_secret import Bench

from trailhook.errors import SecretStoreError

SLIPS = {
    '{"webhook_secret":"current"}': "a JSON object",
    ' {"webhook_secret": "current", "other": {}} ': "a JSON object",
    '"current"': "in quotation marks",
    "'current'": "in quotation marks",
    "`current`": "in quotation marks",
    " current": "a blank",
    "current ": "a blank",
    "\ncurrent": "a blank",
    "<x7 Kq9 secret>": "a placeholder",
    "${x7Kq9}": "a placeholder",
    "{{ x7Kq9 }}": "a placeholder",
    "\ufeffcurrent": "byte order mark",
    "\u00ef\u00bb\u00bfcurrent": "byte order mark",
    '"<x7 Kq9 secret>"': "in quotation marks",
    "'<your secret> current'": "in quotation marks",
    "\u200bcurrent": "invisible character",
    "current\u2060": "invisible character",
    "cur\u00adrent": "invisible character",
    "c\x00u\x00r\x00r\x00e\x00n\x00t\x00": "invisible character",
}
GUESSED = {
    "<your secret>": "a placeholder",
    "<the webhook secret, alone>": "a placeholder",
    "<>": "a placeholder",
    "${WEBHOOK_SECRET}": "a placeholder",
    "{{ secret }}": "a placeholder",
    "<the partner's secret (in its console)>": "a placeholder",
    "<%= secret %>": "a placeholder",
    "${env:WEBHOOK_SECRET}": "a placeholder",
    "${{ secrets.WEBHOOK_SECRET }}": "a placeholder",
    "$WEBHOOK_SECRET": "a placeholder",
    "$(WEBHOOK_SECRET)": "a placeholder",
    "$env:WEBHOOK_SECRET": "a placeholder",
    "%WEBHOOK_SECRET%": "a placeholder",
    "{}": "a JSON object",
    "{ }": "a JSON object",
    '""': "in quotation marks",
    "' '": "in quotation marks",
    '"<your secret>"': "in quotation marks",
    "'${WEBHOOK_SECRET}'": "in quotation marks",
    "`{{ secret }}`": "in quotation marks",
    "'$WEBHOOK_SECRET'": "in quotation marks",
    "null": "what a program writes for nothing",
    "None": "what a program writes for nothing",
    "undefined": "what a program writes for nothing",
    '"null"': "in quotation marks",
    "null ": "a blank",
    "undefined\r\n": "a blank",
    '"{}"': "in quotation marks",
    " <your secret>": "a blank",
    "{{ secret }}\t": "a blank",
    "\n${WEBHOOK_SECRET}\r\n": "a blank",
    "\ufeff'<your secret>'": "byte order mark",
    "\ufeff": "byte order mark",
    "\u00ef\u00bb\u00bf": "byte order mark",
    "\ufeff<your secret>": "byte order mark",
    "\u200b\u2060": "invisible character",
    "***": "neither a letter nor a digit",
    "\u2022" * 40: "neither a letter nor a digit",
    "\u25cf" * 12 + "\n": "a blank",
    "(\u2026)": "neither a letter nor a digit",
    "__-__": "neither a letter nor a digit",
    "#": "neither a letter nor a digit",
}
ED25519 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
"""The public key of an example in RFC 8410, section 10.1."""
PUBLIC_KEYS = [
    f"-----BEGIN PUBLIC KEY-----\n{ED25519}\n-----END PUBLIC KEY-----",
    "-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ED25519,
    f"whsec_{ED25519}",
    f"whpk_{ED25519}",
    f'"{ED25519}"',
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh mona@example.com",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDFAKE",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBFAKE",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFAKE",
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAFAKE",
    "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAFAKE",
]


@pytest.mark.parametrize(("value", "what"), SLIPS.items())
def test_under_a_secret_that_was_put_by_mistake_nothing_is_called_forged(value: str, what: str) -> None:
    """A 401 makes some partners drop a genuine delivery, and here every one would get it."""
    bench = Bench(value)
    candidates = bench.secret.candidates()
    assert next(candidates) == value, "the partner may have been given just this"
    with pytest.raises(SecretStoreError, match=f"{what}.*SetWebhookSecretCommand") as caught:
        list(candidates)
    assert "current" not in str(caught.value)


@pytest.mark.parametrize(("value", "what"), GUESSED.items())
def test_what_anybody_could_guess_proves_nothing(value: str, what: str) -> None:
    """It stands in pages that anybody can read, and the 503 tells outsiders that it may be worth a try."""
    bench = Bench(value)
    with pytest.raises(SecretStoreError, match=f"{what}.*SetWebhookSecretCommand"):
        next(bench.secret.candidates())


@pytest.mark.parametrize("value", ["", " ", "\t \n"])
def test_nothing_is_no_secret_and_no_slip(value: str) -> None:
    assert Bench(value).candidates() == []


@pytest.mark.parametrize("value", PUBLIC_KEYS)
def test_a_public_key_as_files_have_it_proves_nothing(value: str) -> None:
    """Taken for a secret that both sides share, it would let everybody sign who knows it, but never its owner."""
    with pytest.raises(SecretStoreError, match=r"public key in another form than whpk_.*SetWebhookSecretCommand"):
        next(Bench(value).secret.candidates())


@pytest.mark.parametrize("value", ["<your secret>", ED25519])
def test_what_anybody_could_guess_or_know_proves_nothing_as_the_previous_value_either(value: str) -> None:
    bench = Bench(value)
    bench.store.put("current", at=bench.clock.time)
    assert bench.candidates() == ["current"]


@pytest.mark.parametrize(
    "value",
    [
        "current",
        "4711",
        "[1]",
        "nullnull",
        "None of these",
        "a{b}c",
        "$ecret$",
        "$4711",
        "100%",
        '{"webhook_secret',
        '"half',
        "two words",
        "two\nlines",
        "sch\u00f6n \u2603",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "arn:aws:sns:eu-central-1:111122223333:t#key",
        "[1," * 50_000,
        "9" * 5000,
    ],
    ids=lambda value: value[:20],
)
def test_what_may_be_meant_is_a_secret(value: str) -> None:
    assert Bench(value).candidates() == [value]


def test_blanks_in_a_secret_cost_no_more_than_it_is_long() -> None:
    """It is looked at for every delivery, and where lines of a file were indented they are many."""

    def candidates(blanks: int) -> None:
        secret = Bench(" " * blanks + "current").secret
        for _ in range(100):
            next(secret.candidates())

    assert cost_ratio(lambda: candidates(64), lambda: candidates(4)) < 20


def test_beside_a_mistake_the_previous_value_counts() -> None:
    bench = Bench("old")
    bench.store.put('{"webhook_secret":"new"}', at=bench.clock.time)
    for _ in range(2):
        candidates = bench.secret.candidates()
        assert [next(candidates), next(candidates)] == ['{"webhook_secret":"new"}', "old"]
        with pytest.raises(SecretStoreError):
            next(candidates)


def test_a_mistake_that_is_put_right_calls_forgeries_forged_again() -> None:
    bench = Bench('{"webhook_secret":"new"}')
    with pytest.raises(SecretStoreError):
        bench.candidates()
    bench.store.put("new", at=bench.clock.time)
    assert "new" in bench.candidates()
    assert bench.candidates() == ["new", '{"webhook_secret":"new"}']
