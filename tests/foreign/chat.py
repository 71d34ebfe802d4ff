"""A whole chat client, written from docs/PROTOCOL.md alone. It signs in, posts exactly once, receives, and resumes after
a cut without a gap. It keeps what it knows in memory only: a real client keeps `heads` and its outbox on disk."""

import json, os, time, urllib.request, uuid

from websockets.sync.client import connect


def uuid7():
    """A UUID that begins with the time in milliseconds (RFC 9562, 5.7)."""
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10))
    return str(uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62))


class Chat:
    def __init__(self, address):
        self.address, self.device, self.token, self.request = address, uuid7(), None, 0
        self.heads = {}  # room -> the last seq that is here without a gap
        self.log = {}  # room -> its events, in order

    def rest(self, method, path, body=None, key=None):
        headers = {"content-type": "application/json"}
        headers |= {"authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"idempotency-key": key} if key else {}
        request = urllib.request.Request(f"http://{self.address}{path}", json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def sign(self, way, name, password):  # way: "signup" or "login"
        tokens = self.rest("POST", f"/v1/auth/{way}", {"name": name, "password": password, "device": self.device})
        self.user, self.token = tokens["user"], tokens["access"]

    def open(self, level=1, **how):
        """Connects, says who we are and what we have; what was missed follows. `level`: from 2 on there are `events`."""
        self.socket = connect(f"ws://{self.address}/v1/ws?level={level}", subprotocols=["hubbub.v1.json"], **how)
        resume = [{"room": room, "seq": seq} for room, seq in self.heads.items()]
        self.send({"hello": {"token": self.token, "device": self.device, "resume": resume}})
        while "ready" not in (said := self.hear()):
            pass
        for room in said["ready"]["rooms"]:
            self.heads.setdefault(room["room"], room["head"])
        return said["ready"]

    def send(self, said):
        self.socket.send(json.dumps(said))

    def hear(self):
        """The next thing the node says, after the rooms' logs took it in."""
        said = json.loads(self.socket.recv(timeout=30))
        if event := said.get("event"):
            self.take(event)
        for event in said.get("events", {}).get("events", []):
            self.take(event)
        if gap := said.get("gap"):
            self.ask("history", room=gap["room"], after=gap["from"] - 1)
        if page := said.get("history"):
            for event in page["events"]:
                self.take(event)
            if page["events"] and self.heads[page["room"]] < page["head"]:
                self.ask("history", room=page["room"], after=page["to"])
        return said

    def take(self, event):
        if event["seq"] == self.heads.get(event["room"], 0) + 1:  # else it is here already, or a page brings it
            self.heads[event["room"]] = event["seq"]
            self.log.setdefault(event["room"], []).append(event)

    def ask(self, kind, /, **fields):
        self.request += 1
        self.send({kind: {"id": self.request, **fields}})
        return self.request

    def post(self, room, text, cmid=None):
        """Says something and waits until it is in the room for good. A cut in between: call again with the same cmid."""
        asked = self.ask("post", room=room, cmid=cmid or uuid7(), after=self.heads.get(room, 0), text=text)
        while True:
            said = self.hear()
            if said.get("error", {}).get("id") == asked:
                raise RuntimeError(said["error"]["message"])
            if said.get("ok", {}).get("id") == asked:
                return said["ok"]["seq"]
