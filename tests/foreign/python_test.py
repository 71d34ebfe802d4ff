"""Runs chat.py, which knows PROTOCOL alone, against a real node: two people talk, one is cut off, the node is killed.
Does not test the client's own rules beyond that. HUBBUB_BIN names the node's program."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

from chat import Chat, uuid7

DEADLINE_S = 90


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Node:
    """One node on a folder of its own, which may be killed and started again."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.http, self.admin = free_port(), free_port()
        self.address = f"127.0.0.1:{self.http}"
        self.start()

    def start(self):
        environment = os.environ | {
            "HUBBUB_NODE_DATA_DIR": self.folder.name,
            "HUBBUB_LISTEN_HTTP": self.address,
            "HUBBUB_LISTEN_ADMIN": f"127.0.0.1:{self.admin}",
            "HUBBUB_LIMITS_USER_EVENTS_PER_MINUTE": "1000000",
            "HUBBUB_LIMITS_USER_EVENTS_BURST": "10000",
        }
        self.log = open(f"{self.folder.name}.log", "ab")
        self.process = subprocess.Popen([os.environ["HUBBUB_BIN"], "serve"], env=environment, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + DEADLINE_S
        while not self.is_ready():
            assert self.process.poll() is None, "the node ended by itself"
            assert time.monotonic() < deadline, "the node does not get ready"
            time.sleep(0.05)  # poll

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.kill()
        self.log.close()
        os.unlink(self.log.name)
        self.folder.cleanup()


class TwoPeople(unittest.TestCase):
    def setUp(self):
        self.node = Node()
        self.addCleanup(self.node.close)
        self.ann, self.bob = Chat(self.node.address), Chat(self.node.address)
        self.ann.sign("signup", "ann", "a long password")
        self.bob.sign("signup", "bob", "another password")
        made = {"room": uuid7(), "kind": "group", "settings": {"name": "two"}, "members": [self.bob.user]}
        self.room = self.ann.rest("POST", "/v1/rooms", made, key=uuid7())["room"]
        self.ann.open()
        self.bob.open()
        self.addCleanup(lambda: [person.socket.close() for person in (self.ann, self.bob)])

    def hear_until(self, person, seq):
        while person.heads[self.room] < seq:
            person.hear()

    def texts(self, person):
        return [event["body"]["message"]["text"] for event in person.log[self.room] if "message" in event["body"]]

    def cut(self, person):
        """As a network does it: no close frame."""
        person.socket.socket.shutdown(socket.SHUT_RDWR)

    def test_what_one_says_the_other_reads_in_order(self):
        last = [self.ann.post(self.room, f"line {n}") for n in range(5)][-1]
        self.hear_until(self.bob, last)
        self.assertEqual(self.texts(self.bob), [f"line {n}" for n in range(5)])

    def test_who_was_cut_off_resumes_without_a_gap(self):
        self.hear_until(self.bob, self.ann.post(self.room, "before"))
        self.cut(self.bob)
        for n in range(700):  # more than a node sends inline: a part comes as a gap
            self.ann.post(self.room, f"line {n}")
        self.bob.open()
        self.hear_until(self.bob, self.ann.heads[self.room])
        self.assertEqual(self.texts(self.bob), ["before"] + [f"line {n}" for n in range(700)])

    def test_a_post_repeated_after_a_cut_is_in_the_room_once(self):
        cmid = uuid7()
        first = self.ann.post(self.room, "once", cmid)
        self.cut(self.ann)
        self.ann.open()
        self.ann.heads[self.room] = first - 1  # as a client that never saw the answer
        self.assertEqual(self.ann.post(self.room, "once", cmid), first)

    def test_a_killed_node_forgets_nothing(self):
        last = [self.ann.post(self.room, f"line {n}") for n in range(10)][-1]
        self.node.kill()
        self.node.start()
        for person in (self.ann, self.bob):
            person.open()
        self.hear_until(self.bob, last)
        self.assertEqual(self.ann.post(self.room, "after"), last + 1)
        self.hear_until(self.bob, last + 1)
        self.assertEqual(self.texts(self.bob), [f"line {n}" for n in range(10)] + ["after"])


if __name__ == "__main__":
    outcome = unittest.main(exit=False, verbosity=2).result
    failed = len(outcome.failures) + len(outcome.errors)
    print(f"{outcome.testsRun - failed} passed, {failed} failed")
    raise SystemExit(failed > 0 or outcome.testsRun == 0)
