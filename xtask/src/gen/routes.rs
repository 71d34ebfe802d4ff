//! The routes of the REST API: what each asks, answers and may refuse. The bodies are the schema crate's; the server's
//! router is held to this list by `tests/`.

use schema::ErrorCode::{self, *};

pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    /// Unique; what a generated client calls it.
    pub name: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub detail: &'static str,
    pub signed_in: bool,
    /// At most once in the room: takes an `Idempotency-Key`, answers `Landed`.
    pub ordered: bool,
    pub query: &'static [Query],
    /// Names of header parameters that the document defines.
    pub headers: &'static [&'static str],
    pub asks: Option<&'static str>,
    pub answers: Option<&'static str>,
    /// Besides those that every route may answer.
    pub refuses: &'static [ErrorCode],
}

pub struct Query {
    pub name: &'static str,
    /// A type of JSON Schema, or the name of one of our types.
    pub kind: &'static str,
    pub needed: bool,
    pub text: &'static str,
}

const fn query(name: &'static str, kind: &'static str, text: &'static str) -> Query {
    Query { name, kind, needed: false, text }
}

const fn needed(name: &'static str, kind: &'static str, text: &'static str) -> Query {
    Query { name, kind, needed: true, text }
}

const fn route(method: &'static str, path: &'static str, name: &'static str, tag: &'static str, summary: &'static str) -> Route {
    let (detail, query, refuses): (_, &[Query], &[ErrorCode]) = ("", &[], &[]);
    Route {
        method,
        path,
        name,
        tag,
        summary,
        detail,
        signed_in: true,
        ordered: false,
        query,
        headers: &[],
        asks: None,
        answers: None,
        refuses,
    }
}

impl Route {
    const fn open(self) -> Self {
        Self { signed_in: false, ..self }
    }
    const fn asks(self, body: &'static str) -> Self {
        Self { asks: Some(body), ..self }
    }
    const fn answers(self, body: &'static str) -> Self {
        Self { answers: Some(body), ..self }
    }
    const fn ordered(self) -> Self {
        Self { ordered: true, answers: Some("Landed"), ..self }
    }
    const fn query(self, query: &'static [Query]) -> Self {
        Self { query, ..self }
    }
    const fn native(self) -> Self {
        Self { headers: &["HubbubClient"], ..self }
    }
    const fn detail(self, detail: &'static str) -> Self {
        Self { detail, ..self }
    }
    const fn refuses(self, refuses: &'static [ErrorCode]) -> Self {
        Self { refuses, ..self }
    }
}

/// Headings of the documents, in their order.
pub const TAGS: &[(&str, &str)] = &[
    ("sign-in", "Names, passwords and the tokens that follow from them."),
    ("devices", "Where a person is signed in."),
    ("people", "Oneself and others."),
    ("rooms", "Rooms and who is in them."),
    ("messages", "What is said, and what is said about it."),
    ("reading", "How far people have read."),
];

/// What every route may answer.
pub const ALWAYS: &[ErrorCode] = &[BadRequest, RateLimited, Busy, Unavailable, Draining, Internal];
/// What every route that wants a token may answer.
pub const SIGNED_IN: &[ErrorCode] = &[Unauthenticated, TokenExpired, LoginRevoked];
/// What every ordered request may answer.
pub const ORDERED: &[ErrorCode] = &[Forbidden, NotFound, Archived, IdConflict, ExpiredId, ReadOnly];

const PAGE: &[Query] = &[
    query("before", "integer", "The newest events below this seq."),
    query("after", "integer", "The oldest events above this seq."),
    query("around", "integer", "Events on both sides of this seq."),
    query("at", "integer", "Events from this time on: milliseconds since 1970."),
    query("limit", "integer", "How many: 50 unless asked, at most 200."),
];
const LIST: &[Query] = &[
    query("cursor", "string", "The `cursor` of the page before; without it, the first page."),
    query("limit", "integer", "How many: 50 unless asked, at most 200."),
];

