"""What an operator may ask of the custom resource, and every rule that can be checked before the first AWS call.

CloudFormation hands over text only; `""` and `[""]` are what an empty parameter looks like, so they mean absent.
"""

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from trailhook.errors import PropertiesRefused, SettingsError
from trailhook.external_id import EXTERNAL_ID
from trailhook.integration.catalogue import SOURCES, IntegrationType, Source
from trailhook.integration.request import Place
from trailhook.integration.tag_properties import OUR_TAGS, tag_faults, tag_pairs
from trailhook.known_partners import PARTNERS, channel_sources

EXTENDABLE = "EXTENDABLE_RETENTION_PRICING"
FIXED = "FIXED_RETENTION_PRICING"
LONGEST_RETENTION_DAYS = {EXTENDABLE: 3_653, FIXED: 2_557}
DEFAULT_RETENTION_DAYS = {EXTENDABLE: 366, FIXED: 2_557}

_IGNORED = frozenset({"ServiceToken", "ServiceTimeout", "Version"})
PROPERTIES = frozenset(
    {
        "Partner",
        "Mode",
        "ChannelName",
        "ChannelArn",
        "EventDataStoreArns",
        "EventDataStore",
        "PrincipalAccountIds",
        "ExternalId",
        "Tags",
        "OnDelete",
        "ShortenRetention",
    }
)
STORE_MEMBERS = frozenset({"Name", "BillingMode", "RetentionPeriodDays", "KmsKeyId"})
_OURS_ALONE = ("ChannelName", "EventDataStoreArns", "EventDataStore", "PrincipalAccountIds", "ExternalId", "Tags")
_NAME = re.compile(r"[A-Za-z0-9._-]{3,128}")
_KMS_KEY = re.compile(r"[A-Za-z0-9._/:-]{1,256}")
_ARN = re.compile(r"arn:[a-z-]+:cloudtrail:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<kind>\w+)/[A-Za-z0-9-]+")
_MAX_PRINCIPALS = 50
_MAX_STORES = 10


class NewStore(Struct, frozen=True):
    """The event data store to have. None: the operator does not say."""

    name: str
    billing_mode: str
    retention_days: int | None
    kms_key: str | None

    @property
    def kms_alias(self) -> str | None:
        """The KMS key where it is given by an alias, which says nothing of the key behind it."""
        return self.kms_key if self.kms_key and re.match(r"(arn:[^/]*:)?alias/", self.kms_key) else None


class Integration(Struct, frozen=True):
    """The integration to have: through somebody else's channel, `channel_arn`, or with given stores or a new one."""

    partner: str
    source: Source
    channel_name: str
    channel_arn: str
    store_arns: tuple[str, ...]
    store: NewStore | None
    principals: tuple[str, ...]
    external_id: str
    tags: Mapping[str, str]
    shorten_retention: bool


def parse_properties(properties: Mapping[str, Any], place: Place) -> Integration:
    """What ResourceProperties ask for. Raises PropertiesRefused with a sentence for each broken rule."""
    return _Reader(_present(properties), place).integration()


def deletes_stores(properties: Mapping[str, Any]) -> bool:
    """Whether what we made goes, too. A Delete validates nothing, so whatever is not `delete` keeps the evidence."""
    return bool(properties.get("OnDelete") == "delete")


def given_stores(properties: Mapping[str, Any]) -> frozenset[str]:
    """The event data stores of the operator's own that properties name, whether they are valid or not."""
    entries = _entries(properties.get("EventDataStoreArns"))
    return frozenset(str(arn).strip() for arn in entries) if isinstance(entries, list) else frozenset()


def _entries(value: Any) -> Any:
    """A list's entries: a template that passes a CommaDelimitedList through Fn::Join, or one value, hands over text."""
    return value.split(",") if isinstance(value, str) else value


def former_tags(properties: Mapping[str, Any]) -> dict[str, str | None]:
    """The tags that earlier properties asked for, whether they were valid or not; None for a value that is no text."""
    return {key: value for key, value in tag_pairs(_present(properties).get("Tags")) if key}


def store_member(properties: Mapping[str, Any], name: str) -> str | None:
    """A member of `EventDataStore` in earlier properties, None where it is absent."""
    store = _present(properties).get("EventDataStore")
    value = store.get(name) if isinstance(store, Mapping) else None
    return value if isinstance(value, str) else None


