"""Plays one container's part of a scenario: `actor.py PROGRAM.json FOLDER [plain]`.

Every operation has one possible outcome. Another one is printed, and ends the process with 1. In
FOLDER the programs wait for each other; in a replay they find that the others are there. On a plain
network (`plain`) nobody holds a connection until its server listens, so the listeners are in time
there.
"""

import errno
import json
import os
import select
import socket
import struct
import sys
import threading
import time

LIMIT_S = 25
RETRY_S = 0.001
PERIOD_BYTES = 8191
CHUNK_BYTES = 65536

with open(sys.argv[1], encoding="utf8") as file:
    program = json.load(file)
folder = sys.argv[2]
plain = sys.argv[3:] == ["plain"]
connections = {connection["id"]: connection for connection in program["connections"]}
flows = {flow["id"]: flow for flow in program["flows"]}


class Unexpected(Exception):
    """What should not have happened."""


class Socket:
    """One side of a connection, which another thread may still have to accept."""

    def __init__(self, connection):
        self.id = connection["id"]
        self.side = connection["side"]
        self.no_delay = connection["noDelay"]
        self.ready = threading.Event()
        self.socket = None
        self.is_dead = False

    def use(self, used):
        used.settimeout(LIMIT_S)
        if self.no_delay:
            used.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = used
        self.ready.set()

    def bury(self):
        self.is_dead = True
        self.ready.set()

    def get(self):
        if not self.ready.wait(LIMIT_S):
            raise Unexpected("it was never accepted")
        return self.socket


