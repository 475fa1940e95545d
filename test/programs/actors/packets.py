"""
What is not TCP, as a process sees it. Two sides:

  packets.py answer FAMILY                   gives back what it gets, until whoever asked hangs up
  packets.py ask FAMILY SERVER [OTHER]       tries one thing after the other, a line each

Families are 4 and 6. SERVER and OTHER run `answer`; addresses, not names. Who asks comes first by TCP: the
connection is there once all sockets of the other side are, so nobody sleeps, and a replay has something
to wait for.
"""

import errno
import hashlib
import ipaddress
import random
import select
import socket
import struct
import sys
import time

ECHO, GROUP, CLOSED, CONTROL, ASKER = 7000, 7001, 7009, 7999, 7100
UDPLITE = 136
# RFC 3692: numbers for experiments.
OWN_PROTOCOL, NOBODYS_PROTOCOL = 253, 254
SO_NO_CHECK, SOL_UDP, UDP_SEGMENT = 11, 17, 103
IP_RECVERR, IPV6_RECVERR, IP_MTU, IPV6_MTU = 11, 25, 14, 24
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, PMTUDISC_DO = 10, 23, 2
IP_RECVTTL, IP_RECVTOS, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS = 12, 13, 51, 66
IPV4_GROUP, IPV6_GROUPS = "239.1.2.3", ("ff15::1234", "ff02::1234")

is_ipv4 = sys.argv[2] == "4"
family = socket.AF_INET if is_ipv4 else socket.AF_INET6
level = socket.IPPROTO_IP if is_ipv4 else socket.IPPROTO_IPV6
anywhere = "0.0.0.0" if is_ipv4 else "::"
# The largest datagram: IPv4 counts its own header among the 65535 bytes of a packet, IPv6 does not.
largest = 65507 if is_ipv4 else 65527
# What goes with one packet of 1500 bytes.
unfragmented = 1472 if is_ipv4 else 1452


def opened(kind, protocol, port=None):
    new = socket.socket(family, kind, protocol)
    new.settimeout(10)
    if port is not None:
        new.bind((anywhere, port))
    return new


def udp(port):
    return opened(socket.SOCK_DGRAM, socket.IPPROTO_UDP, port)


def hash_of(data):
    return f"{len(data)} bytes, {hashlib.sha256(data).hexdigest()[:12]}"


def device():
    """The one device that is not lo."""
    return next(index for index, name in socket.if_nameindex() if name != "lo")


def payload_of(data):
    """A raw IPv4 socket gives the header as well."""
    return data[4 * (data[0] & 15) :] if is_ipv4 else data


# ---- the side that answers


