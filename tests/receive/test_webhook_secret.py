"""Rotating the secret needs no gap, an outage of its store no luck, and a flood of forgeries no reads."""

import gc
import weakref
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError
from tests.fakes import MemoryClock
from tests.receive.stored_secret import HOUR, Bench

from trailhook.errors import SecretStoreError
from trailhook.secrets_manager import SecretsManagerStore
from trailhook.webhook_secret import CACHE_SECONDS, REREAD_SECONDS, REREADS, WebhookSecret


def test_the_secret_is_read_once_while_deliveries_are_genuine() -> None:
    bench = Bench("current")
    for _ in range(100):
        assert bench.first() == "current"
        bench.clock.time += 1
    assert bench.reads() == ["AWSCURRENT"]


def test_it_is_read_again_when_the_cached_one_is_old() -> None:
    bench = Bench("first")
    assert bench.first() == "first"
    bench.store.put("second", at=bench.clock.time)
    bench.clock.time += CACHE_SECONDS + 1
    assert bench.first() == "second"


def test_the_previous_value_counts_until_the_grace_period_ends() -> None:
    bench = Bench("old")
    bench.store.put("new", at=bench.clock.time)
    assert bench.candidates() == ["new", "old"]
    bench.clock.time += 24 * HOUR
    assert bench.candidates() == ["new", "old"]
    bench.clock.time += 1
    assert bench.candidates() == ["new"]


def test_without_a_grace_period_the_previous_value_never_counts() -> None:
    bench = Bench("old")
    bench.store.put("new", at=bench.clock.time - 1)
    secret = WebhookSecret(bench.store, grace_hours=0, now=bench.clock.now)
    assert list(secret.candidates()) == ["new"]
    assert bench.reads() == ["AWSCURRENT"]


def test_the_previous_value_is_read_only_when_the_current_one_proves_nothing() -> None:
    bench = Bench("old")
    bench.store.put("new", at=bench.clock.time)
    assert bench.first() == "new"
    assert bench.reads() == ["AWSCURRENT"]
    for _ in range(3):
        candidates = bench.secret.candidates()
        assert [next(candidates), next(candidates)] == ["new", "old"]
    assert bench.reads().count("AWSPREVIOUS") == 1


def test_a_new_secret_is_found_by_the_first_delivery_that_it_signs() -> None:
    bench = Bench("old")
    assert bench.candidates() == ["old"]
    bench.store.put("new", at=bench.clock.time)
    assert bench.candidates() == ["old", "new", "old"]
    assert bench.first() == "new"


def test_two_rotations_in_a_row_are_found_as_well() -> None:
    bench = Bench("first")
    assert bench.first() == "first"
    for value in ("second", "third"):
        bench.store.put(value, at=bench.clock.time)
    assert bench.candidates() == ["first", "third", "second"]


def test_after_a_rotation_the_value_before_the_previous_one_no_longer_counts() -> None:
    bench = Bench("first")
    bench.store.put("second", at=bench.clock.time)
    assert bench.candidates() == ["second", "first"]
    bench.store.put("third", at=bench.clock.time)
    bench.clock.time += CACHE_SECONDS + 1
    assert bench.candidates() == ["third", "second"]


def test_a_rotation_that_a_delivery_reveals_makes_another_value_the_previous_one() -> None:
    bench = Bench("first")
    bench.store.put("second", at=bench.clock.time)
    assert bench.candidates() == ["second", "first"]
    bench.store.put("third", at=bench.clock.time)
    assert bench.candidates() == ["second", "first", "third", "second"]
    assert bench.candidates() == ["third", "second"]


def test_no_request_reads_more_than_twice() -> None:
    """Each read may take half a second, and partners wait three in all."""
    bench = Bench("first")
    for value in ("second", "third", "fourth"):
        assert bench.candidates()
        assert len(bench.reads()) <= 2
        bench.store.put(value, at=bench.clock.time)
    bench.clock.time += CACHE_SECONDS + 1
    assert bench.candidates()
    assert len(bench.reads()) <= 2


def test_a_flood_of_forgeries_reads_as_often_as_is_allowed_and_no_more() -> None:
    bench = Bench("current")
    assert bench.first() == "current"
    bench.reads()
    for _ in range(1000):
        assert bench.candidates() == ["current"]
    assert len(bench.reads()) == REREADS
    bench.clock.time += REREAD_SECONDS
    for _ in range(1000):
        assert bench.candidates() == ["current"]
    assert len(bench.reads()) == 1