pub const ROUTES: &[Route] = &[
    route("post", "/v1/auth/signup", "signUp", "sign-in", "Make an account and sign in")
        .open()
        .native()
        .asks("SignUp")
        .answers("Tokens")
        .refuses(&[NameTaken, Forbidden, ReadOnly])
        .detail("The first account of an installation is its admin. Where sign-up is by invitation, `invite` is its code; without a good one: `forbidden`. The refresh token is set as a cookie; with `Hubbub-Client: native` it is in the body instead."),
    route("post", "/v1/auth/login", "logIn", "sign-in", "Sign in on a device")
        .open()
        .native()
        .asks("LogIn")
        .answers("Tokens")
        .refuses(&[WrongPassword, ReadOnly])
        .detail("An unknown name and a wrong password get the same answer. Many attempts are slowed down: `rate_limited`."),
    route("post", "/v1/auth/refresh", "refresh", "sign-in", "New tokens for old")
        .open()
        .asks("Refresh")
        .answers("Tokens")
        .refuses(&[Unauthenticated, LoginRevoked, ReadOnly])
        .detail("The refresh token that was sent is void afterwards: keep the new one. One that is used twice signs the device out, but for 30 s, until the new one is used: then the same `device` gets the same new one again. Without one in the body, the cookie's is taken, and the new one is a cookie again."),
    route("post", "/v1/auth/logout", "logOut", "sign-in", "Sign this device out")
        .open()
        .asks("Refresh")
        .refuses(&[Unauthenticated, TokenExpired, LoginRevoked, ReadOnly])
        .detail("By the access token, or, when that has expired, by the refresh token in the body or cookie. The device's sockets close with 4102 within 2 s."),
    route("post", "/v1/auth/ticket", "ticket", "sign-in", "A ticket for one `hello`")
        .answers("Ticket")
        .detail("For a client that does not want to keep its token where the socket is opened."),
    route("put", "/v1/auth/password", "changePassword", "sign-in", "Change the password")
        .asks("ChangePassword")
        .refuses(&[WrongPassword, ReadOnly])
        .detail("Signs out all other devices."),
    route("get", "/v1/devices", "devices", "devices", "Where I am signed in").answers("Devices"),
    route("delete", "/v1/devices", "signOutOthers", "devices", "Sign out all devices but this one"),
    route("delete", "/v1/devices/{login}", "signOutDevice", "devices", "Sign out one device").refuses(&[NotFound]),
    route("get", "/v1/invites", "invites", "invites", "Invitations to sign up that can still be used").answers("Invites").refuses(&[Forbidden]),
    route("post", "/v1/invites", "makeInvite", "invites", "Make an invitation to sign up")
        .asks("MakeInvite")
        .answers("MadeInvite")
        .refuses(&[Forbidden, ReadOnly])
        .detail("For administrators. The code is in this answer and nowhere else."),
    route("delete", "/v1/invites/{invite}", "takeBackInvite", "invites", "Take an invitation back").refuses(&[Forbidden, NotFound]),
    route("get", "/v1/me", "me", "people", "My profile").answers("Profile"),
    route("patch", "/v1/me", "changeMe", "people", "Change my profile").asks("ChangeProfile").answers("Profile").refuses(&[ReadOnly]),
    route("get", "/v1/users", "users", "people", "People by id, or by the beginning of their name")
        .query(&[
            query("ids", "string", "Ids with commas between, at most 200. Those who do not exist are left out."),
            query("q", "string", "What the name begins with."),
            query("limit", "integer", "How many of those: 20 unless asked."),
        ])
        .answers("Profiles")
        .detail("Exactly one of `ids` and `q`."),
    route("get", "/v1/rooms", "rooms", "rooms", "The rooms I am in").answers("Rooms").detail("The same list that `ready` brings."),
    route("post", "/v1/rooms", "createRoom", "rooms", "Make a room")
        .ordered()
        .asks("CreateRoom")
        .refuses(&[NameTaken, TooLong])
        .detail("A direct room is the same whoever opens it: opening one that is open answers where it began."),
    route("get", "/v1/rooms/{room}", "room", "rooms", "A room as I see it").answers("RoomState").refuses(&[NotFound]),
    route("patch", "/v1/rooms/{room}", "changeRoom", "rooms", "Replace the settings of a room")
        .ordered()
        .asks("RoomSettings")
        .refuses(&[NameTaken, TooLong])
        .detail("The settings are replaced whole: what is left out is empty afterwards."),
    route("post", "/v1/rooms/{room}/join", "join", "rooms", "Join a public channel of a workspace I am in").ordered(),
    route("post", "/v1/rooms/{room}/leave", "leave", "rooms", "Leave a room").ordered().refuses(&[LastOwner]),
    route("get", "/v1/rooms/{room}/members", "members", "rooms", "Who is in a room")
        .query(LIST)
        .answers("Members")
        .refuses(&[NotFound]),
    route("put", "/v1/rooms/{room}/members/{user}", "putMember", "rooms", "Invite somebody, or change their role")
        .ordered()
        .asks("PutMember")
        .refuses(&[LastOwner])
        .detail("Without `role`: invite. With it: the role of somebody who is in."),
    route("delete", "/v1/rooms/{room}/members/{user}", "kick", "rooms", "Remove somebody").ordered().refuses(&[LastOwner]),
    route("get", "/v1/workspaces/{room}/channels", "channels", "rooms", "The channels of a workspace that I may see")
        .query(LIST)
        .answers("Channels")
        .refuses(&[NotFound])
        .detail("The public ones and those one is in. A channel made just now may be missing for a few seconds."),
    route("get", "/v1/rooms/{room}/messages", "messages", "messages", "A page of a room")
        .query(PAGE)
        .answers("Page")
        .refuses(&[NotFound])
        .detail("At most one of `before`, `after`, `around` and `at`; without any: the newest. Apply `events`, then `marks`."),
    route("post", "/v1/rooms/{room}/messages", "post", "messages", "Say something").ordered().asks("PostMessage").refuses(&[TooLong]),
    route("patch", "/v1/rooms/{room}/messages/{seq}", "edit", "messages", "Change one's own message")
        .ordered()
        .asks("EditMessage")
        .refuses(&[TooLong]),
    route("delete", "/v1/rooms/{room}/messages/{seq}", "deleteMessage", "messages", "Take back one's own message; a moderator any")
        .ordered()
        .query(&[query("reason", "string", "Why, when a moderator does it.")])
        .refuses(&[TooLong]),
    route("put", "/v1/rooms/{room}/messages/{seq}/reactions/{emoji}", "react", "messages", "React to a message").ordered(),
    route("delete", "/v1/rooms/{room}/messages/{seq}/reactions/{emoji}", "unreact", "messages", "Take one's reaction back").ordered(),
    route("put", "/v1/rooms/{room}/messages/{seq}/pin", "pin", "messages", "Pin a message").ordered(),
    route("delete", "/v1/rooms/{room}/messages/{seq}/pin", "unpin", "messages", "Unpin a message").ordered(),
    route("get", "/v1/rooms/{room}/pins", "pins", "messages", "The pinned messages of a room")
        .query(LIST)
        .answers("Pins")
        .refuses(&[NotFound])
        .detail("The oldest message first. Apply `events`, then `marks`, as with a page; they are no range, so they move no seq."),
    route("get", "/v1/rooms/{room}/state_hash", "stateHash", "messages", "The hash of what a range of events folds to")
        .query(&[needed("from", "integer", "The first seq."), needed("to", "integer", "The last seq.")])
        .answers("StateHash")
        .refuses(&[NotFound])
        .detail("The exact rule is in PROTOCOL, with an example."),
    route("put", "/v1/rooms/{room}/read", "read", "reading", "Say how far I have read")
        .asks("PutRead")
        .refuses(&[NotFound])
        .detail("The marker only rises; a lower one changes nothing and is no error."),
    route("get", "/v1/rooms/{room}/receipts", "receipts", "reading", "How far the members have read")
        .query(LIST)
        .answers("Receipts")
        .refuses(&[NotFound]),
];