def answer():
    echo, group = udp(ECHO), udp(GROUP)
    for option in (IP_RECVTTL, IP_RECVTOS) if is_ipv4 else (IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS):
        echo.setsockopt(level, option, 1)
    join(group)
    sources = [echo, group]
    try:
        sources.append(opened(socket.SOCK_DGRAM, UDPLITE, ECHO))
    except OSError:
        pass  # Not every kernel has it.
    raw = opened(socket.SOCK_RAW, OWN_PROTOCOL)
    listener = opened(socket.SOCK_STREAM, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((anywhere, CONTROL))
    listener.listen()
    listener.settimeout(60)
    control, _ = listener.accept()
    while True:
        ready, _, _ = select.select([*sources, raw, control], [], [], 60)
        for source in ready or [control]:
            if source is control:
                return
            give_back(source, source is raw, source is group)


def give_back(source, is_raw, is_group):
    data, notes, _, sender = source.recvmsg(0x10000, 256)
    data = payload_of(data) if is_raw else data
    print(f"{'group' if is_group else 'raw' if is_raw else 'port'} got {hash_of(data)}")
    if data == b"?":
        seen = [struct.unpack("=i", note[:4].ljust(4, b"\0"))[0] for *_, note in notes]
        data = f"time to live {seen[0]}, class {seen[1]:#x}".encode()
    source.sendto(data, sender[:2])


def join(group):
    if is_ipv4:
        member = socket.inet_aton(IPV4_GROUP) + struct.pack("=4xi", device())
        group.setsockopt(level, socket.IP_ADD_MEMBERSHIP, member)
        return
    for address in IPV6_GROUPS:
        member = socket.inet_pton(family, address) + struct.pack("=i", device())
        group.setsockopt(level, socket.IPV6_JOIN_GROUP, member)


# ---- the side that asks

scenarios = []


def scenario(name):
    return lambda function: scenarios.append((name, function))


def ask(server, others):
    peers = [server, *others]
    controls = [connect(peer) for peer in peers]
    for name, function in scenarios:
        try:
            said = function(server, others)
        except OSError as error:
            said = errno.errorcode[error.errno] if error.errno else "no answer"
        if said is not None:
            print(f"{name}: {said}", flush=True)
    for control in controls:
        control.close()


def connect(peer):
    """Elsewhere than in plg, which holds the connection until there is a listener, it may be too early."""
    for _ in range(1000):
        control = opened(socket.SOCK_STREAM, 0)
        try:
            control.connect((peer, CONTROL))
            return control
        except ConnectionRefusedError:
            control.close()
            time.sleep(0.01)
    raise SystemExit("nobody listens")


def echoed(sent, message, target):
    sent.sendto(message, target)
    data, sender = sent.recvfrom(0x10000)
    is_same = data == message and sender[:2] == target[:2]
    return f"{hash_of(data)}, {'the same' if is_same else 'OTHER'}"


sizes = [0, 1, 8, unfragmented - 1, unfragmented, unfragmented + 1, 2 * unfragmented, 9000]
for size in [*sizes, 32768, largest - 1, largest, largest + 1]:

    @scenario(f"a datagram of {size} bytes")
    def _(server, others, size=size):
        with udp(ASKER) as sent:
            return echoed(sent, random.Random(size).randbytes(size), (server, ECHO))


@scenario("20 of the largest datagrams, one after the other")
def _(server, others):
    with udp(ASKER) as sent:
        said = [echoed(sent, bytes([i]) * largest, (server, ECHO)) for i in range(20)]
    return sum(line.endswith("the same") for line in said)


@scenario("may not be fragmented")
def _(server, others):
    with udp(ASKER) as sent:
        sent.setsockopt(level, IP_MTU_DISCOVER if is_ipv4 else IPV6_MTU_DISCOVER, PMTUDISC_DO)
        sent.connect((server, ECHO))
        fits = echoed(sent, b"x" * unfragmented, (server, ECHO))
        try:
            sent.send(b"x" * (unfragmented + 1))
            return f"{fits}; then one more byte is sent"
        except OSError as error:
            mtu = sent.getsockopt(level, IP_MTU if is_ipv4 else IPV6_MTU)
            return f"{fits}; then {errno.errorcode[error.errno]}, path MTU {mtu}"


@scenario("without a checksum")
def _(server, others):
    if not is_ipv4:
        return None
    with udp(ASKER) as sent:
        sent.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        return echoed(sent, b"unchecked", (server, ECHO))


@scenario("five datagrams in one call (UDP_SEGMENT)")
def _(server, others):
    with udp(ASKER) as sent:
        sent.setsockopt(SOL_UDP, UDP_SEGMENT, 1000)
        sent.sendto(bytes(range(250)) * 18, (server, ECHO))
        return [len(sent.recv(0x10000)) for _ in range(5)]


@scenario("to a port that nobody has")
def _(server, others):
    with udp(ASKER) as sent:
        return answered_by_error(sent, server, CLOSED)


@scenario("to an address that nobody has")
def _(server, others):
    with udp(ASKER) as sent:
        nobody = str(ipaddress.ip_network(f"{server}/{24 if is_ipv4 else 64}", False)[99])
        said = answered_by_error(sent, nobody, ECHO)
        return said.replace(sent.getsockname()[0], "own address")


@scenario("to another network")
def _(server, others):
    with udp(ASKER) as sent:
        sent.sendto(b"x", ("192.0.2.1" if is_ipv4 else "2001:db8::1", ECHO))
        return "sent"


def answered_by_error(sent, host, port):
    """What the socket says, and what its error queue says of the ICMP message behind it: ip(7), IP_RECVERR."""
    sent.setsockopt(level, IP_RECVERR if is_ipv4 else IPV6_RECVERR, 1)
    sent.connect((host, port))
    sent.send(b"anybody?")
    try:
        sent.recv(100)
        return "an answer"
    except OSError as error:
        said = errno.errorcode[error.errno] if error.errno else "nothing"
    _, notes, _, about = sent.recvmsg(100, 512, socket.MSG_ERRQUEUE)
    number, origin, kind, code = struct.unpack("=IBBB", notes[0][2][:7])
    offender = notes[0][2][20:24] if is_ipv4 else notes[0][2][24:40]
    by = socket.inet_ntop(family, offender)
    return f"{said}; {errno.errorcode[number]}, ICMP {origin}/{kind}/{code} from {by}, about port {about[1]}"


@scenario("a packet's time to live and class")
def _(server, others):
    with udp(ASKER) as sent:
        said = []
        for time_to_live, traffic_class in ((None, 0), (1, 0x2A), (255, 0xB8)):
            if time_to_live:
                sent.setsockopt(level, 2 if is_ipv4 else 16, time_to_live)
            sent.setsockopt(level, 1 if is_ipv4 else 67, traffic_class)
            sent.sendto(b"?", (server, ECHO))
            said.append(sent.recv(100).decode())
        return "; ".join(said)


@scenario("UDP-Lite")
def _(server, others):
    with opened(socket.SOCK_DGRAM, UDPLITE, ASKER) as sent:
        return echoed(sent, b"lite" * 1000, (server, ECHO))


for size in (1, 100, 5000):

    @scenario(f"a protocol of one's own, {size} bytes")
    def _(server, others, size=size):
        with opened(socket.SOCK_RAW, OWN_PROTOCOL) as sent:
            sent.sendto(b"\x2a" * size, (server, 0))
            return hash_of(payload_of(sent.recv(0x10000)))


@scenario("a protocol that nobody has")
def _(server, others):
    with opened(socket.SOCK_RAW, NOBODYS_PROTOCOL) as sent:
        return answered_by_error(sent, server, 0)


@scenario("SCTP")
def _(server, others):
    with opened(socket.SOCK_STREAM, 132) as sent:
        sent.connect((server, ECHO))
        return "connected"


def heard_by_all(sent, target, others):
    sent.sendto(b"hello, all", (target, GROUP))
    answers = [sent.recvfrom(100) for _ in range(1 + len(others))]
    return ", ".join(sorted(f"{sender[0]} says {data.decode()}" for data, sender in answers))


@scenario("broadcast without leave")
def _(server, others):
    if not is_ipv4:
        return None
    with udp(ASKER) as sent:
        return heard_by_all(sent, broadcast_of(server), others)


@scenario("broadcast to the subnet")
def _(server, others):
    if not is_ipv4:
        return None
    with udp(ASKER) as sent:
        sent.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return heard_by_all(sent, broadcast_of(server), others)


@scenario("broadcast to everywhere")
def _(server, others):
    if not is_ipv4:
        return None
    with opened(socket.SOCK_DGRAM, socket.IPPROTO_UDP) as sent:
        sent.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sent.bind((own_address(server), ASKER))
        return heard_by_all(sent, "255.255.255.255", others)


def broadcast_of(server):
    return str(ipaddress.ip_network(f"{server}/24", False).broadcast_address)


def own_address(server):
    with udp(0) as asked:
        asked.connect((server, ECHO))
        return asked.getsockname()[0]


for address in [IPV4_GROUP] if is_ipv4 else IPV6_GROUPS:

    @scenario(f"multicast to {address}")
    def _(server, others, address=address):
        with udp(ASKER) as sent:
            interface = struct.pack("=8xi", device()) if is_ipv4 else struct.pack("=i", device())
            option = socket.IP_MULTICAST_IF if is_ipv4 else socket.IPV6_MULTICAST_IF
            sent.setsockopt(level, option, interface)
            return heard_by_all(sent, address, others)


if sys.argv[1] == "answer":
    answer()
else:
    ask(sys.argv[3], sys.argv[4:])