def test_a_flood_of_forgeries_does_not_keep_a_new_secret_out() -> None:
    """Whoever floods the endpoint while the secret is rotated delays it by one re-read and no more."""
    bench = Bench("old")
    for _ in range(100):
        assert bench.candidates()[0] == "old"
    bench.store.put("new", at=bench.clock.time)
    assert bench.candidates() == ["old"]
    bench.clock.time += REREAD_SECONDS
    assert bench.candidates() == ["old", "new", "old"]
    for _ in range(100):
        assert bench.candidates() == ["new", "old"]


def test_a_secret_that_is_withdrawn_at_once_ends_when_the_cached_one_is_old() -> None:
    """Without a grace period, and though every delivery still comes under it, so that no proof fails."""
    bench = Bench("stolen")
    secret = WebhookSecret(bench.store, grace_hours=0, now=bench.clock.now)
    assert next(secret.candidates()) == "stolen"
    bench.store.put("new", at=bench.clock.time)
    for _ in range(3):
        assert next(secret.candidates()) == "stolen"
        bench.clock.time += CACHE_SECONDS / 3
    bench.clock.time += 1
    assert list(secret.candidates()) == ["new"]


@pytest.mark.parametrize("flooded", [False, True])
def test_a_previous_secret_whose_stage_is_taken_away_ends_when_the_cached_one_is_old(*, flooded: bool) -> None:
    """Within its grace period, whether deliveries that it proves or forgeries beside them keep the function warm."""
    bench = Bench("stolen")
    bench.store.put("new", at=bench.clock.time)
    assert bench.candidates() == ["new", "stolen"]
    del bench.store.versions["AWSPREVIOUS"]
    for _ in range(int(CACHE_SECONDS / REREAD_SECONDS)):
        candidates = bench.secret.candidates()
        assert [next(candidates), next(candidates)] == ["new", "stolen"]
        if flooded:
            assert bench.candidates() == ["new", "stolen"]
        bench.clock.time += REREAD_SECONDS
    bench.clock.time += REREAD_SECONDS
    assert bench.candidates() == ["new"]


@pytest.mark.parametrize("all_of_it", [True, False])
def test_the_previous_secret_outlives_an_outage_that_begins_after_it_was_read(*, all_of_it: bool) -> None:
    bench = Bench("old")
    bench.store.put("new", at=bench.clock.time)
    assert bench.candidates() == ["new", "old"]
    bench.store.down, bench.store.down_for = all_of_it, "AWSPREVIOUS"
    for _ in range(10):
        bench.clock.time += CACHE_SECONDS + 1
        candidates = bench.secret.candidates()
        assert [next(candidates), next(candidates)] == ["new", "old"]


def test_a_previous_secret_that_does_not_count_any_more_is_not_read_again() -> None:
    bench = Bench("old")
    bench.store.put("new", at=bench.clock.time)
    assert bench.candidates() == ["new", "old"]
    bench.clock.time += 24 * HOUR + 1
    bench.reads()
    assert bench.candidates() == ["new"]
    assert bench.reads() == ["AWSCURRENT"]


def test_the_grace_period_ends_during_an_outage_too() -> None:
    bench = Bench("old")
    bench.store.put("new", at=bench.clock.time)
    assert bench.candidates() == ["new", "old"]
    bench.store.down = True
    bench.clock.time += 24 * HOUR
    candidates = bench.secret.candidates()
    assert [next(candidates), next(candidates)] == ["new", "old"]
    bench.clock.time += 1
    candidates = bench.secret.candidates()
    assert next(candidates) == "new"
    with pytest.raises(SecretStoreError):
        next(candidates)


def test_a_warm_function_outlives_an_outage_of_the_store() -> None:
    bench = Bench("current")
    assert bench.first() == "current"
    bench.store.down = True
    for _ in range(10):
        bench.clock.time += 10 * HOUR
        assert bench.first() == "current"


def test_during_an_outage_nothing_is_called_forged() -> None:
    """The secret may have been rotated meanwhile: a delivery that fails under the known one may yet be genuine."""
    for idle in (0.0, CACHE_SECONDS + 1):
        bench = Bench("current")
        assert bench.candidates() == ["current"]
        bench.store.down = True
        bench.clock.time += idle
        for _ in range(REREADS + 3):
            with pytest.raises(SecretStoreError):
                bench.candidates()
        assert len(bench.reads()) <= REREADS + 2


class Body:
    """What a request holds; weak references tell whether it is still held."""


def test_during_an_outage_no_request_that_was_refused_is_held() -> None:
    bench = Bench("current")
    assert bench.candidates() == ["current"]
    bench.store.down = True
    held: list[weakref.ref[Body]] = []

    def refuse() -> None:
        body = Body()
        held.append(weakref.ref(body))
        with pytest.raises(SecretStoreError):
            bench.candidates()

    for _ in range(REREADS + 20):
        refuse()
    gc.collect()
    assert [found for found in held if found() is not None] == []