class Stream:
    """The bytes that one side sends (see bytes.ts)."""

    def __init__(self, number, side):
        salt = number * 101 + (0 if side == "client" else 57)
        one = bytes(((i * (i + 7 + salt)) >> 3) & 255 for i in range(PERIOD_BYTES))
        self.bytes = memoryview(one * (CHUNK_BYTES // PERIOD_BYTES + 2))

    def at(self, offset, length):
        start = offset % PERIOD_BYTES
        return self.bytes[start : start + length]


sockets = {number: Socket(connection) for number, connection in connections.items()}
streams = {}
datagram_sockets = {}
listeners = {}


def stream_of(number, side):
    key = (number, side)
    if key not in streams:
        streams[key] = Stream(number, side)
    return streams[key]


def other(side):
    return "server" if side == "client" else "client"


def set_connect_limit(made):
    """Makes connect() block in the kernel: Python's timeouts would see a reset that follows."""
    made.settimeout(None)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", LIMIT_S, 0))


def name_of(error):
    return errno.errorcode.get(error.errno, str(error)) if error.errno else str(error)


# Operations ---------------------------------------------------------------------------------------


def new_socket(connection):
    made = socket.socket(connection["family"] == 4 and socket.AF_INET or socket.AF_INET6)
    if connection.get("localPort"):
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((connection["localAddress"], connection["localPort"]))
    made.settimeout(LIMIT_S)
    return made


def is_worth_retrying(connection, error):
    # The old connection from this port has not quite gone yet.
    if connection.get("localPort") and error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
        return True
    return plain and not program["isTogether"] and error.errno == errno.ECONNREFUSED


def may_be_reset(connection, error):
    """On a busy machine, a server that resets at once may do so before the client wakes up."""
    return connection["mayBeReset"] and error.errno == errno.ECONNRESET


def connect_one(number):
    connection = connections[number]
    until = time.monotonic() + LIMIT_S
    while True:
        made = None
        try:
            made = new_socket(connection)
            set_connect_limit(made)
            made.connect((connection["address"], connection["port"]))
            return sockets[number].use(made)
        except OSError as error:
            if made:
                made.close()
            if plain and may_be_reset(connection, error):
                return sockets[number].bury()
            if not is_worth_retrying(connection, error) or time.monotonic() > until:
                raise
            time.sleep(RETRY_S)


def connect(numbers):
    if len(numbers) == 1 or (plain and not program["isTogether"]):
        for number in numbers:
            connect_one(number)
        return
    made = [new_socket(connections[number]) for number in numbers]
    for number, one in zip(numbers, made):
        one.setblocking(False)
        connection = connections[number]
        result = one.connect_ex((connection["address"], connection["port"]))
        if result not in (0, errno.EINPROGRESS):
            raise OSError(result, f"connect c{number}")
    for number, one in zip(numbers, made):
        if not select.select([], [one], [], LIMIT_S)[1]:
            raise Unexpected(f"c{number} is not connected in time")
        error = OSError(one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), f"connect c{number}")
        if may_be_reset(connections[number], error):
            sockets[number].bury()
            continue
        if error.errno:
            raise error
        sockets[number].use(one)


def accept(number, listener):
    made, _ = listeners[listener].get().accept()
    sockets[number].use(made)


def exactly(used, length):
    data = b""
    while len(data) < length:
        more = used.recv(length - len(data))
        if not more:
            raise Unexpected(f"the end after {len(data)} of {length} bytes")
        data += more
    return data


def hello(number, login):
    used = sockets[number].get()
    if login:
        used.sendall(b"login")
        answer = exactly(used, 2)
        if answer != b"ok":
            raise Unexpected(f"the answer to a login was {answer}")
    used.sendall(b"%04d" % number)


def send(number, offset, length, piece, gap_ms):
    own = sockets[number]
    used = own.get()
    stream = stream_of(number, own.side)
    end = offset + length
    while offset < end:
        chunk = min(piece or CHUNK_BYTES, end - offset, CHUNK_BYTES)
        used.sendall(stream.at(offset, chunk))
        offset += chunk
        if gap_ms and offset < end:
            time.sleep(gap_ms / 1000)


def receive(number, offset, end, piece, gap_ms):
    own = sockets[number]
    used = own.get()
    stream = stream_of(number, other(own.side))
    while offset < end:
        data = used.recv(min(piece or CHUNK_BYTES, end - offset, CHUNK_BYTES))
        if not data:
            raise Unexpected(f"the end at byte {offset} of {end}")
        if data != stream.at(offset, len(data)):
            raise Unexpected(f"other bytes between {offset} and {offset + len(data)}: {data[:40]}")
        offset += len(data)
        if gap_ms and offset < end:
            time.sleep(gap_ms / 1000)


def both(number, sent_from, sent, read_from, read):
    problems = []

    def write():
        try:
            send(number, sent_from, sent, 0, 0)
        except (OSError, Unexpected) as error:
            problems.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    receive(number, read_from, read_from + read, 0, 0)
    writer.join()
    if problems:
        raise problems[0]


def shut(number):
    sockets[number].get().shutdown(socket.SHUT_WR)


def read_end(number):
    data = sockets[number].get().recv(100)
    if data:
        raise Unexpected(f"{data} instead of the end")


def read_reset(number):
    try:
        data = sockets[number].get().recv(100)
    except ConnectionResetError:
        return
    raise Unexpected(f"{data or 'the end'} instead of a reset")


def read_over(number):
    """The end or a reset: which of them is chance."""
    try:
        read_end(number)
    except ConnectionResetError:
        pass


def close(number):
    sockets[number].get().close()


def reset(number):
    used = sockets[number].get()
    used.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    used.close()


def flood(number, offset, length):
    """Sends until the other side breaks it off. How much it gets rid of is up to buffers."""
    try:
        send(number, offset, length, 0, 0)
    except (ConnectionResetError, BrokenPipeError):
        pass


def hold(number):
    """The process does not exit before it has this connection."""
    sockets[number].get()


def pause(duration_ms):
    time.sleep(duration_ms / 1000)


def refused(family, address, port):
    with socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6) as made:
        made.settimeout(LIMIT_S)
        try:
            made.connect((address, port))
        except ConnectionRefusedError:
            return
        raise Unexpected("it was not refused")


def payload(flow, side, number, length):
    head = f"{flow}{side}{number};".encode()
    return (head + bytes(stream_of(number, side).at(0, length)))[:length]


def send_datagrams(flow, first, count, length, gap_ms):
    used = datagram_sockets[flow]
    for number in range(first, first + count):
        data = payload(flow, flows[flow]["side"], number, length)
        used.sendto(data, (flows[flow]["address"], flows[flow]["port"]))
        if gap_ms:
            time.sleep(gap_ms / 1000)


