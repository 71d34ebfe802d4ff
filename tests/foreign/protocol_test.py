"""Holds a real node to what docs/PROTOCOL.md says of the socket, event by event, from a client that knows that page alone.
Damaged frames are the edge's own tests."""

import json
import pathlib
import signal
import socket
import unittest

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from chat import Chat, uuid7
from node import Node
from state_hash_test import state_hash

SOCKET = json.loads((pathlib.Path(__file__).parents[2] / "docs/api/asyncapi.json").read_text(encoding="utf-8"))
HEARD, SAID = set(), set()


class Person(Chat):
    """A chat client that also keeps everything it heard."""

    def __init__(self, address, token=None, user=None, device=None):
        super().__init__(address)
        self.token, self.user, self.heard = token, user, []
        self.device = device or self.device

    def send(self, said):
        SAID.update(said)
        super().send(said)

    def hear(self):
        said = super().hear()
        HEARD.update(said)
        self.heard.append(said)
        return said

    def until(self, kind, fits=lambda said: True):
        """The first of that kind that fits, heard already or to come; it is not found twice."""
        while True:
            for place, said in enumerate(self.heard):
                if kind in said and fits(said[kind]):
                    return self.heard.pop(place)[kind]
            self.hear()

    def answer(self, kind, /, **fields):
        """Asks, and gives what answers: the event's name and its fields."""
        asked = self.ask(kind, **fields)
        while True:
            for place, said in enumerate(self.heard):
                [(name, body)] = said.items()
                if name in ("ok", "error", "history", "state_hash", "pong") and body["id"] == asked:
                    del self.heard[place]
                    return name, body
            self.hear()

    def does(self, kind, room, /, **fields):
        """An ordered request that is done."""
        name, done = self.answer(kind, room=room, cmid=uuid7(), after=self.heads.get(room, 0), **fields)
        assert name == "ok", done
        return done

    def refused(self, kind, /, **fields):
        name, refusal = self.answer(kind, **fields)
        assert name == "error", refusal
        return refusal["code"]