class SecretsManager:
    """Secrets Manager's client: `answer` is what it hands on, or raises."""

    class exceptions:  # noqa: N801 - the SDK's name
        """The modelled errors, as attributes of the client."""

        class ResourceNotFoundException(Exception):
            """There is no such version."""

    def __init__(self) -> None:
        self.answer: Any = {"SecretString": "current", "CreatedDate": datetime(2023, 1, 1, tzinfo=UTC)}

    def get_secret_value(self, **_request: str) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("code", ["InvalidRequestException", "AccessDeniedException"])
def test_a_secret_that_is_about_to_be_deleted_or_denied_is_an_outage(code: str) -> None:
    """Whoever takes it away from a warm function takes away genuine deliveries; operations.md says what ends it."""
    client, clock = SecretsManager(), MemoryClock()
    store: Any = SecretsManagerStore(client, "arn")  # type: ignore[arg-type] # the method that is called
    secret = WebhookSecret(store, grace_hours=0, now=clock.now)
    assert next(secret.candidates()) == "current"
    client.answer = ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")
    clock.time += 100 * HOUR
    assert next(secret.candidates()) == "current"
    with pytest.raises(SecretStoreError, match=code):
        list(secret.candidates())


@pytest.mark.parametrize(
    "answer",
    [
        ResponseParserError("a page of a proxy"),
        EndpointConnectionError(endpoint_url="https://secretsmanager.example"),
        {"SecretString": "other"},
        {"SecretString": 7, "CreatedDate": datetime(2023, 1, 1, tzinfo=UTC)},
        ["other"],
    ],
    ids=["no JSON", "no answer", "no date", "no text", "no object"],
)
def test_an_answer_that_makes_no_sense_is_an_outage(answer: Any) -> None:
    client, clock = SecretsManager(), MemoryClock()
    store: Any = SecretsManagerStore(client, "arn")  # type: ignore[arg-type] # the method that is called
    secret = WebhookSecret(store, grace_hours=0, now=clock.now)
    assert next(secret.candidates()) == "current"
    client.answer = answer
    clock.time += CACHE_SECONDS + 1
    assert next(secret.candidates()) == "current", "what was right a moment ago goes on"
    with pytest.raises(SecretStoreError, match=r"^Secrets Manager did not answer for AWSCURRENT: ") as caught:
        list(secret.candidates())
    assert "other" not in str(caught.value)


@pytest.mark.parametrize(
    ("stored", "secret"), [("current\r\n", "current"), (" current \n", " current "), ("\ncurrent", "\ncurrent")]
)
def test_of_what_was_stored_only_the_newlines_at_its_end_are_left_out(stored: str, secret: str) -> None:
    """As a file ends, on Windows too. Any other blank was put by mistake, which has to be said."""
    client = SecretsManager()
    client.answer |= {"SecretString": stored}
    read = SecretsManagerStore(client, "arn").read("AWSCURRENT")  # type: ignore[arg-type] # the method that is called
    assert read is not None
    assert read.value == secret


@pytest.mark.parametrize("stored", [{"SecretBinary": b"current"}, {"SecretString": "\r\n"}], ids=["binary", "empty"])
def test_a_secret_that_is_no_text_is_said_to_be_none(stored: dict[str, Any]) -> None:
    client = SecretsManager()
    client.answer = {"CreatedDate": datetime(2023, 1, 1, tzinfo=UTC), **stored}
    with pytest.raises(SecretStoreError, match=r"a plain string.*SetWebhookSecretCommand"):
        SecretsManagerStore(client, "arn").read("AWSCURRENT")  # type: ignore[arg-type] # the method that is called


def test_the_outage_is_over_when_the_store_answers_again() -> None:
    bench = Bench("current")
    bench.store.down = True
    with pytest.raises(SecretStoreError):
        bench.first()
    bench.store.down = False
    assert bench.candidates() == ["current"]


def test_a_secret_without_a_current_version_refuses_instead_of_skipping_the_proof() -> None:
    with pytest.raises(SecretStoreError, match=r"no current version.*SetWebhookSecretCommand"):
        Bench().candidates()
    bench = Bench("current")
    assert bench.first() == "current"
    bench.store.versions.clear()
    bench.clock.time += CACHE_SECONDS + 1
    with pytest.raises(SecretStoreError, match=r"no current version.*SetWebhookSecretCommand"):
        bench.first()


def test_a_clock_that_is_set_back_neither_fails_nor_reads_without_end() -> None:
    bench = Bench("current")
    assert bench.first() == "current"
    bench.clock.time -= 1000 * HOUR
    for _ in range(100):
        assert bench.candidates()[0] == "current"
    assert len(bench.reads()) <= REREADS + 2
