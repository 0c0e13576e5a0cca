"""A webhook secret that nobody can have meant: what anybody would guess or know, and what was put by mistake."""

import json
import re

_BYTE_ORDER_MARK = "(\ufeff|\u00ef\u00bb\u00bf)"
"""Of a file, as it is and as its three bytes read in Windows-1252."""

_PUBLIC_KEY = (
    *("PUBLIC KEY-----", "CERTIFICATE-----"),
    *("MCowBQYDK2VwAyEA", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE", "ANBgkqhkiG9w0BAQEFAAOC"),
    *("AAAAC3NzaC1lZDI1NTE5AAAA", "AAAAB3NzaC1yc2EAAAA", "ecdsa-sha2-nistp"),
)
"""What only a public key holds as files have it: PEM's own words, and what those of Ed25519, ECDSA and RSA have in
common, as OpenSSL writes them in base64 and as OpenSSH does. (OpenSSH's ECDSA in base64 is in private keys, too.)"""

_VARIABLE = r"\$(env:)?[A-Za-z_]+|\$\([A-Za-z_]+\)|%[A-Za-z_]+%"
"""The name of a variable that no shell or pipeline has put the value in place of."""

_NOTHING = ("null", "None", "undefined")
"""What `jq -r`, the AWS CLI's text output and JavaScript write for a value that is not there."""

_SLIPS = {
    "is a public key in another form than whpk_ and 32 bytes in base64": f".*({'|'.join(_PUBLIC_KEY)}).*",
    "begins or ends with a blank": r"\s+\S.*|.*\S\s+",
    "is in quotation marks": r"""(["'`]).*\1""",
    "is a placeholder": rf"<.*>|\$\{{.*\}}|\{{\{{.*\}}\}}|{_VARIABLE}",
    "is what a program writes for nothing": "|".join(_NOTHING),
    "begins with a file's byte order mark": f"{_BYTE_ORDER_MARK}.*",
}
"""What a secret looks like that was put by mistake, where the bare one was meant. The first that fits is told. They are
compiled only when a proof fails, so that no cold start waits for them."""

_OPENINGS = frozenset("<$%{\"'`\ufeff\u00ef")
_GUESSED = (
    rf"""\s*+{_BYTE_ORDER_MARK}?\s*+(?P<mark>["'`]?)\s*+"""
    rf"""(<\D*>|\$\{{\D*\}}|\{{\{{\D*\}}\}}|\{{\s*\}}|{_VARIABLE}|{"|".join(_NOTHING)})?\s*+(?P=mark)\s*+"""
)
"""Placeholders without a digit, as they stand in pages that anybody can read, and what holds nothing; also in quotation
marks, which some shells leave there, and between blanks. No blank is given back (`*+`), or a few hundred would take
minutes, for every delivery."""


def is_guessed(secret: str) -> bool:
    """Whether an outsider would try it, or may know it. The first letter clears nearly all of being a placeholder."""
    if not _has_letter_or_digit(secret):
        return True
    if secret.strip() in _NOTHING or any(mark in secret for mark in _PUBLIC_KEY):
        return True
    opening = secret[:1]
    return (opening in _OPENINGS or opening.isspace()) and re.fullmatch(_GUESSED, secret) is not None


def slip_in(secret: str) -> str | None:
    """What makes a secret look as if it were not the one that was meant, if anything does."""
    try:
        if isinstance(json.loads(secret), dict):
            return "is a JSON object, as Secrets Manager's console stores key/value pairs"
    except (ValueError, RecursionError):
        pass
    fitting = (slip for slip, form in _SLIPS.items() if re.fullmatch(form, secret, re.DOTALL))
    if slip := next(fitting, None):
        return slip
    if any(not letter.isprintable() and not letter.isspace() for letter in secret):
        return "holds an invisible character"
    if secret.strip() and not _has_letter_or_digit(secret):
        return "holds neither a letter nor a digit, like the dots that consoles show for a secret"
    return None


def _has_letter_or_digit(secret: str) -> bool:
    """Neither stands in what holds nothing, nor in the dots and asterisks that consoles and logs show for a secret."""
    return any(letter.isalnum() for letter in secret)