class Socket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.close)
        cls.people = 0

    def person(self, name):
        Socket.people += 1
        person = Person(self.node.address)
        person.sign("signup", f"{name}{Socket.people}", "a long password")
        person.open()
        self.addCleanup(lambda: person.socket.close())
        return person

    def device_of(self, person, level=1):
        """A second socket of the same person and device."""
        other = Person(self.node.address, person.token, person.user, person.device)
        other.open(level=level)
        self.addCleanup(lambda: other.socket.close())
        return other

    def together(self):
        """Two people in a group."""
        ann, bob = self.person("ann"), self.person("bob")
        room = uuid7()
        ann.does("create", room, kind="group", settings={"name": "two"}, members=[bob.user])
        for person in (ann, bob):
            assert person.until("room", lambda state: state["room"] == room)["head"] >= 1
            person.heads[room] = 1
        return ann, bob, room

    def test_a_room_of_two_from_its_making_to_its_end(self):
        ann, bob, room = self.together()
        seq = ann.does("post", room, text="hello")["seq"]
        self.assertEqual(bob.until("event")["body"], {"message": {"text": "hello"}})
        reply = bob.does("post", room, text="hi", reply=seq)["seq"]
        for kind, fields in [
            ("edit", {"target": seq, "text": "hello, Bob"}),
            ("react", {"target": reply, "emoji": "👋", "on": True}),
            ("pin", {"target": reply, "on": True}),
            ("role", {"user": bob.user, "role": "moderator"}),
            ("settings", {"settings": {"name": "still two", "topic": "tea"}}),
        ]:
            ann.does(kind, room, **fields)
        bob.does("delete", room, target=seq, reason="tidying")
        self.assertEqual(ann.refused("edit", room=room, cmid=uuid7(), target=seq, text="x"), "not_found")
        self.assertEqual(ann.refused("leave", room=room, cmid=uuid7()), "last_owner")
        name, page = ann.answer("history", room=room)
        events = page["events"]
        self.assertEqual([event["seq"] for event in events], list(range(1, page["head"] + 1)))
        [(_, hashed)] = [ann.answer("state_hash", room=room, **{"from": 1, "to": page["head"]})]
        self.assertEqual(hashed["hash"], state_hash(room, events), "the room folds to the same hash here as there")
        ann.does("kick", room, user=bob.user)
        ann.does("post", room, text="he is gone")
        last = bob.until("event", lambda event: "member" in event["body"] and event["body"]["member"]["role"] is None)
        self.assertEqual(last["body"]["member"]["user"], bob.user)
        self.assertEqual(bob.refused("history", room=room), "not_found")
        self.assertFalse([said for said in bob.heard if "event" in said and said["event"]["seq"] > last["seq"]])
        ann.does("invite", room, user=bob.user)
        self.assertEqual(bob.until("room")["role"], "member")
        bob.does("leave", room)

    def test_reactions_that_a_hundred_listen_to_come_together_to_whoever_speaks_level_2(self):
        people = [self.person("many") for _ in range(6)]
        ann, room = people[0], uuid7()
        ann.does("create", room, kind="group", settings={"name": "many"}, members=[person.user for person in people[1:]])
        sockets = [self.device_of(person, level) for person in people for level in [1] * 16 + [2]]
        seq = ann.does("post", room, text="who is here?")["seq"]
        emoji = ["👋", "👍", "🎉", "❤️", "🙂"]
        for one in emoji:
            ann.ask("react", room=room, cmid=uuid7(), after=seq, target=seq, emoji=one, on=True)
        one_by_one, together = sockets[-2], sockets[-1]
        seqs = [event["seq"] for event in together.until("events")["events"]]
        self.assertGreater(len(seqs), 1)
        self.assertEqual(seqs, list(range(seqs[0], seqs[0] + len(seqs))))
        for listener in (one_by_one, together):
            while listener.heads[room] < seq + len(emoji):
                listener.hear()
            said = [event["body"]["react"]["emoji"] for event in listener.log[room] if "react" in event["body"]]
            self.assertEqual(said, emoji)

    def test_marks_bring_a_page_up_to_date(self):
        ann, bob, room = self.together()
        seqs = [ann.does("post", room, text=f"line {n}")["seq"] for n in range(4)]
        ann.does("edit", room, target=seqs[1], text="first")
        ann.does("edit", room, target=seqs[1], text="last")
        bob.does("react", room, target=seqs[1], emoji="👍", on=True)
        ann.does("delete", room, target=seqs[3])
        _, page = bob.answer("history", room=room, before=seqs[2], limit=2)
        self.assertEqual([event["seq"] for event in page["events"]], seqs[:2])
        self.assertEqual([mark["body"] for mark in page["marks"]], [{"edit": {"target": seqs[1], "text": "last"}}, {"react": {"target": seqs[1], "emoji": "👍", "on": True}}])
        _, page = bob.answer("history", room=room, after=seqs[1], limit=1)
        self.assertEqual((page["from"], page["to"]), (seqs[2], seqs[2]))
        _, page = bob.answer("history", room=room, around=seqs[2], limit=3)
        self.assertTrue(page["from"] <= seqs[2] <= page["to"])
        _, page = bob.answer("history", room=room, at=page["events"][0]["at"], limit=1)
        self.assertEqual(len(page["events"]), 1)
        _, page = bob.answer("history", room=room, after=page["head"])
        self.assertEqual((page["events"], page["to"] < page["from"]), ([], True))
        self.assertEqual(bob.refused("history", room=room, after=1, before=2), "bad_request")

    def test_unread_is_a_subtraction_and_the_same_on_all_devices(self):
        ann, bob, room = self.together()
        other = self.device_of(bob)
        done = [ann.does("post", room, text=f"line {n} <@{bob.user}>") for n in range(3)]
        self.assertEqual(bob.until("notify")["seq"], done[0]["seq"])
        third = self.device_of(bob)
        state = [state for state in third.heard.pop(0)["ready"]["rooms"] if state["room"] == room][0]
        self.assertEqual(state["ordinal"] - state["read_ordinal"], 3)
        self.assertEqual(state["mentions"], [said["seq"] for said in done])
        self.assertEqual(bob.answer("read", room=room, seq=done[1]["seq"], ordinal=done[1]["ordinal"])[0], "ok")
        own = lambda read: read["marks"][0]["user"] == bob.user and read["marks"][0]["ordinal"] > 0
        self.assertEqual(other.until("read", own)["marks"][0]["ordinal"], 2)
        self.assertEqual(ann.until("read")["marks"][0]["seq"], done[1]["seq"])
        self.assertEqual(bob.answer("unread", room=room, **{"from": done[0]["seq"]})[0], "ok")
        self.assertEqual(other.until("read", own)["marks"][0]["unread_from"], done[0]["seq"])
        bob.send({"delivered": {"room": room, "seq": done[2]["seq"]}})
        ann.until("read", lambda read: read["marks"][0]["delivered"] == done[2]["seq"])
        self.assertEqual(bob.answer("draft", room=room, text="unsent")[0], "ok")
        self.assertEqual(other.until("draft")["text"], "unsent")

    def test_what_is_kept_nowhere_is_heard_by_the_others(self):
        ann, bob, room = self.together()
        bob.send({"typing": {"room": room, "on": True}})
        self.assertEqual(ann.until("typing"), {"room": room, "users": [bob.user], "count": 1})
        bob.send({"typing": {"room": room, "on": False}})
        self.assertEqual(ann.until("typing")["count"], 0)
        bob.send({"signal": {"room": room, "kind": "cursor", "data": "7"}})
        self.assertEqual(ann.until("signal"), {"room": room, "user": bob.user, "kind": "cursor", "data": "7"})
        self.assertEqual(ann.answer("watch", users=[bob.user])[0], "ok")
        self.assertEqual(ann.until("presence")["users"][0]["status"], "online")
        self.assertEqual(bob.answer("presence", status="busy")[0], "ok")
        self.assertEqual(ann.until("presence")["users"][0]["status"], "busy")
        self.assertEqual(ann.answer("ping")[0], "pong")
        self.person("cleo")
        ann.until("online", lambda online: online["room"] == room)

    def test_a_request_happens_once_and_in_its_place(self):
        ann, _, room = self.together()
        first, second = uuid7(), uuid7()
        body = {"room": room, "after": 1, "text": "second"}
        self.assertEqual(ann.refused("post", cmid=second, prev=first, **body), "out_of_order")
        _, done = ann.answer("post", cmid=first, **body | {"text": "first"})
        _, next_done = ann.answer("post", cmid=second, prev=first, **body)
        self.assertEqual(next_done["seq"], done["seq"] + 1)
        _, again = ann.answer("post", cmid=first, **body | {"text": "first"})
        self.assertEqual(again["seq"], done["seq"])
        self.assertEqual(ann.refused("post", cmid=first, **body | {"text": "other"}), "id_conflict")
        refused = uuid7()
        self.assertEqual(ann.refused("post", cmid=refused, **body | {"text": " "}), "bad_request")
        lost = body | {"text": "third", "cmid": uuid7()}
        self.assertEqual(ann.refused("post", prev=refused, **lost), "out_of_order")
        self.assertEqual(ann.answer("post", **lost)[0], "ok", "without the one that will never come")
        for after in (0, 1, 10**9):
            self.assertEqual(self.person("cleo").refused("post", cmid=uuid7(), **body | {"after": after}), "not_found")
            self.assertEqual(ann.refused("post", cmid=uuid7(), **body | {"room": uuid7(), "after": after}), "not_found")
        self.assertEqual(ann.refused("post", cmid=uuid7(), **body | {"text": "x" * 17_000}), "too_long")
        self.assertEqual(ann.refused("post", cmid=uuid7(), **body | {"color": "red"}), "bad_request")
        self.assertEqual(ann.refused("dance"), "unknown_event")
        SAID.discard("dance")

    def test_a_public_channel_is_joined_and_a_direct_room_is_one(self):
        ann, bob = self.person("ann"), self.person("bob")
        house, garden = uuid7(), uuid7()
        ann.does("create", house, kind="workspace", settings={"name": "house"}, members=[bob.user])
        ann.does("create", garden, kind="channel", settings={"name": "garden", "workspace": house, "public": True})
        self.assertEqual(bob.refused("post", room=garden, cmid=uuid7(), text="too early"), "not_found")
        bob.does("join", garden)
        bob.until("room", lambda state: state["room"] == garden)
        bob.does("post", garden, text="here")
        nil = "00000000-0000-0000-0000-000000000000"
        opened = [a.does("create", nil, kind="direct", members=[b.user])["room"] for a, b in ((ann, bob), (bob, ann))]
        self.assertEqual(opened[0], opened[1])

    def test_what_was_missed_comes_inline_or_as_a_gap(self):
        ann, bob, room = self.together()
        bob.socket.close()
        for n in range(20):
            ann.does("post", room, text=f"line {n}")
        bob.heard.clear()
        bob.open()
        while bob.heads[room] < 21:
            bob.hear()
        self.assertFalse([said for said in bob.heard if "gap" in said])
        bob.socket.close()
        for n in range(501):
            ann.ask("post", room=room, cmid=uuid7(), after=21, text=f"line {n}")
        while ann.heads[room] < 522:
            ann.hear()
        bob.open()
        gap = bob.until("gap")
        self.assertEqual((gap["room"], gap["from"], gap["to"]), (room, 22, 522))
        while bob.heads[room] < 522:
            bob.hear()

    def test_who_reads_too_slowly_is_told_and_catches_up_by_pages(self):
        ann, bob, room = self.together()
        bob.socket.close()
        narrow = socket.socket()
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = self.node.address.split(":")
        narrow.connect((host, int(port)))
        bob.open(sock=narrow, max_queue=1)
        ann.heard.clear()
        for n in range(600):
            ann.ask("post", room=room, cmid=uuid7(), after=1, text=f"{n} ".ljust(16_000, "x"))
            while len([said for said in ann.heard if "ok" in said]) < n - 8:
                ann.hear()
            if n % 20 == 19:
                bob.hear()
        while ann.heads[room] < 601:
            ann.hear()
        self.assertEqual(bob.until("behind")["room"], room)
        bob.ask("history", room=room, after=bob.heads[room])
        while bob.heads[room] < 601:
            bob.hear()
        bob.answer("ping")
        bob.heard.clear()
        live = ann.does("post", room, text="live")["seq"]
        self.assertEqual(bob.until("event")["seq"], live)
        self.assertEqual([event["seq"] for event in bob.log[room]], list(range(2, live + 1)))

    def closed_with(self, *said, token=None):
        """Says that as the first words of a connection; gives the close code."""
        with connect(f"ws://{self.node.address}/v1/ws", subprotocols=["hubbub.v1.json"]) as socket:
            for message in said:
                socket.send(message if isinstance(message, (str, bytes)) else json.dumps(message))
            try:
                while True:
                    socket.recv(timeout=30)
            except ConnectionClosed as closed:
                return closed.rcvd.code

    def test_what_is_no_hello_closes_with_its_code(self):
        self.assertEqual(self.closed_with({"ping": {"id": 1}}), 4100)
        self.assertEqual(self.closed_with("nonsense"), 4100)
        self.assertEqual(self.closed_with({"hello": {"token": "none", "device": uuid7()}}), 4101)
        self.assertEqual(self.closed_with(b"\x81"), 1003)
        self.assertEqual(self.closed_with("x" * 70_000), 1009)

    def test_a_ticket_is_good_for_one_hello(self):
        ann = self.person("ann")
        ticket = ann.rest("POST", "/v1/auth/ticket", {})["ticket"]
        hello = {"hello": {"ticket": ticket, "device": ann.device}}
        with connect(f"ws://{self.node.address}/v1/ws", subprotocols=["hubbub.v1.json"]) as socket:
            socket.send(json.dumps(hello))
            self.assertEqual(json.loads(socket.recv(timeout=30))["ready"]["user"], ann.user)
        self.assertEqual(self.closed_with(hello), 4101)

    def test_who_signs_out_is_closed_with_4102(self):
        ann = self.person("ann")
        ann.rest("POST", "/v1/auth/logout", {})
        with self.assertRaises(ConnectionClosed) as closed:
            ann.until("never")
        self.assertEqual(closed.exception.rcvd.code, 4102)


class TheEnd(unittest.TestCase):
    """Runs last: names sort so."""

    def test_a_node_that_is_told_to_stop_says_so_and_when_to_come_back(self):
        node = Node()
        self.addCleanup(node.close)
        ann = Person(node.address)
        ann.sign("signup", "ann", "a long password")
        ann.open()
        node.process.send_signal(signal.SIGTERM)
        ann.until("draining")
        self.assertGreaterEqual(ann.until("reconnect")["delay_ms"], 0)
        ann.socket.close()
        self.assertEqual(node.process.wait(timeout=60), 0)

    def test_every_event_of_the_protocol_was_met(self):
        named = {side: {name.split(".")[1] for name in SOCKET["components"]["messages"] if name.startswith(side)} for side in ("client", "node")}
        self.assertEqual(named["client"] - SAID, set(), "events that nobody said")
        self.assertEqual(named["node"] - HEARD, set(), "events that nobody heard")


if __name__ == "__main__":
    unittest.main(verbosity=2)
