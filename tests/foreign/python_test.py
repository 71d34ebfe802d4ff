"""Runs chat.py, which knows PROTOCOL alone, against a real node: two people talk, one is cut off, the node is killed.
Does not test the client's own rules beyond that."""

import socket
import unittest

from chat import Chat, uuid7
from node import Node

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
    unittest.main(verbosity=2)
