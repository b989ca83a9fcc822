"""Judges addresses by Python's `ipaddress` and by the product's guard, and fails where they differ.

Arguments: the program that prints the guard's judgement of each line, and the corpus of URLs.
"""

import ipaddress
import random
import re
import subprocess
import sys

# Blocks that anybody could reach, or that an older Python takes for such, and that deliveries refuse all the same.
REFUSED_THOUGH_GLOBAL = [ipaddress.ip_network(text) for text in (
    "168.63.129.16/32",  # inside a cloud
    "192.0.0.0/24",      # anycast of protocols
    "192.88.99.0/24",    # relays of 6to4
    "224.0.0.0/4",       # multicast
    "2001::/23",         # anycast and identifiers of protocols
    "2002::/16",         # 6to4
    "3fff::/20",         # documentation
)]
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")

# The special-purpose registries of IANA, reachable or not, and some blocks beside them: where tables have their borders.
BLOCKS = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/31 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24
192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32
::/128 ::1/128 ::/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2000::/3 2001::/23 2001::/32
2001:1::1/128 2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28
2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 4000::/3 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
"""


def points():
    """Borders of blocks, and addresses from everywhere: the same ones each time."""
    chance = random.Random(20)
    for text in BLOCKS.split():
        block = ipaddress.ip_network(text)
        width = block.max_prefixlen
        first, last = int(block[0]), int(block[-1])
        inside = [chance.randint(first, last) for _ in range(200)]
        for number in [first - 1, first, last, last + 1, *inside]:
            if 0 <= number < 2**width:
                yield ipaddress.IPv4Address(number) if width == 32 else ipaddress.IPv6Address(number)
    for _ in range(100_000):
        four = chance.getrandbits(32)
        yield ipaddress.IPv4Address(four)
        yield ipaddress.IPv6Address(0xFFFF << 32 | four)
        yield ipaddress.IPv6Address(chance.getrandbits(128))
        yield ipaddress.IPv6Address(1 << 125 | chance.getrandbits(125))
    for _ in range(2_000):
        four, front = chance.getrandbits(32), 1 << 125 | chance.getrandbits(61) << 64
        yield ipaddress.IPv6Address(front | 0x00005EFE << 32 | four)
        yield ipaddress.IPv6Address(front | 0x02005EFE << 32 | four)


def is_tunnel(address):
    """ISATAP, which the library does not know."""
    return int(address) >> 32 & 0xFDFFFFFF == 0x00005EFE


def is_public(address):
    if address.version == 6:
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address not in GLOBAL_UNICAST or is_tunnel(address) or address.teredo or address.sixtofour:
            return False
    refused = any(address in block for block in REFUSED_THOUGH_GLOBAL if block.version == address.version)
    return address.is_global and not address.is_multicast and not refused


def corpus(path):
    """Lines about addresses that are written as the library reads them, with nothing opened."""
    line = re.compile(r"(blocked|allowed) \| http://\[?([0-9a-fA-F:.]+?)\]?(?::PORT)?/")
    with open(path, encoding="utf-8") as lines:
        for found in filter(None, map(line.match, lines)):
            try:
                yield found[1], ipaddress.ip_address(found[2])
            except ValueError:
                continue


def main():
    judge, path = sys.argv[1:]
    addresses = list(points())
    text = "".join(f"{address}\n" for address in addresses)
    answer = subprocess.run([judge], input=text, capture_output=True, text=True, check=True)
    judged = answer.stdout.splitlines()
    assert len(judged) == len(addresses), (len(judged), len(addresses))
    pairs = [(address, words == "public") for address, words in zip(addresses, judged)]
    listed = [(address, word == "allowed") for word, address in corpus(path)]
    assert len(listed) >= 150, f"only {len(listed)} lines of the corpus could be read"
    different = [address for address, public in pairs + listed if is_public(address) != public]
    assert not different, f"{len(different)} are judged differently, among them {different[:20]}"
    public = sum(public for _, public in pairs)
    print(f"{len(pairs)} addresses, {public} of them public, and {len(listed)} lines of the corpus are judged alike")


main()
