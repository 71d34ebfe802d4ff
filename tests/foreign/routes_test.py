"""Holds a real node's REST API to docs/api/openapi.json: every operation is called, and answers with a status and a body that
the document describes. What rooms decide is tested elsewhere."""

import json
import pathlib
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import fastjsonschema

from chat import uuid7
from node import Node

ROOT = pathlib.Path(__file__).parents[2]
API = json.loads((ROOT / "docs/api/openapi.json").read_text(encoding="utf-8"))
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = {item[method]["operationId"]: (method, path, item[method]) for path, item in API["paths"].items() for method in METHODS if method in item}


def fits(schema, value):
    """Raises when the value is not of the schema."""
    fastjsonschema.compile({**schema, "components": API["components"]})(value)


class Person:
    def __init__(self, address):
        self.address, self.token, self.called = address, None, set()

    def call(self, name, body=None, key=None, headers=None, query=None, **places):
        """Calls an operation by its id; the answer has to be one that the document describes. Gives status and body."""
        method, path, spec = OPERATIONS[name]
        self.called.add(name)
        path = path.format(**{place: urllib.parse.quote(str(value), safe="") for place, value in places.items()})
        path += "?" + urllib.parse.urlencode(query) if query else ""
        headers = dict(headers or {}) | ({"authorization": f"Bearer {self.token}"} if self.token else {})
        headers |= {"idempotency-key": key} if key else {}
        data = None if body is None else json.dumps(body).encode()
        headers |= {"content-type": "application/json"} if data else {}
        request = urllib.request.Request(f"http://{self.address}{path}", data, headers, method=method.upper())
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as refused:
            answer = refused
        with answer:
            text, kind = answer.read(), answer.headers.get("content-type", "")
        self.check(name, spec, answer.status, kind, text)
        return answer.status, json.loads(text) if text else None

    def check(self, name, spec, status, kind, text):
        described = spec["responses"].get(str(status))
        assert described, f"{name} answered {status}, which the document does not name: {text[:300]}"
        if "$ref" in described:
            described = API["components"]["responses"][described["$ref"].rsplit("/")[-1]]
        content = described.get("content")
        if content is None:
            assert text == b"", f"{name} has a body with {status}"
            return
        [(wanted, media)] = content.items()
        assert kind.split(";")[0] == wanted, f"{name} answered {kind}, not {wanted}"
        fits(media["schema"], json.loads(text))

    def does(self, name, *arguments, **places):
        status, body = self.call(name, *arguments, **places)
        assert status < 300, f"{name} was refused with {status}: {body}"
        return body


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.node = Node()
        cls.addClassCleanup(cls.node.close)

    def person(self, name):
        person = Person(self.node.address)
        asked = {"name": name, "password": "a long password", "device": uuid7(), "display": name.title(), "label": "tests"}
        tokens = person.does("signUp", asked, headers={"hubbub-client": "native"})
        person.token, person.user, person.refresh, person.login = tokens["access"], tokens["user"], tokens["refresh"], tokens["login"]
        return person

    def test_every_operation_answers_as_the_document_says(self):
        ann, bob = self.person("ann"), self.person("bob")
        self.people(ann, bob)
        group = self.rooms(ann, bob)
        self.messages(ann, bob, group)
        self.reading(ann, bob, group)
        self.inviting(ann, bob)
        self.signing(ann, bob)
        self.assertEqual(set(OPERATIONS) - ann.called - bob.called, set(), "operations that nobody called")

    def until(self, look):
        """What is there once something is."""
        deadline = time.monotonic() + 30
        while not (found := look()):
            assert time.monotonic() < deadline, "it does not come"
            time.sleep(0.02)  # poll
        return found

    def people(self, ann, bob):
        self.assertEqual(ann.does("me")["name"], "ann")
        self.assertEqual(ann.does("changeMe", {"display": "Ann B."})["display"], "Ann B.")
        self.assertEqual([user["id"] for user in ann.does("users", query={"ids": bob.user})["users"]], [bob.user])
        self.assertIn(bob.user, [user["id"] for user in ann.does("users", query={"q": "bo"})["users"]])
        self.assertEqual(ann.call("users")[1]["code"], "bad_request")

    def rooms(self, ann, bob):
        group, workspace, channel = uuid7(), uuid7(), uuid7()
        made = {"room": group, "kind": "group", "settings": {"name": "two"}, "members": [bob.user]}
        key = uuid7()
        first = ann.does("createRoom", made, key)
        self.assertEqual(ann.does("createRoom", made, key), first, "the same key is the same room")
        ann.does("createRoom", {"kind": "direct", "members": [bob.user]}, uuid7())
        ann.does("createRoom", {"room": workspace, "kind": "workspace", "settings": {"name": "house"}, "members": [bob.user]}, uuid7())
        settings = {"name": "garden", "workspace": workspace, "public": True}
        ann.does("createRoom", {"room": channel, "kind": "channel", "settings": settings}, uuid7())
        # The list follows what was said; it is not the say itself.
        channels = self.until(lambda: bob.does("channels", room=workspace)["channels"])
        self.assertEqual([entry["room"] for entry in channels], [channel])
        bob.does("join", room=channel, key=uuid7())
        bob.does("leave", room=channel, key=uuid7())
        ann.does("changeRoom", {"name": "three"}, uuid7(), room=group)
        self.assertEqual(bob.does("room", room=group)["settings"]["name"], "three")
        self.assertGreaterEqual(len(bob.does("rooms")["rooms"]), 3)
        self.assertEqual(ann.call("room", room=uuid7())[1]["code"], "not_found")
        page = ann.does("members", room=group, query={"limit": 1})
        rest = ann.does("members", room=group, query={"limit": 1, "cursor": page["cursor"]})
        self.assertEqual({entry["user"] for entry in page["members"] + rest["members"]}, {ann.user, bob.user})
        ann.does("putMember", {"role": "moderator"}, uuid7(), room=group, user=bob.user)
        ann.does("kick", room=group, user=bob.user, key=uuid7())
        self.assertEqual(bob.call("members", room=group)[1]["code"], "not_found")
        ann.does("putMember", {}, uuid7(), room=group, user=bob.user)
        return group

    def messages(self, ann, bob, group):
        key = uuid7()
        said = ann.does("post", {"text": "hello"}, key, room=group)
        self.assertEqual(ann.does("post", {"text": "hello"}, key, room=group), said, "the same key is the same message")
        self.assertEqual(ann.call("post", {"text": "other"}, key, room=group)[1]["code"], "id_conflict")
        self.assertEqual(ann.call("post", {"text": "x" * 17_000}, uuid7(), room=group)[1]["code"], "too_long")
        self.assertEqual(ann.call("post", {"txet": "x"}, uuid7(), room=group)[1]["code"], "bad_request")
        seq = said["seq"]
        ann.does("edit", {"text": "hello, all"}, uuid7(), room=group, seq=seq)
        self.assertEqual(bob.call("edit", {"text": "mine"}, uuid7(), room=group, seq=seq)[1]["code"], "forbidden")
        bob.does("react", room=group, seq=seq, emoji="👍🏽", key=uuid7())
        bob.does("unreact", room=group, seq=seq, emoji="👍🏽", key=uuid7())
        ann.does("pin", room=group, seq=seq, key=uuid7())
        self.assertEqual([event["seq"] for event in bob.does("pins", room=group)["events"]], [seq])
        ann.does("unpin", room=group, seq=seq, key=uuid7())
        page = bob.does("messages", room=group, query={"around": seq, "limit": 1})
        self.assertIn("edit", [kind for mark in page["marks"] for kind in mark["body"]])
        self.assertEqual(len(bob.does("stateHash", room=group, query={"from": 1, "to": seq})["hash"]), 64)
        ann.does("deleteMessage", room=group, seq=seq, query={"reason": "tidying"}, key=uuid7())

    def reading(self, ann, bob, group):
        room = bob.does("room", room=group)
        bob.does("read", {"seq": room["head"], "ordinal": room["ordinal"]}, room=group)
        self.assertEqual(bob.does("room", room=group)["read_seq"], room["head"])
        ann.does("receipts", room=group)
        self.assertEqual(ann.call("receipts", room=uuid7())[1]["code"], "not_found")

    def inviting(self, ann, bob):
        self.assertEqual(bob.call("makeInvite", {})[1]["code"], "forbidden")
        made = ann.does("makeInvite", {})
        self.assertEqual(ann.does("invites")["invites"], [made["invite"]])
        ann.does("takeBackInvite", invite=made["invite"]["id"])
        self.assertEqual(ann.does("invites")["invites"], [])

    def signing(self, ann, bob):
        self.assertEqual(len(ann.does("ticket")["ticket"].split()), 1)
        other = Person(self.node.address)
        asked = {"name": "ann", "password": "a long password", "device": uuid7()}
        tokens = other.does("logIn", asked, headers={"hubbub-client": "native"})
        wrong = Person(self.node.address).call("logIn", asked | {"password": "not the password"})
        self.assertEqual(wrong[1]["code"], "wrong_password")
        renewed = other.does("refresh", {"refresh": tokens["refresh"]})
        self.assertNotEqual(renewed["refresh"], tokens["refresh"])
        other.token = renewed["access"]
        self.assertEqual(len(ann.does("devices")["devices"]), 2)
        ann.does("signOutDevice", login=renewed["login"])
        self.assertEqual(other.call("me")[1]["code"], "login_revoked")
        ann.does("signOutOthers")
        ann.does("changePassword", {"old": "a long password", "new": "a longer password"})
        bob.does("logOut", {"refresh": bob.refresh})
        self.assertEqual(bob.call("me")[0], 401)
        ann.called |= other.called

    def test_who_is_not_signed_in_is_told_so_by_every_operation_that_asks(self):
        nobody = Person(self.node.address)
        for name, (_, path, spec) in OPERATIONS.items():
            if spec.get("security") != []:
                places = {"room": uuid7(), "user": uuid7(), "login": uuid7(), "invite": uuid7(), "seq": 1, "emoji": "x"}
                places = {place: value for place, value in places.items() if f"{{{place}}}" in path}
                status, problem = nobody.call(name, **places)
                self.assertEqual((status, problem["code"]), (401, "unauthenticated"), name)

    def test_the_node_serves_its_own_documents(self):
        for path in ("/openapi.json", "/asyncapi.json"):
            with urllib.request.urlopen(f"http://{self.node.address}{path}", timeout=30) as answer:
                self.assertEqual(json.loads(answer.read()), json.loads((ROOT / "docs/api" / path[1:]).read_text(encoding="utf-8")))
        with urllib.request.urlopen(f"http://{self.node.address}/docs", timeout=30) as answer:
            self.assertIn("text/html", answer.headers["content-type"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
