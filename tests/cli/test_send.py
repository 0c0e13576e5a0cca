"""`trailhook send` posts as a partner does: again where the answer asks for that, and nowhere else."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.loopback import Exchange, listening

from trailhook_local.cli.main import main


def send(folder: Path, *statuses: int) -> tuple[Result, list[str]]:
    """What Okta's is told by an endpoint that answers so, one after the other; and the paths that were asked for."""
    file = folder / "delivery.json"
    file.write_text("{}")
    asked: list[str] = []

    def respond(exchange: Exchange) -> None:
        exchange.body()
        status = statuses[len(asked)]
        asked.append(exchange.path)
        exchange.answer(status, b"", {"location": "/elsewhere"})

    with listening(respond) as url:
        command = ["send", "okta", str(file), "--url", f"{url}/webhook", "--secret", "fake"]
        return CliRunner().invoke(main, command), asked


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_be_over_soon_is_tried_again(tmp_path: Path, status: int) -> None:
    result, asked = send(tmp_path, status, 202)
    assert (result.exit_code, result.stdout.strip(), asked) == (0, "202", ["/webhook"] * 2)


@pytest.mark.parametrize("status", [400, 401, 413, 302, 307])
def test_what_is_refused_or_sent_elsewhere_is_told_and_the_secret_goes_nowhere_else(
    tmp_path: Path, status: int
) -> None:
    result, asked = send(tmp_path, status, 202)
    assert (result.exit_code, result.stdout.strip(), asked) == (1, str(status), ["/webhook"])
