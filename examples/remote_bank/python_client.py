#!/usr/bin/python3
"""A customer of the bank in Python: what another implementation of runtime/bridges/PROTOCOL.md needs.

    examples/remote_bank/python_client.py /tmp/bank.sock alice 5
"""
import os
import socket
import struct
import sys

import msgpack

HELLO, BYE, PING, CREDIT, FIND, MESSAGE, REQUEST, ANSWER = 1, 2, 3, 4, 5, 6, 7, 8
CONTROL, ORDINARY = 0, 1
HEADER = struct.Struct("<IBBHQQQQI")
NO_TIMEOUT = 0xFFFFFFFF


def message_hash(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return value


class Node:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.questions = 0
        number = struct.unpack("<QQ", os.urandom(16))
        self.send(HELLO, payload=[0x70757254, 2, *number, "python", 1 << 20, 1 << 20], lane=CONTROL)

    def send(self, kind, target=(0, 0), correlation=0, type_hash=0, payload=None, lane=ORDINARY):
        body = msgpack.packb(payload) if payload is not None else b""
        self.socket.sendall(HEADER.pack(HEADER.size - 4 + len(body), kind, lane, 0, *target, correlation,
                                        type_hash, NO_TIMEOUT) + body)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError("the connection is closed")
            data += more
        return data

    def answer(self, correlation):
        while True:
            header = HEADER.unpack(self.read(HEADER.size))
            body = self.read(header[0] - (HEADER.size - 4))
            if header[1] == BYE:
                raise EOFError(msgpack.unpackb(body))
            if header[1] == ANSWER and header[6] == correlation:
                code, value = msgpack.unpackb(body)
                if code != 0:
                    raise RuntimeError(value)
                return value

    def find(self, name, *messages):
        self.questions += 1
        self.send(FIND, correlation=self.questions, payload=[name, [message_hash(m) for m in messages]])
        return Remote(self, self.answer(self.questions))


class Remote:
    """An actor over there: [whose, id, incarnation, types]."""

    def __init__(self, node, ref):
        self.node = node
        self.target = (ref[1], ref[2])

    def tell(self, message, *fields):
        self.node.send(MESSAGE, self.target, 0, message_hash(message), list(fields))

    def ask(self, message, *fields):
        self.node.questions += 1
        self.node.send(REQUEST, self.target, self.node.questions, message_hash(message), list(fields))
        return self.node.answer(self.node.questions)


def main():
    path, owner, cents = sys.argv[1], sys.argv[2], int(sys.argv[3])
    node = Node(path)
    bank = node.find("bank", "bank::OpenAccount")
    account = Remote(node, bank.ask("bank::OpenAccount", owner))
    account.tell("bank::Deposit", cents)
    print(f"{owner} has {account.ask('bank::Balance')} cents")


if __name__ == "__main__":
    main()
