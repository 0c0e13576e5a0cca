"""Addresses as partners write them: a zone belongs to IPv6 alone, and what is no address is only where it came from."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.partners.cases import event_data

from trailhook.address import address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("8.8.8.8%eth0", None),
        ("8.8.8.8%25eth0", None),
        ("8.8.8.8%", None),
        ("fe80::1%eth0", "fe80::1"),
        ("fe80::1%25eth0", "fe80::1"),
        ("::ffff:8.8.8.8%eth0", "8.8.8.8"),
        ("::%eth0", None),
        ("0.0.0.0%eth0", None),
        ("%eth0", None),
        ("::ffff:0.0.0.0", None),
    ],
)
def test_only_an_ipv6_address_has_a_zone(text: str, found: str | None) -> None:
    assert address(text) == found


def test_blanks_stand_around_an_address_but_not_without_end() -> None:
    assert address(f" 8.8.8.8{' ' * 92}") == "8.8.8.8"
    assert address(f" 8.8.8.8{' ' * 93}") is None


def test_what_is_no_address_stays_where_it_came_from() -> None:
    record = {"request_id": "r-1", "request_timestamp": 1_762_331_405, "method": "GET", "client_ip": "8.8.8.8%25eth0"}
    event = event_data("kong", record)
    assert "sourceIPAddress" not in event
    assert event["requestParameters"]["client_ip"] == "8.8.8.8%25eth0"


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({"UserIp": "", "Attributes": {"user_ip": "8.8.8.8"}, "SourceIp": "8.8.4.4"}, "8.8.8.8"),
        ({"SourceIp": "8.8.4.4"}, "8.8.4.4"),
        ({"UserId": "AIDA", "UserSourceIp": "8.8.4.4"}, "8.8.4.4"),
        ({"SourceAccountName": "mira", "SourceEndpointIpAddress": "8.8.4.4"}, "8.8.4.4"),
        ({"UserName": "mira", "EndpointIp": "8.8.4.4"}, "8.8.4.4"),
        ({"UserName": "mira", "LocalIP": "10.0.0.7", "LocalIPv6": ""}, "10.0.0.7"),
        ({"UserName": "mira", "LocalIP": "", "LocalIPv6": "2001:db8::7"}, "2001:db8::7"),
        ({"ConnectionDirection": "0", "LocalAddress": "10.0.0.7", "RemoteAddress": "8.8.8.8"}, "10.0.0.7"),
        ({"ConnectionDirection": "1", "LocalAddress": "10.0.0.7", "RemoteAddress": "8.8.8.8"}, "8.8.8.8"),
        ({"ConnectionDirection": 1, "LocalAddress": "10.0.0.7", "RemoteAddress": "8.8.8.8"}, "8.8.8.8"),
        ({"ConnectionDirection": "2", "LocalAddress": "10.0.0.7", "RemoteAddress": "8.8.8.8"}, "10.0.0.7"),
    ],
)
def test_each_of_crowdstrikes_records_has_a_name_of_its_own_for_an_address(
    members: Mapping[str, Any], found: str
) -> None:
    streamed = {
        "metadata": {"customerIDString": "c", "eventType": "t", "offset": 1, "eventCreationTime": 1_762_331_405}
    }
    replicated: dict[str, Any] = {"ExternalApiType": "Event_t", "timestamp": "2025-11-05T08:30:05Z"}
    for record in ({**streamed, "event": members}, {**replicated, **members}):
        assert event_data("crowdstrike", record)["sourceIPAddress"] == found


@pytest.mark.parametrize(
    ("members", "side"),
    [
        ({"event_simpleName": "NetworkConnectIP4", "ConnectionDirection": "0"}, "Local"),
        ({"event_simpleName": "NetworkReceiveAcceptIP4", "ConnectionDirection": "1"}, "Remote"),
        ({"event_simpleName": "RawBindIP6", "ConnectionDirection": "2"}, "Local"),
        ({"event_simpleName": "UserLogon", "LogonType": "10"}, "Remote"),
        ({"event_simpleName": "UserLogonFailed2", "LogonType": "3"}, "Remote"),
        ({"fdr_event_type": "UserLogon", "LogonType": "3"}, "Remote"),
        ({"event_simpleName": "UserLogoff"}, "Local"),
    ],
)
def test_a_sensor_of_crowdstrikes_tells_who_came_from_outside(members: Mapping[str, str], side: str) -> None:
    event = {"id": "e-1", "cid": "c", "aid": "a-1", "timestamp": "1762331405123", **members}
    for version, local, remote in (("IP4", "10.0.0.7", "8.8.8.8"), ("IP6", "2001:db8::7", "2001:db8::8")):
        addresses = {f"LocalAddress{version}": local, f"RemoteAddress{version}": remote}
        assert event_data("crowdstrike", event | addresses)["sourceIPAddress"] == addresses[f"{side}Address{version}"]
    nowhere = {"LocalAddressIP4": "10.0.0.7", "RemoteAddressIP4": ""}
    assert event_data("crowdstrike", event | nowhere)["sourceIPAddress"] == "10.0.0.7"


PORTER = {"id": "a-1", "name": "8.8.8.8", "type": "USER_ACCOUNT"}
PROBER = {"id": "a-2", "name": "8.8.8.8", "type": "NETWORK_ADDRESS"}


@pytest.mark.parametrize(
    ("actor", "came_from", "found"),
    [
        (PROBER, ["8.8.4.4"], "8.8.8.8"),
        (PORTER, ["8.8.4.4"], "8.8.4.4"),
        (PORTER, ["8.8.4.4", "1.1.1.1"], None),
        (PORTER, [], None),
        (PORTER, [None], None),
    ],
)
def test_wiz_tells_an_address_where_there_can_be_no_other(
    actor: Mapping[str, str], came_from: list[str | None], found: str | None
) -> None:
    events = [{"id": f"e-{number}", "actorIP": ip} for number, ip in enumerate(came_from)]
    threat = {"id": "t-1", "createdAt": "2025-11-05T08:30:00Z", "primaryActor": actor}
    for record in (
        threat | {"triggeringEvents": {"totalCountV2": len(events), "nodes": events[:1]}},
        threat | {"triggeringEvents": {"totalCount": len(events), "nodes": events[:1]}},
        threat
        | {"trigger": {"source": "DETECTIONS", "type": "Created"}}
        | {"triggeringEvents": events[:1], "triggeringEventsCount": len(events)},
        # Another template writes the first of them alone.
        threat
        | {"trigger": {"source": "DETECTIONS", "type": "Created"}}
        | {"triggeringEvent": events[0] if events else None, "triggeringEventsCount": len(events)},
    ):
        assert event_data("wiz", record).get("sourceIPAddress") == found


TYPED = "Command=echo SrcHost=203.0.113.9;"
SESSION = "DstHost=192.0.2.8;SrcHost=198.51.100.6;User=root;"


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"Desc": "PSM Connect", "ExtraDetails": SESSION}, "198.51.100.6"),
        ({"Desc": "PSM Disconnect", "ExtraDetails": SESSION}, "198.51.100.6"),
        ({"Desc": "PSM Connect", "ExtraDetails": "SrcHost=desk-7.example.com;"}, None),
        ({"Desc": "PSM Connect", "ExtraDetails": "DstHost=192.0.2.8;"}, "192.0.2.7"),
        ({"Desc": "PSM Connect", "ExtraDetails": "DstHost=x;SrcHost=203.0.113.9;SrcHost=198.51.100.6;"}, None),
        ({"Desc": "PSM Connect", "ExtraDetails": "DstHost=x\nSrcHost=203.0.113.9;SrcHost=198.51.100.6;"}, None),
        ({"Desc": "Keystroke logging", "ExtraDetails": TYPED + SESSION}, None),
        ({"Desc": "Retrieve password", "ExtraDetails": "address=192.0.2.8;"}, "192.0.2.7"),
        ({"Desc": "Logon", "ExtraDetails": ""}, "192.0.2.7"),
        ({"Desc": "Logon"}, "192.0.2.7"),
    ],
)
def test_the_user_of_a_session_sits_before_psm_and_where_nobody_can_type_it(
    record: Mapping[str, str], found: str | None
) -> None:
    vault = {"IsoTimestamp": "2025-11-05T08:30:05Z", "Issuer": "mira", "Station": "192.0.2.7", **record}
    event = event_data("cyberark", {"syslog": {"audit_record": vault}})
    assert event.get("sourceIPAddress") == found


@pytest.mark.parametrize(
    ("details", "found"),
    [({"src_host": "198.51.100.6"}, "198.51.100.6"), ({"src_host": "desk-7"}, None), ({}, "192.0.2.7")],
)
def test_so_it_does_where_a_collector_took_the_record_apart(details: Mapping[str, str], found: str | None) -> None:
    record = {"iso_timestamp": "2025-11-05T08:30:05Z", "issuer": "mira", "desc": "PSM Connect", "station": "192.0.2.7"}
    assert event_data("cyberark", {**record, "extra_details": details}).get("sourceIPAddress") == found


STREAM = {"metadata": {"eventType": "a", "eventCreationTime": 1_762_331_405}}
LISTED = {"AuditKeyValues": [{"Key": "user_agent", "ValueString": "lamp/1"}]}
EXTERNAL = {"ExternalApiType": "a", "timestamp": 1_762_331_405_123}
NETSKOPE = {"_id": "n-1", "type": "a", "timestamp": 1_762_331_405}
SIGN_IN = {"category": "success", "timestamp": 1_762_331_405}
USAGE = {"item_uuid": "i-1", "vault_uuid": "v-1", "timestamp": 1_762_331_405}


@pytest.mark.parametrize(
    ("partner", "body", "address", "agent"),
    [
        ("crowdstrike", STREAM | {"event": {"Attributes": {"user_agent": "lamp/1"}}}, None, "lamp/1"),
        ("crowdstrike", STREAM | {"event": LISTED}, None, "lamp/1"),
        ("crowdstrike", STREAM | {"event": {"properties": {"LocalAddressIP4": "8.8.8.8"}}}, "8.8.8.8", None),
        ("crowdstrike", EXTERNAL | {"Attributes": {"user_agent": "lamp/1"}}, None, "lamp/1"),
        ("crowdstrike", EXTERNAL | LISTED, None, "lamp/1"),
        ("crowdstrike", {"cid": "c-1", "Time": 1_762_331_405, "LocalAddressIP4": "8.8.8.8"}, "8.8.8.8", None),
        (
            "cyberark",
            {"EventType": "a", "WhenOccurred": "/Date(1762331405123)/", "RequestUserAgent": "lamp/1"},
            None,
            "lamp/1",
        ),
        ("netskope", NETSKOPE | {"userip": "8.8.8.8", "browser": "Chrome"}, "8.8.8.8", "Chrome"),
        *(
            ("netskope", NETSKOPE | {"srcip": "8.8.4.4", "userip": "8.8.8.8", "browser": nothing}, "8.8.4.4", None)
            for nothing in ("native", "Native", "unknown", "Unknown")
        ),
        *(
            (
                "onepassword",
                form | {"client": {member: "8.8.8.8", "app_name": "lamp", "app_version": 1}},
                "8.8.8.8",
                "lamp/1",
            )
            for form in (SIGN_IN, USAGE)
            for member in ("ip_address", "ip")
        ),
        ("wiz", {"trigger": {"type": "a"}, "primaryActor": {"id": "u-1", "userAgent": "lamp/1"}}, None, "lamp/1"),
        (
            "zoom",
            {"event": "a", "event_ts": 1_762_331_405_123, "payload": {"object": {"ip_address": "8.8.8.8"}}},
            "8.8.8.8",
            None,
        ),
    ],
)
def test_where_from_and_with_what_is_found_under_every_name(
    partner: str, body: Mapping[str, Any], address: str | None, agent: str | None
) -> None:
    data = event_data(partner, body)
    assert (data.get("sourceIPAddress"), data.get("userAgent")) == (address, agent)
