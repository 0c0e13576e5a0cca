"""Where requests may come from: a second fence before the proof, and never the proof itself.

The address is the one that API Gateway saw at the other end of the TCP connection (`requestContext.http.sourceIp`): no
header changes it. Behind a content delivery network it is the network's.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct


class SourceRanges(Struct, frozen=True):
    """IPv4 and IPv6 networks; without any, every address is within."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def parse(cls, words: tuple[str, ...]) -> "SourceRanges":
        """Raises ValueError, naming the word that is no range.

        Bits beyond the prefix are ignored, as security groups do: refusing every delivery over them helps nobody.
        """
        return cls(tuple(_unwrapped_range(ip_network(word, strict=False)) for word in words))

    def hold(self, address: str) -> bool:
        """Whether requests from there may be looked at; not if the text is no address at all."""
        if not self.networks:
            return True
        try:
            parsed = _unwrapped(ip_address(address))
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)


EVERYWHERE = SourceRanges()

_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4's addresses as IPv6 has them (RFC 4291, section 2.5.5.2)."""


def _unwrapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address may be written as an IPv6 one (`::ffff:192.0.2.10`)."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _unwrapped_range(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """A range of such addresses as the IPv4 range that it is: it would hold none of them otherwise."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - _MAPPED.prefixlen))
    return network
