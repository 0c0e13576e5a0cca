"""A function's settings: one frozen value built from its environment, checked before anything is done with it."""

import re
from collections.abc import Mapping

from msgspec import Struct

from trailhook.errors import SettingsError
from trailhook.external_id import EXTERNAL_ID
from trailhook.partner import Options
from trailhook.redaction import read_paths
from trailhook.source_ranges import SourceRanges

_CHANNEL_ARN = re.compile(r"arn:aws[a-z-]*:cloudtrail:[a-z0-9-]+:(?P<account>\d{12}):channel/[A-Za-z0-9._/-]+")


class ReceiveSettings(Struct, frozen=True):
    """What receive needs to know."""

    partner: str
    delivery_queue_url: str
    webhook_secret_arn: str
    rotation_grace_hours: float
    patience_seconds: float
    allowed_source_ranges: SourceRanges
    options: Options

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ReceiveSettings":
        """Raises SettingsError, naming the variable."""
        return cls(
            partner=_required(environ, "PARTNER"),
            delivery_queue_url=_required(environ, "DELIVERY_QUEUE_URL"),
            webhook_secret_arn=_required(environ, "WEBHOOK_SECRET_ARN"),
            rotation_grace_hours=_number(environ, "ROTATION_GRACE_HOURS", 24),
            patience_seconds=_number(environ, "PATIENCE_SECONDS", 2, least=0.1),
            allowed_source_ranges=_source_ranges(environ),
            options=_options(environ),
        )


class ForwardSettings(Struct, frozen=True):
    """What forward needs to know. `account_id` owns the channel: it is read out of the channel's ARN.

    `requests_per_second` is what one of the forwarders that run at once may make; None sets no bound.
    """

    partner: str
    delivery_queue_url: str
    dead_letter_queue_url: str | None
    channel_arn: str
    account_id: str
    external_id: str | None
    quarantine_bucket: str
    exclude_events: tuple[str, ...]
    requests_per_second: float | None
    options: Options

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "ForwardSettings":
        """Raises SettingsError, naming the variable."""
        channel_arn = _required(environ, "CHANNEL_ARN")
        match = _CHANNEL_ARN.fullmatch(channel_arn)
        if match is None:
            raise SettingsError(
                f"CHANNEL_ARN={channel_arn!r} is not a channel's ARN "
                "(arn:aws:cloudtrail:<region>:<account>:channel/<id>)"
            )
        return cls(
            partner=_required(environ, "PARTNER"),
            delivery_queue_url=_required(environ, "DELIVERY_QUEUE_URL"),
            dead_letter_queue_url=environ.get("DEAD_LETTER_QUEUE_URL") or None,
            channel_arn=channel_arn,
            account_id=match["account"],
            external_id=_external_id(environ),
            quarantine_bucket=_required(environ, "QUARANTINE_BUCKET"),
            exclude_events=_words(environ.get("EXCLUDE_EVENTS", "")),
            requests_per_second=_share(environ),
            options=_options(environ),
        )


def _options(environ: Mapping[str, str]) -> Options:
    # Only the custom partner's own stack takes it. Where the partner was changed, a wrong one must not keep what custom
    # senders had queued before from being forwarded.
    event_source = environ.get("EVENT_SOURCE") if environ.get("PARTNER") == "custom" else None
    return Options(
        accept_hec=_flag(environ, "ACCEPT_HEC"),
        event_source=event_source or None,
        redact=_redact(environ),
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set")
    return value


def _external_id(environ: Mapping[str, str]) -> str | None:
    value = environ.get("EXTERNAL_ID", "")
    if value and not EXTERNAL_ID.fullmatch(value):
        raise SettingsError(f"EXTERNAL_ID={value!r} is not 2 to 1224 characters of letters, digits and _+=,.@:/-")
    return value or None


def _source_ranges(environ: Mapping[str, str]) -> SourceRanges:
    try:
        return SourceRanges.parse(_words(environ.get("ALLOWED_SOURCE_RANGES", "")))
    except ValueError as error:
        raise SettingsError(
            f"ALLOWED_SOURCE_RANGES: {error}; say CIDR ranges separated by commas, like 192.0.2.0/24,2001:db8::/32"
        ) from error


def _redact(environ: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return read_paths(environ.get("REDACT", ""))
    except ValueError as error:
        raise SettingsError(f"REDACT: {error}") from error


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").lower()
    if value not in {"", "true", "false"}:
        raise SettingsError(f"{name}={value!r}: say true or false")
    return value == "true"


def _number(environ: Mapping[str, str], name: str, default: float, *, least: float = 0) -> float:
    text = environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError as error:
        raise SettingsError(f"{name}={text!r} is not a number; say one from {least:g} on") from error
    if not least <= value < float("inf"):
        raise SettingsError(f"{name}={text!r} is out of range; say a number from {least:g} on")
    return value


def _share(environ: Mapping[str, str]) -> float | None:
    """A forwarder's part of what all of them together may make; they know nothing of each other."""
    rate = _number(environ, "REQUEST_RATE", 0)
    return rate / _number(environ, "MAXIMUM_CONCURRENCY", 1, least=1) or None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
