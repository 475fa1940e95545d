"""
Trains of datagrams: many in one call (UDP_SEGMENT), or taken in one piece (UDP_GRO). Node has neither.

  receive PORT BYTES [whole]          waits for so many bytes; prints how many reads of which length; answers
  send HOST PORT COUNT LENGTH EACH   sends COUNT trains of LENGTH bytes, EACH in a datagram; prints the answer
"""
import socket
import sys
from collections import Counter

UDP_SEGMENT, UDP_GRO = 103, 104

verb, *args = sys.argv[1:]
family = socket.AF_INET6 if verb == "receive" or ":" in args[0] else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as s:
    if verb == "receive":
        port, wanted = int(args[0]), int(args[1])
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if "whole" in args:
            s.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        s.bind(("::", port))
        # Whoever is let in by TCP knows that datagrams are awaited.
        ready = socket.create_server(("::", port), family=family, dualstack_ipv6=True).accept()
        got, lengths = b"", Counter()
        while len(got) < wanted:
            data, sender = s.recvfrom(65536)
            got += data
            lengths[len(data)] += 1
        whole = all(got[i] == i % 251 for i in range(len(got)))
        print(" ".join(f"{count}x{length}" for length, count in sorted(lengths.items())), "whole" if whole else "damaged")
        s.sendto(b"thanks", sender)
    else:
        host, port, count, length, each = args[0], *map(int, args[1:])
        s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, each)
        # A fixed port: a recorded answer goes to the port that the recorded datagrams came from.
        s.bind(("", 7100))
        ready = socket.create_connection((host, port))
        data = bytes(i % 251 for i in range(count * length))
        for i in range(count):
            s.sendto(data[i * length : (i + 1) * length], (host, port))
        print(s.recv(100).decode())
