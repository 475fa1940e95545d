"""
Datagrams between threads, each with a TCP connection that says when.

  serve PORT COUNT       for each connection a thread, which names a port and answers questions there
  ask ADDRESS PORT COUNT so many threads, five questions each
  burst PORT COUNT       send so many datagrams, one each millisecond, to the client that connects
  doze ADDRESS PORT      the same, but read none of them
  catch ADDRESS PORT COUNT  connect, and print how many datagrams came before there was a pause
"""

import socket
import sys
import threading
import time

FIRST_PORT = 6000
TIMEOUT_S = 10
PAUSE_S = 2


def udp(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", port))
    sock.settimeout(TIMEOUT_S)
    return sock


def answer(connection):
    number = connection.recv(1)[0]
    sock = udp(FIRST_PORT + number)
    for _ in range(5):
        connection.sendall(b"?")
        question, sender = sock.recvfrom(100)
        assert question == b"question %d" % number, question
        sock.sendto(b"answer %d" % number, sender)
        assert connection.recv(1) == b"!"


def serve(port, count):
    listener = socket.create_server(("", int(port)))
    for _ in range(int(count)):
        threading.Thread(target=answer, args=(listener.accept()[0],)).start()


def ask_one(address, port, number):
    connection = socket.create_connection((address, port))
    connection.sendall(bytes([number]))
    sock = udp(FIRST_PORT + 500 + number)
    for _ in range(5):
        assert connection.recv(1) == b"?"
        sock.sendto(b"question %d" % number, (address, FIRST_PORT + number))
        got = sock.recv(100)
        assert got == b"answer %d" % number, got
        connection.sendall(b"!")


def ask(address, port, count):
    for number in range(int(count)):
        threading.Thread(target=ask_one, args=(address, int(port), number)).start()


def burst(port, count):
    listener = socket.create_server(("", int(port)))
    connection, (address, *_) = listener.accept()
    sock = udp(FIRST_PORT)
    connection.recv(1)
    for number in range(int(count)):
        sock.sendto(number.to_bytes(4, "big") * 300, (address, FIRST_PORT + 1))
        time.sleep(0.001)
    assert connection.recv(9) == b"bye"


def catch(address, port, count):
    sock = udp(FIRST_PORT + 1)
    sock.settimeout(PAUSE_S)
    connection = socket.create_connection((address, int(port)))
    connection.sendall(b"g")
    got = 0
    try:
        while got < int(count):
            sock.recv(2000)
            got += 1
    except TimeoutError:
        pass
    print("got", got, flush=True)
    connection.sendall(b"bye")


def doze(address, port):
    sock = udp(FIRST_PORT + 1)
    connection = socket.create_connection((address, int(port)))
    connection.sendall(b"g")
    time.sleep(4)
    connection.sendall(b"bye")
    sock.close()


globals()[sys.argv[1]](*sys.argv[2:])
