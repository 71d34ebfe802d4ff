//! The one table of error codes, and the one of close codes. REST sends the same errors as `application/problem+json`.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $status:literal, $temporary:literal, $sentence:literal;)*) => {
        /// What went wrong, as clients see it. The number never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "generate", derive(schemars::JsonSchema))]
        pub enum ErrorCode { $($(#[$doc])* #[serde(rename = $text)] $name,)* }

        impl ErrorCode {
            pub const ALL: &[ErrorCode] = &[$(ErrorCode::$name,)*];
            pub fn number(self) -> u16 { match self { $(Self::$name => $number,)* } }
            pub fn text(self) -> &'static str { match self { $(Self::$name => $text,)* } }
            pub fn http_status(self) -> u16 { match self { $(Self::$name => $status,)* } }
            /// Resend the same request, verbatim, later.
            pub fn is_temporary(self) -> bool { match self { $(Self::$name => $temporary,)* } }
            pub fn sentence(self) -> &'static str { match self { $(Self::$name => $sentence,)* } }
        }
    };
}

codes! {
    BadRequest = 1000, "bad_request", 400, false, "the request could not be read";
    UnknownEvent = 1001, "unknown_event", 400, false, "this node does not know that kind of request";
    TooLong = 1002, "too_long", 413, false, "the text is longer than the limit";
    Unauthenticated = 1100, "unauthenticated", 401, false, "sign in first";
    TokenExpired = 1101, "token_expired", 401, false, "the access token has expired: refresh it";
    WrongPassword = 1102, "wrong_password", 401, false, "the name or the password is wrong";
    LoginRevoked = 1103, "login_revoked", 401, false, "this device was signed out";
    Forbidden = 1200, "forbidden", 403, false, "your role does not allow that";
    NotFound = 1201, "not_found", 404, false, "there is no such thing, or you may not see it";
    NotMember = 1202, "not_member", 403, false, "you are not a member of this room";
    Archived = 1203, "archived", 409, false, "the room is archived";
    NameTaken = 1300, "name_taken", 409, false, "that name is taken";
    IdConflict = 1301, "id_conflict", 409, false, "this cmid was used for another request";
    ExpiredId = 1302, "expired_id", 409, false, "too much has happened since `after` to tell whether this was done: catch up and look";
    LastOwner = 1303, "last_owner", 409, false, "a room needs an owner: name another first";
    OutOfOrder = 1400, "out_of_order", 409, true, "the request named by `prev` has not arrived yet";
    Busy = 1401, "busy", 503, true, "the room has more waiting than it may: resend later";
    RateLimited = 1402, "rate_limited", 429, true, "too many requests: resend later";
    Unavailable = 1403, "unavailable", 503, true, "the outcome is not known: resend verbatim";
    ReadOnly = 1404, "read_only", 503, true, "the node takes no writes: its disk is nearly full";
    Draining = 1405, "draining", 503, true, "the node is going away: connect again";
    TooManyConnections = 1406, "too_many_connections", 429, true, "too many connections from here";
    Internal = 1900, "internal", 500, true, "something broke on our side; the request id finds it in the log";
}

macro_rules! close_codes {
    ($($name:ident = $number:literal, $sentence:literal;)*) => {
        /// WebSocket close codes (RFC 6455, 7.4). 4000–4099: reconnect, after the delay that was said. 4100–4199: do not.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CloseCode { $($name,)* }
        impl CloseCode {
            pub const ALL: &[CloseCode] = &[$(CloseCode::$name,)*];
            pub fn number(self) -> u16 { match self { $(Self::$name => $number,)* } }
            pub fn sentence(self) -> &'static str { match self { $(Self::$name => $sentence,)* } }
            pub fn may_reconnect(self) -> bool { !matches!(self.number(), 1002..=1009 | 4100..=4199) }
        }
    };
}

close_codes! {
    Normal = 1000, "goodbye";
    GoingAway = 1001, "the node is going away";
    Protocol = 1002, "the frames break RFC 6455";
    Unsupported = 1003, "text frames on the MessagePack subprotocol, or the reverse";
    BadText = 1007, "a text message is not UTF-8";
    Policy = 1008, "too many fragments, or too slow";
    TooBig = 1009, "the message is larger than the limit";
    Drain = 4000, "the node drains: connect again after the delay";
    Slow = 4001, "nothing could be written for 10 s: connect again and resume";
    Silent = 4002, "two heartbeats were missed";
    Replaced = 4003, "more connections than one user may have: the oldest was closed";
    HelloTimeout = 4004, "no hello came in time";
    Busy = 4005, "the node is too busy to let you in: connect again later";
    BadHello = 4100, "the first message was not a valid hello";
    Unauthenticated = 4101, "the token is not valid: sign in or refresh";
    Revoked = 4102, "this device was signed out";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_number_and_name() {
        let mut numbers: Vec<u16> = ErrorCode::ALL.iter().map(|c| c.number()).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_string(code).unwrap(), format!("{:?}", code.text()));
        }
    }

    #[test]
    fn a_client_is_sent_back_only_by_the_reconnect_range() {
        assert!(CloseCode::Drain.may_reconnect() && CloseCode::Slow.may_reconnect());
        assert!(!CloseCode::Revoked.may_reconnect() && !CloseCode::Protocol.may_reconnect());
    }
}
