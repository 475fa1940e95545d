"""
Streams that are read late, slowly, or not to their end. Python, because Node reads ahead of its program.

  pour PORT BYTES           accept one connection and send until all is sent or the connection breaks
  sip HOST PORT BYTES       connect, read so many bytes at most, and close
  fill HOST PORT BYTES      connect and send until all is sent or the connection breaks
  spill PORT BYTES          accept, read exactly so many bytes, and exit without closing anything
  tick PORT                 accept and send a line every 2 ms until the connection breaks
  chat PORT COUNT           accept two connections; for each ping on the second, write a log line to the first
  overhear HOST PORT COUNT  the other side: answer each ping, and read the log only at the end
  dawdle PORT SECONDS CHUNK PAUSE_MS
                            accept, sleep, then read CHUNK bytes at a time to the end; answer with the count
  heap HOST PORT BYTES      connect, send so many bytes, end; print the answer
  echo PORT                 accept one connection and send back in capitals what comes
  converse HOST PORT COUNT  connect; so many questions, one after another
"""

import os
import socket
import sys
import time


def accept(port, count=1):
    listener = socket.create_server(("", int(port)), backlog=count)
    accepted = [listener.accept()[0] for _ in range(count)]
    for connection in accepted:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return accepted


def connect(host, port):
    return socket.create_connection((host, int(port)))


def read_exactly(connection, count):
    left = count
    while left > 0:
        piece = connection.recv(min(left, 65536))
        if not piece:
            break
        left -= len(piece)
    return count - left


def read_to_end(connection):
    total = 0
    while piece := connection.recv(65536):
        total += len(piece)
    return total


def send_until_broken(connection, count):
    block = bytes(range(256)) * 64
    sent = 0
    try:
        while sent < count:
            connection.sendall(block)
            sent += len(block)
        print("all was sent", flush=True)
    except (ConnectionResetError, BrokenPipeError):
        print("the connection broke", flush=True)


def pour(port, count):
    [connection] = accept(port)
    send_until_broken(connection, int(count))


def sip(host, port, count):
    connection = connect(host, port)
    connection.recv(int(count))
    connection.close()


def fill(host, port, count):
    send_until_broken(connect(host, port), int(count))


def spill(port, count):
    [connection] = accept(port)
    read_exactly(connection, int(count))
    os._exit(0)


def tick(port):
    [connection] = accept(port)
    try:
        while True:
            connection.sendall(b"tick\n")
            time.sleep(0.002)
    except (ConnectionResetError, BrokenPipeError):
        print("the connection broke", flush=True)


def chat(port, count):
    log, talk = accept(port, 2)
    for i in range(int(count)):
        log.sendall(b"line %03d\n" % i)
        talk.sendall(b"ping")
        assert talk.recv(4) == b"pong"


def overhear(host, port, count):
    log, talk = connect(host, port), connect(host, port)
    for _ in range(int(count)):
        assert talk.recv(4) == b"ping"
        talk.sendall(b"pong")
    print("log:", read_to_end(log), "bytes", flush=True)


def dawdle(port, seconds, chunk, pause_ms):
    [connection] = accept(port)
    time.sleep(float(seconds))
    total = 0
    while piece := connection.recv(int(chunk)):
        total += len(piece)
        time.sleep(float(pause_ms) / 1000)
    connection.sendall(b"%d" % total)


def heap(host, port, count):
    connection = connect(host, port)
    connection.sendall(bytes(int(count)))
    connection.shutdown(socket.SHUT_WR)
    print("answer:", connection.recv(100).decode(), flush=True)


def echo(port):
    [connection] = accept(port)
    while piece := connection.recv(1000):
        connection.sendall(piece.upper())


def converse(host, port, count):
    connection = connect(host, port)
    for i in range(int(count)):
        connection.sendall(b"question %d" % i)
        assert connection.recv(100) == b"QUESTION %d" % i


globals()[sys.argv[1]](*sys.argv[2:])
