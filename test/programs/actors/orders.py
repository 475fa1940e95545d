"""Connections whose order, or whose port, says what they are.

  greet-second PORT                  accepts two connections, greets the second, answers on the first
  greeted-second HOST PORT           the client of that
  say HOST PORT COUNT                COUNT connections at once; each sends a text and wants it back
  relay PORT HOST PORT COUNT         for each of COUNT connections one of its own, before any bytes
  echo PORT COUNT                    sends back what comes on each of COUNT connections
  call-back PORT                     connects to the port that it is sent
  be-called HOST PORT                listens on a port of the kernel's choice and sends its number
"""

import socket
import sys
import threading
import time


def all_of(connection):
    text = b""
    while piece := connection.recv(65536):
        text += piece
    return text


def at_once(tasks):
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def greet_second(port):
    listener = socket.create_server(("", int(port)))
    first, second = listener.accept()[0], listener.accept()[0]
    second.sendall(b"welcome")
    assert second.recv(9) == b"thanks"
    assert first.recv(9) == b"question"
    first.sendall(b"answer")


def greeted_second(host, port):
    first = socket.create_connection((host, int(port)))
    second = socket.create_connection((host, int(port)))
    print(second.recv(9).decode())
    second.sendall(b"thanks")
    time.sleep(0.1)
    first.sendall(b"question")
    print(first.recv(9).decode())


def say(host, port, count):
    right = []

    def one(number):
        connection = socket.create_connection((host, int(port)))
        text = b"%02d" % number * (1 + 2000 * number)
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        if all_of(connection) == text:
            right.append(number)

    at_once([lambda number=number: one(number) for number in range(int(count))])
    print(len(right), "right")


def relay(port, to_host, to_port, count):
    listener = socket.create_server(("", int(port)), backlog=64)

    def pump(source, target):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)

    def one(client):
        server = socket.create_connection((to_host, int(to_port)))
        at_once([lambda: pump(client, server), lambda: pump(server, client)])

    clients = []
    for _ in range(int(count)):
        client = listener.accept()[0]
        clients.append(threading.Thread(target=one, args=(client,)))
        clients[-1].start()
    for thread in clients:
        thread.join()


def echo(port, count):
    listener = socket.create_server(("", int(port)), backlog=64)

    def one(client):
        client.sendall(all_of(client))
        client.close()

    clients = [listener.accept()[0] for _ in range(int(count))]
    threads = [threading.Thread(target=one, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def call_back(port):
    listener = socket.create_server(("", int(port)))
    client, (host, _) = listener.accept()
    number = int(client.recv(100).split()[1])
    caller = socket.create_connection((host, number))
    caller.sendall(b"called back")
    caller.close()
    client.recv(1)


def be_called(host, port):
    listener = socket.create_server(("", 0))
    server = socket.create_connection((host, int(port)))
    server.sendall(b"CALL %d now\r\n" % listener.getsockname()[1])
    print(all_of(listener.accept()[0]).decode())


verbs = {
    "greet-second": greet_second,
    "greeted-second": greeted_second,
    "say": say,
    "relay": relay,
    "echo": echo,
    "call-back": call_back,
    "be-called": be_called,
}
verbs[sys.argv[1]](*sys.argv[2:])
