"""
A server that listens before it is ready, and a client that comes when it should be.

  serve PORT PREPARE_S WARM_UP_S   prepare, listen, warm up; then say ready to clients that connected
                                   after that, and busy to others
  ask HOST PORT SLEEP_S            sleep, connect, print the answer
"""

import socket
import sys
import time


def serve(port, prepare_s, warm_up_s):
    time.sleep(float(prepare_s))
    listener = socket.create_server(("", int(port)))
    warm_at = time.monotonic() + float(warm_up_s)
    connection, _ = listener.accept()
    connection.sendall(b"ready" if time.monotonic() > warm_at else b"busy")
    connection.close()


def ask(host, port, sleep_s):
    time.sleep(float(sleep_s))
    connection = socket.create_connection((host, int(port)))
    print("answer:", connection.recv(100).decode(), flush=True)


globals()[sys.argv[1]](*sys.argv[2:])
