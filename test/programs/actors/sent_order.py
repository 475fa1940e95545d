"""A client sends on connections that it has just opened, and then on one that it opened before.
The server tells from which connection bytes reached it first.

serve COUNT | ask HOST COUNT
"""
import select
import socket
import sys

port = 7000
role, *arguments = sys.argv[1:]


def serve(count):
    listener = socket.create_server(("", port), backlog=64)
    old, _ = listener.accept()
    in_order = 0
    for _ in range(count):
        new, _ = listener.accept()
        with new:
            # Once the old connection has bytes, those of the new one are there already.
            old.recv(1)
            in_order += select.select([new], [], [], 0)[0] == [new]
            new.recv(1)
            old.sendall(b"a")
    print(in_order, "of", count, "in order", flush=True)


def ask(host, count):
    with socket.create_connection((host, port)) as old:
        for _ in range(count):
            with socket.create_connection((host, port)) as new:
                new.sendall(b"n")
                old.sendall(b"o")
                old.recv(1)


if role == "serve":
    serve(int(arguments[0]))
else:
    ask(arguments[0], int(arguments[1]))
