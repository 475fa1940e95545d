"""Sends a segment that belongs to no connection, and says what comes back.

Arguments: own address, address, port. Prints the flags and the sequence number of the answer.
"""

import socket
import struct
import sys

own, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
own_port, acknowledged = 4000, 123456


def segment(checksum):
    flags = 0x10
    return struct.pack(
        "!HHIIBBHHH", own_port, port, 1000, acknowledged, 5 << 4, flags, 1000, checksum, 0
    )


def checksum_of(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
raw.settimeout(5)
pseudo = socket.inet_aton(own) + socket.inet_aton(address) + struct.pack("!HH", socket.IPPROTO_TCP, 20)
raw.sendto(segment(checksum_of(pseudo + segment(0))), (address, 0))
while True:
    packet = raw.recv(65535)
    tcp = packet[(packet[0] & 15) * 4 :]
    source, destination, sequence = struct.unpack("!HHI", tcp[:8])
    if (source, destination) == (port, own_port):
        print(f"flags {tcp[13]:#x} sequence {sequence}")
        break