def _present(value: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is absent: "", [""] and maps of nothing else."""
    result: dict[str, Any] = {}
    for name, item in value.items():
        kept: Any = item
        if isinstance(item, Mapping):
            kept = _present(item) if name != "Tags" else dict(item)
        elif isinstance(item, list):
            kept = [one for one in item if one != ""]
        if kept not in ("", None, [], {}):
            result[name] = kept
    return result


class _Reader:
    """Reads properties and collects what is wrong with them."""

    def __init__(self, properties: Mapping[str, Any], place: Place) -> None:
        self._properties = properties
        self._place = place
        self._wrong: list[str] = []

    def integration(self) -> Integration:
        unknown = sorted(self._properties.keys() - PROPERTIES - _IGNORED)
        if unknown:
            self._wrong.append(f"There is no property {', '.join(unknown)}: remove it, or correct its spelling.")
        source = self._source()
        self._text("OnDelete", "retain", ("retain", "delete"))
        shorten = self._text("ShortenRetention", "false", ("true", "false")) == "true"
        tags = tag_pairs(self._properties.get("Tags"))
        store = self._store()
        self._wrong += tag_faults(tags, OUR_TAGS + bool(store and store.kms_alias))
        wanted = Integration(
            partner=self._text("Partner"),
            source=source,
            channel_name=self._text("ChannelName"),
            channel_arn=self._text("ChannelArn"),
            store_arns=self._list("EventDataStoreArns"),
            store=store,
            principals=self._list("PrincipalAccountIds"),
            external_id=self._text("ExternalId"),
            tags={key: value or "" for key, value in tags},
            shorten_retention=shorten,
        )
        if "ChannelArn" in self._properties:
            self._check_shared_channel(wanted)
        else:
            self._check_own_channel(wanted)
        if self._wrong:
            raise PropertiesRefused(" ".join(dict.fromkeys(self._wrong)))
        return wanted

    def _source(self) -> Source:
        partner = self._text("Partner")
        try:
            sources = channel_sources(partner)
        except SettingsError as error:
            self._wrong.append(f"{error}.")
            return SOURCES["Custom"]
        if not sources:
            known = f"Partner must be one of {', '.join(PARTNERS)}"
            self._wrong.append(f"{known}, not {partner!r}." if partner else f"{known}; it is missing.")
            return SOURCES["Custom"]
        mode = self._text("Mode") or next(iter(sources))
        if mode not in sources:
            self._wrong.append(f"Mode of {partner} can only be {' or '.join(sources)}, not {mode!r}.")
            return SOURCES["Custom"]
        return SOURCES[sources[mode]]

    def _check_shared_channel(self, wanted: Integration) -> None:
        beside = [name for name in _OURS_ALONE if name in self._properties]
        if beside:
            self._wrong.append(
                f"ChannelArn stands alone: the channel keeps its owner's name, policy, destinations and tags, so "
                f"remove {', '.join(beside)}."
            )
        self._check_arn("ChannelArn", wanted.channel_arn, "channel")

    def _check_own_channel(self, wanted: Integration) -> None:
        self._check_name("ChannelName", wanted.channel_name)
        self._check_destinations(wanted)
        self._check_policy(wanted)

    def _check_destinations(self, wanted: Integration) -> None:
        if ("EventDataStoreArns" in self._properties) == ("EventDataStore" in self._properties):
            self._wrong.append(
                "Name either existing event data stores in EventDataStoreArns or a new one in EventDataStore, and not "
                "both; or share a channel with ChannelArn."
            )
        if len(wanted.store_arns) > _MAX_STORES:
            self._wrong.append(f"EventDataStoreArns names more than the {_MAX_STORES} stores that a Region can have.")
        for arn in wanted.store_arns:
            self._check_arn("EventDataStoreArns", arn, "eventdatastore")
        if len(set(wanted.store_arns)) < len(wanted.store_arns):
            self._wrong.append("EventDataStoreArns names an event data store twice.")

    def _check_policy(self, wanted: Integration) -> None:
        direct = wanted.source.type is IntegrationType.DIRECT
        name = wanted.source.console_name
        if direct and not wanted.principals:
            self._wrong.append(
                f"{name} delivers by itself: PrincipalAccountIds must name its AWS accounts, which {name} tells you."
            )
        if direct and not wanted.external_id:
            self._wrong.append(f"{name} delivers by itself: ExternalId must be the one that {name} gives out.")
        if wanted.external_id and not wanted.principals and not direct:
            self._wrong.append("ExternalId is a condition of a policy, so PrincipalAccountIds must name an account.")
        if wanted.external_id and not EXTERNAL_ID.fullmatch(wanted.external_id):
            self._wrong.append("ExternalId must have 2 to 1224 letters, digits or characters out of _+=,.@:/-.")
        if len(wanted.principals) > _MAX_PRINCIPALS:
            self._wrong.append(f"PrincipalAccountIds names more than {_MAX_PRINCIPALS} accounts.")
        for account in wanted.principals:
            if not re.fullmatch(r"[0-9]{12}", account):
                self._wrong.append(f"PrincipalAccountIds must hold account ids of 12 digits, not {account!r}.")
        if len(set(wanted.principals)) < len(wanted.principals):
            self._wrong.append("PrincipalAccountIds names an account twice.")

    def _check_name(self, label: str, name: str) -> None:
        if not _NAME.fullmatch(name):
            given = repr(name) if name else "missing"
            self._wrong.append(f"{label} must have 3 to 128 letters, digits, '.', '_' or '-'; it is {given}.")

    def _check_arn(self, name: str, arn: str, kind: str) -> None:
        match = _ARN.fullmatch(arn)
        if match is None or match["kind"] != kind:
            example = self._place.arn("cloudtrail", f"{kind}/<id>")
            self._wrong.append(f"{name} must be of the form {example}, not {arn!r}.")
        elif (match["region"], match["account"]) != (self._place.region, self._place.account):
            here = f"account {self._place.account} and Region {self._place.region}"
            self._wrong.append(f"{name} must be in this stack's {here}, unlike {arn}.")

    def _store(self) -> NewStore | None:
        store = self._properties.get("EventDataStore")
        if store is None:
            return None
        if not isinstance(store, Mapping):
            self._wrong.append(f"EventDataStore must be a map of {', '.join(sorted(STORE_MEMBERS))}.")
            return None
        unknown = sorted(store.keys() - STORE_MEMBERS)
        if unknown:
            self._wrong.append(
                f"EventDataStore has no member {', '.join(unknown)}: remove it, or correct its spelling."
            )
        name = self._text("Name", within="EventDataStore")
        self._check_name("EventDataStore.Name", name)
        billing = self._text("BillingMode", EXTENDABLE, (EXTENDABLE, FIXED), within="EventDataStore")
        key = self._text("KmsKeyId", within="EventDataStore")
        if key and not _KMS_KEY.fullmatch(key):
            self._wrong.append(f"EventDataStore.KmsKeyId must be a KMS key's ARN, id or alias/<name>, not {key!r}.")
        return NewStore(name, billing, self._retention(billing), key or None)

    def _retention(self, billing: str) -> int | None:
        text = self._text("RetentionPeriodDays", within="EventDataStore")
        if not text:
            return None
        longest = LONGEST_RETENTION_DAYS[billing]
        days = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
        if not 7 <= days <= longest:
            self._wrong.append(
                f"EventDataStore.RetentionPeriodDays must be 7 to {longest} days under {billing}, not {text!r}."
            )
        return days

    def _text(self, name: str, default: str = "", choices: tuple[str, ...] = (), *, within: str = "") -> str:
        holder = self._properties.get(within, {}) if within else self._properties
        value = holder.get(name, default)
        label = f"{within}.{name}" if within else name
        if not isinstance(value, str):
            self._wrong.append(f"{label} must be a text, not {type(value).__name__}.")
            return default
        if choices and value not in choices:
            self._wrong.append(f"{label} must be {' or '.join(choices)}, not {value!r}.")
            return default
        return value

    def _list(self, name: str) -> tuple[str, ...]:
        entries = _entries(self._properties.get(name, []))
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            self._wrong.append(f"{name} must be a list of texts.")
            return ()
        return tuple(entry.strip() for entry in entries)
