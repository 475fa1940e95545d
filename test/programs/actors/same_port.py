"""
A client that returns from the same local port as soon as it may, and the server that it returns to.

  serve MANNER COUNT           COUNT connections, one after the other
  visit HOST MANNER COUNT      prints how many visits went well, or which one did not

MANNER says how a connection goes: `drain`: the server ends its direction at once, and the client
then sends a megabyte and closes; `flood`: the server sends megabytes, and the client closes after
the first bytes, which resets the connection; `ask`: a question, its answer, and an end by the
server; `reset`: the same, and the client says goodbye and resets the connection instead.
"""
import errno
import socket
import struct
import sys
import threading
import time

OWN_PORT, PORT = 3000, 7100
BULK = bytes(1_000_000)


def read_to_end(connection):
    count = 0
    while piece := connection.recv(65536):
        count += len(piece)
    return count


def serve(connection, manner, number):
    with connection:
        if manner == "drain":
            connection.shutdown(socket.SHUT_WR)
            assert read_to_end(connection) == len(BULK)
        elif manner in ("ask", "reset"):
            connection.sendall(b"answer to " + connection.recv(100))
            if manner == "reset":
                assert connection.recv(4) == b"bye"
                try:
                    raise AssertionError(connection.recv(1))
                except ConnectionResetError:
                    pass
        else:
            try:
                connection.sendall(b"%04d" % number + BULK + BULK + BULK)
            except OSError:
                pass  # The client did not want the rest.


def connect(host):
    """Waits for the port to be free on this host, as after any earlier connection; other errors count."""
    while True:
        s = socket.socket()
        s.settimeout(20)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("", OWN_PORT))
            s.connect((host, PORT))
            return s
        except OSError as error:
            s.close()
            if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
                raise
            time.sleep(0.001)


def visit(host, manner, number):
    with connect(host) as s:
        if manner == "drain":
            assert s.recv(1) == b""
            s.sendall(BULK)
        elif manner in ("ask", "reset"):
            s.sendall(b"%d" % number)
            assert s.recv(100) == b"answer to %d" % number
            if manner == "ask":
                assert s.recv(1) == b""
            else:
                s.sendall(b"bye")
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            assert s.recv(4) == b"%04d" % number


verb, *args = sys.argv[1:]
manner, count = args[-2], int(args[-1])
if verb == "serve":
    listener = socket.create_server(("", PORT), backlog=64)
    threads = []
    for number in range(count):
        connection, _ = listener.accept()
        threads.append(threading.Thread(target=serve, args=(connection, manner, number)))
        threads[-1].start()
        if manner == "drain":
            threads[-1].join()
else:
    for number in range(count):
        try:
            visit(args[0], manner, number)
        except (OSError, AssertionError) as error:
            sys.exit(f"visit {number}: {error!r}")
    print(count, "visits went well")
