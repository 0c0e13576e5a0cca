"""Who calls: the account behind the SigV4 Authorization header.

The form of the signature, its service name and Region are checked as AWS checks them; the secret key is not, since a
laptop has none worth keeping.

Local convention: an access key id of exactly twelve digits *is* the caller's account id. Every other access key belongs
to the account that owns this Lake.
"""

import re
from typing import Final

from werkzeug.datastructures import Headers

from trailhook_local.lake import errors

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SCOPE: Final = re.compile(r"(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_SIGNATURE: Final = re.compile(r"[0-9a-f]{64}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")


def caller_account(headers: Headers, *, service: str, region: str, owner: str) -> str:
    """The caller's account id; raises what AWS answers to a missing, incomplete or mis-scoped signature."""
    authorization = headers.get("Authorization")
    if not authorization:
        raise errors.MissingAuthenticationTokenException("Missing Authentication Token")
    algorithm, _, rest = authorization.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    missing = [name for name in ("Credential", "SignedHeaders", "Signature") if not parts.get(name)]
    if algorithm != _ALGORITHM or missing:
        raise errors.IncompleteSignatureException(
            f"Authorization header requires {_ALGORITHM} with Credential, SignedHeaders and Signature."
        )
    scope = _SCOPE.fullmatch(parts["Credential"])
    if scope is None or not _SIGNATURE.fullmatch(parts["Signature"]):
        raise errors.IncompleteSignatureException(
            "Credential must be <key>/<date>/<region>/<service>/aws4_request and Signature 64 hexadecimal digits."
        )
    if "host" not in parts["SignedHeaders"].split(";") or "X-Amz-Date" not in headers:
        raise errors.IncompleteSignatureException("Authorization header requires a signed host and X-Amz-Date.")
    if scope["service"] != service:
        raise errors.InvalidSignatureException(f"Credential should be scoped to correct service: '{service}'.")
    if scope["region"] != region:
        raise errors.InvalidSignatureException(
            f"Credential should be scoped to a valid region, not '{scope['region']}'."
        )
    return scope["key"] if _ACCOUNT.fullmatch(scope["key"]) else owner