def receive_datagrams(flow, first, count, length):
    used = datagram_sockets[flow]
    for number in range(first, first + count):
        data, sender = used.recvfrom(65536)
        if data != payload(flow, other(flows[flow]["side"]), number, length):
            raise Unexpected(f"another datagram than {number}: {len(data)} bytes, {data[:30]}")
        if sender[:2] != (flows[flow]["address"], flows[flow]["port"]):
            raise Unexpected(f"datagram {number} came from {sender}")


operations = {
    operation.__name__: operation
    for operation in (
        connect,
        accept,
        hello,
        send,
        receive,
        both,
        shut,
        read_end,
        read_reset,
        read_over,
        close,
        reset,
        flood,
        hold,
        pause,
        refused,
        send_datagrams,
        receive_datagrams,
    )
}

on_connections = {"receive", "read_reset", "close"}


# The program --------------------------------------------------------------------------------------


class Listener:
    """A listening socket, which may be late, and a thread that accepts if no operation does."""

    def __init__(self, facts):
        self.facts = facts
        self.ready = threading.Event()
        self.socket = None
        # Several connections may come from one port, one after the other.
        self.by_port = {}
        for connection in connections.values():
            if connection.get("listener") == facts["index"]:
                self.by_port.setdefault(connection.get("localPort"), []).append(connection["id"])

    def open(self):
        facts = self.facts
        family = socket.AF_INET if facts["family"] == 4 else socket.AF_INET6
        made = socket.socket(family)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((facts["address"], facts["port"]))
        made.listen(128 if plain else facts["backlog"])
        self.socket = made
        self.ready.set()
        if facts["identify"] != "order":
            threading.Thread(target=self.accept_all, daemon=True).start()

    def open_late(self):
        if plain or not self.facts["lateMs"]:
            return self.open()
        late = threading.Timer(self.facts["lateMs"] / 1000, guarded(self.open, "listening late"))
        late.daemon = True
        late.start()
        return None

    def get(self):
        self.ready.wait()
        self.socket.settimeout(LIMIT_S)
        return self.socket

    def accept_all(self):
        while True:
            made, peer = self.socket.accept()
            if self.facts["identify"] == "port":
                sockets[self.by_port[peer[1]].pop(0)].use(made)
            else:
                work = guarded(lambda used=made: self.greet(used), "identifying a client")
                threading.Thread(target=work, daemon=True).start()

    def greet(self, used):
        used.settimeout(LIMIT_S)
        if self.facts["identify"] == "login":
            if exactly(used, 5) != b"login":
                raise Unexpected("no login")
            used.sendall(b"ok")
        sockets[int(exactly(used, 4))].use(used)


def fail(where, error):
    what = name_of(error) if isinstance(error, OSError) else str(error)
    print(f"FAILED {where}: {type(error).__name__} {what}", flush=True)
    os._exit(1)


def guarded(work, where):
    def run():
        try:
            work()
        except Exception as error:
            fail(where, error)

    return run


def play(thread):
    for step, operation, *arguments in thread:
        if operation in on_connections and sockets[arguments[0]].is_dead:
            continue
        try:
            operations[operation](*arguments)
        except Exception as error:
            fail(f"step {step} {operation} {' '.join(map(str, arguments))}", error)


def open_datagram_sockets():
    for flow in flows.values():
        made = socket.socket(
            socket.AF_INET if flow["family"] == 4 else socket.AF_INET6, socket.SOCK_DGRAM
        )
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        made.bind((flow["localAddress"], flow["localPort"]))
        made.settimeout(LIMIT_S)
        datagram_sockets[flow["id"]] = made


def meet():
    with open(os.path.join(folder, "ready-" + program["name"]), "w", encoding="utf8"):
        pass
    for name in program["names"]:
        while not os.path.exists(os.path.join(folder, "ready-" + name)):
            time.sleep(2 * RETRY_S)


def main():
    open_datagram_sockets()
    listeners.update((facts["index"], Listener(facts)) for facts in program["listeners"])
    for listener in listeners.values():
        listener.open_late()
    if program["isTogether"]:
        meet()
    threads = [threading.Thread(target=play, args=(thread,)) for thread in program["threads"]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("done", flush=True)
    # What is still open is closed by the kernel.
    os._exit(0)


guarded(main, "starting")()
