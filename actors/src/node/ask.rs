//! What may be asked about rooms and people without changing anything. Members get answers, others `not_found`; a node that
//! is short of memory says `busy` to all but operators.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster::NodeId;
use futures_util::future::join_all;
use schema::peer::{Answer, Question};
use schema::record::Receipt;
use schema::server::{RoomState, UserStatus};
use schema::wire::Format;
use schema::{ErrorCode, Role, RoomId, UserId, limits, rest};
use store::{Range, RecordsExt};

use super::Node;
use crate::error::{Refused, code_of};
use crate::outlet::EncodedPage;
use crate::read::{PageQuery, Pinned};
use crate::session::actor::room_state;
use crate::shed::Class;

impl Node {
    /// Errors: as `Reader::page`.
    pub async fn history(&self, user: UserId, query: PageQuery) -> Result<Arc<rest::Page>, Refused> {
        self.shared.shed.check(Class::History)?;
        match self.shared.subscribers.own_view(query.room) {
            Some(view) => self.shared.reader.page_of(&view, user, query).await,
            None => self.shared.reader.page(user, query).await,
        }
    }

    /// The same as bytes, for a connection or for REST.
    pub async fn page(&self, user: UserId, query: PageQuery, format: Format) -> Result<EncodedPage, Refused> {
        self.shared.shed.check(Class::History)?;
        let view = match self.shared.subscribers.own_view(query.room) {
            Some(view) => view,
            None => self.shared.reader.view(query.room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?,
        };
        self.shared.reader.encoded_page_of(&view, user, query, format).await
    }

    /// The same without waiting, if it is in memory and the user may have it. `None`: ask for it.
    pub fn page_at_hand(&self, user: UserId, query: PageQuery, format: Format) -> Option<EncodedPage> {
        self.shared.shed.check(Class::History).ok()?;
        let view = self.shared.subscribers.own_view(query.room)?;
        self.shared.reader.page_at_hand(&view, user, query, format)
    }

    /// Errors: `not_found`; `too_long` for more than `limits::RESUME_ROOM_EVENTS_MAX` events; `bad_request` beyond the head.
    pub async fn state_hash(&self, user: UserId, room: RoomId, from: u64, to: u64) -> Result<String, Refused> {
        self.shared.shed.check(Class::History)?;
        self.check_member(room, user).await?;
        let view = self.shared.reader.view(room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?;
        if from == 0 || from > to || to > view.head {
            return Err(Refused::bad("fields `from`, `to`: they are seqs of the room, from 1 up to its head, in this order"));
        }
        if to - from >= limits::RESUME_ROOM_EVENTS_MAX {
            return Err(Refused { code: ErrorCode::TooLong, why: "fields `from`, `to`: more events than `resume_room_events_max`" });
        }
        let events = self.shared.reader.events(room, from, to).await.map_err(code_of)?;
        Ok(schema::fold::RoomFold::of(room, events.iter().map(|event| &**event)).hash())
    }

    pub async fn rooms(&self, user: UserId) -> Result<Vec<RoomState>, ErrorCode> {
        let own = match self.shared.home(user) {
            None => self.shared.own_rooms(user).await?,
            Some(home) => match self.shared.peers.ask(home, &Question::Rooms { user }).await {
                Some(Answer::Rooms { rooms }) => rooms,
                _ => return Err(ErrorCode::Unavailable),
            },
        };
        let mut rooms = Vec::with_capacity(own.len());
        for own in own {
            let view = match self.shared.subscribers.view(own.room) {
                Some(view) => Some(view),
                None => self.shared.reader.view(own.room).await.map_err(code_of)?,
            };
            rooms.extend(view.map(|view| room_state(user, &own, &view)));
        }
        Ok(rooms)
    }

    pub async fn room(&self, user: UserId, room: RoomId) -> Result<RoomState, ErrorCode> {
        self.check_member(room, user).await?;
        self.rooms(user).await?.into_iter().find(|state| state.room == room).ok_or(ErrorCode::NotFound)
    }

    pub async fn members(
        &self,
        user: UserId,
        room: RoomId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<rest::MemberEntry>, ErrorCode> {
        self.shared.shed.check(Class::History).map_err(|refused| refused.code)?;
        self.check_member(room, user).await?;
        let members = self.shared.reader.members(room, after, limit).await.map_err(code_of)?;
        Ok(members.into_iter().map(|(user, role)| rest::MemberEntry { user, role }).collect())
    }

    /// The public channels of a workspace, and those private ones that the user is in.
    pub async fn channels(
        &self,
        user: UserId,
        workspace: RoomId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<rest::ChannelEntry>, ErrorCode> {
        self.shared.shed.check(Class::History).map_err(|refused| refused.code)?;
        self.check_member(workspace, user).await?;
        self.shared.reader.channels(user, workspace, after, limit).await.map_err(code_of)
    }

    /// The pinned messages of a room above `after`. Errors: `not_found`.
    pub async fn pins(&self, user: UserId, room: RoomId, after: u64, limit: usize) -> Result<Pinned, ErrorCode> {
        self.shared.shed.check(Class::History).map_err(|refused| refused.code)?;
        self.check_member(room, user).await?;
        self.shared.reader.pins(room, after, limit).await.map_err(code_of)
    }

    /// How far the members of a room have read; rows may lag a few seconds behind what sockets were told.
    pub async fn receipts(
        &self,
        user: UserId,
        room: RoomId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<rest::ReceiptEntry>, ErrorCode> {
        self.shared.shed.check(Class::History).map_err(|refused| refused.code)?;
        self.check_member(room, user).await?;
        let from = after.map(|user| [user.as_bytes().as_slice(), &[0]].concat()).unwrap_or_default();
        let range = Range::all(Receipt::key_of(room, UserId::default()), limit).from(from);
        let rows = self.shared.reader.records.list::<Receipt>(range).await.map_err(code_of)?;
        Ok(rows.into_iter().map(|(row, _)| rest::ReceiptEntry { user: row.user, seq: row.seq, delivered: row.delivered }).collect())
    }

    /// The user's role in a room, as of everything applied.
    pub async fn role(&self, room: RoomId, user: UserId) -> Result<Option<Role>, ErrorCode> {
        self.shared.reader.role(room, user).await.map_err(code_of)
    }

    /// The room's last applied seq. Errors: `not_found`.
    pub async fn head(&self, room: RoomId) -> Result<u64, ErrorCode> {
        Ok(self.shared.reader.view(room).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)?.head)
    }

    /// The page of at most `limit` events after `after`, for an operator: no right to read is asked for. Errors: `not_found`.
    pub async fn export(&self, room: RoomId, after: u64, limit: u64) -> Result<rest::Page, ErrorCode> {
        self.shared.reader.page_after(room, after, limit).await.map_err(code_of)?.ok_or(ErrorCode::NotFound)
    }

    /// How these people are, as this one may know it: a status is for those who share a room. One look into the store,
    /// and one question to a node, however many are asked for.
    pub async fn presence_of(&self, user: UserId, users: &[UserId]) -> Result<Vec<UserStatus>, ErrorCode> {
        self.shared.shed.check(Class::Presence).map_err(|refused| refused.code)?;
        let rooms = self.shared.reader.rooms_of(user).await.map_err(code_of)?;
        let rooms: Vec<RoomId> = rooms.into_keys().collect();
        let mut seen = self.shared.presence.seen_from(user, rooms.iter().copied(), users);
        let mut homes: BTreeMap<NodeId, Vec<UserId>> = BTreeMap::new();
        for user in users {
            if let Some(home) = self.shared.home(*user) {
                homes.entry(home).or_default().push(*user);
            }
        }
        let asks = homes.into_iter().map(async |(home, users)| {
            let question = Question::Presence { user, rooms: rooms.clone(), users };
            self.shared.peers.ask(home, &question).await
        });
        for answer in join_all(asks).await {
            // Of those whose home cannot be asked it is said that they are offline.
            let Some(Answer::Presence { users: told }) = answer else { continue };
            for status in told {
                seen.iter_mut().filter(|known| known.user == status.user).for_each(|known| *known = status.clone());
            }
        }
        Ok(seen)
    }

    pub(super) async fn check_member(&self, room: RoomId, user: UserId) -> Result<(), ErrorCode> {
        let role = self.shared.reader.role(room, user).await.map_err(code_of)?;
        role.map(|_| ()).ok_or(ErrorCode::NotFound)
    }
}
