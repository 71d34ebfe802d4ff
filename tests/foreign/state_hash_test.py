"""The state hash, written from the words of docs/PROTOCOL.md alone: gets the hash that its example names. Needs no node."""

import hashlib, json, pathlib, re, struct, unittest, uuid

NIL_ID = str(uuid.UUID(int=0))


def fold(room, events):
    state = {"head": 0, "ordinal": 0, "settings": None, "members": {}, "messages": {}}

    def message(seq):
        empty = {"user": NIL_ID, "text": None, "edited": 0, "deleted": False, "pinned": False, "reactions": {}}
        return state["messages"].setdefault(seq, empty)

    for event in events:
        state |= {"head": event["seq"], "ordinal": event["ordinal"]}
        if event["body"] == "erased":
            continue
        [(kind, body)] = event["body"].items()
        target = message(body["target"]) if "target" in body else None
        if kind == "created":
            state["settings"] = body["settings"]
            state["members"] |= {member["user"]: member["role"] for member in body["members"]}
        elif kind == "settings":
            state["settings"] = body
        elif kind == "member":
            state["members"][body["user"]] = body["role"]
        elif kind == "message":
            message(event["seq"]).update(user=event["user"], text=body["text"])
        elif kind == "delete":
            target.update(text=None, edited=0, deleted=True, pinned=False, reactions={})
        elif kind == "pin":
            target["pinned"] = body["on"] and not target["deleted"]
        elif kind == "edit" and not target["deleted"]:
            target.update(text=body["text"], edited=event["seq"])
        elif kind == "react" and not target["deleted"]:
            users = target["reactions"].pop(body["emoji"], set())
            users = users | {event["user"]} if body["on"] else users - {event["user"]}
            target["reactions"] |= {body["emoji"]: users} if users else {}
    return {"room": room} | state


def pack(value):
    """MessagePack in its shortest form; ids are told from texts by their type."""
    if value is None or isinstance(value, bool):
        return {None: b"\xc0", False: b"\xc2", True: b"\xc3"}[value]
    if isinstance(value, uuid.UUID):
        return b"\xc4\x10" + value.bytes
    if isinstance(value, int):
        widths = ((1 << 7, "", "B"), (1 << 8, "cc", "B"), (1 << 16, "cd", "H"), (1 << 32, "ce", "I"), (1 << 64, "cf", "Q"))
        return next(bytes.fromhex(tag) + struct.pack(f">{form}", value) for bound, tag, form in widths if value < bound)
    if isinstance(value, str):
        text = value.encode()
        return length(len(text), ((32, 0xA0, ""), (1 << 8, 0xD9, "B"), (1 << 16, 0xDA, "H"), (1 << 32, 0xDB, "I"))) + text
    if isinstance(value, list):
        return length(len(value), ((16, 0x90, ""), (1 << 16, 0xDC, "H"), (1 << 32, 0xDD, "I"))) + b"".join(map(pack, value))
    pairs = [pack(key) + pack(held) for key, held in value.items()]
    return length(len(pairs), ((16, 0x80, ""), (1 << 16, 0xDE, "H"), (1 << 32, 0xDF, "I"))) + b"".join(pairs)


def length(count, widths):
    tag, form = next((tag, form) for bound, tag, form in widths if count < bound)
    return bytes([tag]) + struct.pack(f">{form}", count) if form else bytes([tag | count])


def canonical(state):
    """The state with ids as ids, maps in the order of their keys, and settings without what is empty."""

    def settings(held):
        fields = [(name, held.get(name)) for name in ("name", "topic", "workspace", "public", "archived")]
        return {name: uuid.UUID(value) if name == "workspace" else value for name, value in fields if value}

    def message(held):
        reactions = sorted(held["reactions"].items(), key=lambda pair: pair[0].encode())
        users = {emoji: sorted(map(uuid.UUID, users), key=lambda user: user.bytes) for emoji, users in reactions}
        return held | {"user": uuid.UUID(held["user"]), "reactions": users}

    members = sorted((uuid.UUID(user), role) for user, role in state["members"].items())
    return state | {
        "room": uuid.UUID(state["room"]),
        "settings": state["settings"] and settings(state["settings"]),
        "members": dict(members),
        "messages": {seq: message(held) for seq, held in sorted(state["messages"].items())},
    }


def state_hash(room, events):
    return hashlib.sha256(pack(canonical(fold(room, events)))).hexdigest()


class Example(unittest.TestCase):
    def test_the_example_of_protocol_has_the_hash_it_names(self):
        page = (pathlib.Path(__file__).parents[2] / "docs/PROTOCOL.md").read_text(encoding="utf-8")
        example = page[page.index("<!-- generated: hash -->") :]
        events = [json.loads(line) for line in re.search("```json\n(.*?)```", example, re.DOTALL)[1].splitlines()]
        named = re.search("```\n([0-9a-f]{64})\n```", example)[1]
        self.assertEqual(state_hash(events[0]["room"], events), named)


if __name__ == "__main__":
    unittest.main(verbosity=2)
