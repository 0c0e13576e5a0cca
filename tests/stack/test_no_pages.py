"""What a page in a browser asks of moto's server or the Lake is refused; what programs of this machine ask is not."""

from collections.abc import Iterator, Mapping

import pytest
import urllib3
from urllib3.util import parse_url

from trailhook_local.lake import LakeServer
from trailhook_local.stack.endpoints import Endpoints

PATHS = {"aws": ("POST", "/moto-api/reset"), "lake": ("GET", "/_local/stats")}
EVIL = "https://evil.example"
OF_A_PAGE: Mapping[str, Mapping[str, str]] = {
    "another site's": {"Origin": EVIL},
    "a file's": {"Origin": "null"},
    "another port's": {"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"},
    "an image's": {"Sec-Fetch-Site": "cross-site"},
    "a name that was pointed here": {"Host": "evil.example:{port}"},
    "the same with its own origin": {
        "Host": "evil.example:{port}",
        "Origin": "http://evil.example:{port}",
        "Sec-Fetch-Site": "same-origin",
    },
    "a name like an address": {"Host": "127.0.0.1.evil.example"},
    "a name like localhost": {"Host": "localhost.evil.example"},
}
OF_THIS_MACHINE: Mapping[str, Mapping[str, str]] = {
    "a program": {},
    "localhost": {"Host": "localhost:{port}"},
    "a bucket's name": {"Host": "bucket.localhost:{port}"},
    "without a port": {"Host": "127.0.0.1"},
    "IPv6": {"Host": "[::1]:{port}"},
    "a container": {"Host": "host.docker.internal:{port}"},
    "an address that somebody typed": {"Sec-Fetch-Site": "none"},
    "moto's own page": {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"},
}


@pytest.fixture(scope="module")
def servers(endpoints: Endpoints) -> Iterator[Mapping[str, str]]:
    with LakeServer() as lake:
        yield {"aws": endpoints.aws, "lake": lake.url}


def answered(url: str, method: str, path: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
    sent = {name: value.format(port=parse_url(url).port) for name, value in headers.items()}
    with urllib3.PoolManager() as http:
        return http.request(method, url + path, headers=sent)


@pytest.mark.parametrize("server", PATHS)
@pytest.mark.parametrize("headers", OF_A_PAGE.values(), ids=OF_A_PAGE.keys())
def test_a_page_is_refused_and_may_not_read_why(
    servers: Mapping[str, str], server: str, headers: Mapping[str, str]
) -> None:
    answer = answered(servers[server], *PATHS[server], headers)
    assert answer.status == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_page_is_not_allowed_to_ask_either(servers: Mapping[str, str]) -> None:
    for url in servers.values():
        asked = {
            "Origin": EVIL,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-target",
        }
        assert answered(url, "OPTIONS", "/", asked).status == 403


@pytest.mark.parametrize("server", PATHS)
@pytest.mark.parametrize("headers", OF_THIS_MACHINE.values(), ids=OF_THIS_MACHINE.keys())
def test_a_program_of_this_machine_is_answered(
    servers: Mapping[str, str], server: str, headers: Mapping[str, str]
) -> None:
    assert answered(servers[server], *PATHS[server], headers).status == 200
