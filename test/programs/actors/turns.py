"""
Clients that connect before a server accepts them, and the turn at which each is accepted.

  late COUNT FILE              listens once FILE is there, and accepts COUNT
  full COUNT FILE              listens with room for one, and accepts from when FILE is there, slowly
  visit HOST COUNT FILE GAP    connects COUNT sockets GAP seconds apart, without waiting, makes FILE
                               after the first second, or after the last; prints each one's turn
"""
import os
import selectors
import socket
import sys
import time

PORT = 7000
PAUSE = 0.02


def await_file(path):
    while not os.path.exists(path):
        time.sleep(PAUSE)


def serve(count, path, is_full):
    family = socket.AF_INET6
    if not is_full:
        await_file(path)
    # A backlog of 0 has room for one connection (sk_acceptq_is_full in include/net/sock.h).
    backlog = 0 if is_full else 64
    with socket.create_server(("::", PORT), family=family, backlog=backlog, dualstack_ipv6=True) as listener:
        await_file(path)
        for turn in range(count):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"%d" % turn)
                assert connection.recv(10) == b"thanks"


def visit(host, count, path, gap):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    started = time.monotonic()
    waiting = selectors.DefaultSelector()
    turns = {}

    def look(seconds):
        for key, _ in waiting.select(seconds):
            turns[key.data] = int(key.fileobj.recv(10))
            key.fileobj.send(b"thanks")
            waiting.unregister(key.fileobj)

    for number in range(count):
        s = socket.socket(family)
        s.setblocking(False)
        s.connect_ex((host, PORT))
        waiting.register(s, selectors.EVENT_READ, number)
        if number < count - 1:
            time.sleep(gap)
    # In between the retransmissions of the first SYNs and of the last.
    time.sleep(max(0, started + 2 * gap + 0.1 - time.monotonic()))
    open(path, "w").close()
    while len(turns) < count:
        look(None)
    print(*(turns[number] for number in range(count)))


verb, *args = sys.argv[1:]
if verb == "visit":
    visit(args[0], int(args[1]), args[2], float(args[3]))
else:
    serve(int(args[0]), args[1], verb == "full")
