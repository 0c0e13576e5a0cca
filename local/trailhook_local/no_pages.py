"""Keeps pages in a browser away from the servers on loopback, which take any signature.

Any page may send requests to 127.0.0.1: moto lets it read the answers, and the Lake would answer under a name of the
page's own that leads here ("DNS rebinding"). Browsers tell by headers that a page asks, or under which name. The AWS
CLI, SDKs and curl send no such header, and name this machine.
"""

from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_NAMES = frozenset({"localhost", "host.docker.internal"})
_SITES = frozenset({"", "none", "same-origin"})
"""Of Sec-Fetch-Site ("Fetch Metadata Request Headers"): no page, or one that this server gave itself."""


class NoPages:
    """A server's application for this machine's programs, and for whoever types its address into a browser."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if _is_of_a_page(environ):
            refusal = Response("Pages of other sites are not answered here.\n", HTTPStatus.FORBIDDEN)
            return refusal(environ, start_response)
        return self._app(environ, start_response)


def _is_of_a_page(environ: "WSGIEnvironment") -> bool:
    host = environ.get("HTTP_HOST", "")
    if environ.get("HTTP_ORIGIN", f"http://{host}") != f"http://{host}":
        return True
    return environ.get("HTTP_SEC_FETCH_SITE", "") not in _SITES or not _is_this_machine(host)


def _is_this_machine(host: str) -> bool:
    """Whether it is a name that nobody can point here: an address, or one that is this machine's by itself."""
    name = host.lower().rpartition(":")[0] if host[-1:].isdecimal() and ":" in host else host.lower()
    if not name or name in _NAMES or name.endswith(".localhost"):
        return True
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
