"""
A server that resets each connection as soon as it has accepted it, and its client.

  serve COUNT [WORD]     says WORD first
  connect HOST COUNT     prints what the client's system calls returned, and how often
"""
import collections
import errno
import socket
import struct
import sys

PORT = 7000
verb, *args = sys.argv[1:]
if verb == "serve":
    count, word = int(args[0]), "".join(args[1:]).encode()
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    for _ in range(count):
        connection, _ = listener.accept()
        connection.send(word)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
else:
    count = int(args[1])
    seen = collections.Counter()
    family = socket.AF_INET6 if ":" in args[0] else socket.AF_INET
    for _ in range(count):
        with socket.socket(family) as s:
            call = "connect"
            try:
                s.connect((args[0], PORT))
                call = "recv"
                seen[f"recv: {s.recv(100).decode()}"] += 1
            except OSError as error:
                seen[f"{call}: {errno.errorcode[error.errno]}"] += 1
    print(*(f"{many} x {what}" for what, many in sorted(seen.items())), sep=", ")
