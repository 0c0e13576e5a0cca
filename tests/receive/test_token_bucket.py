"""What a token bucket lets through."""

from tests.fakes import MemoryClock

from trailhook.token_bucket import TokenBucket


def test_a_bucket_fills_at_its_rate_up_to_its_capacity_and_loses_nothing_where_the_clock_is_put_back() -> None:
    clock = MemoryClock(0)
    bucket = TokenBucket(3, 0.5, clock.now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.time = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]
    clock.time = 100
    assert bucket.take()
    clock.time = 0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
