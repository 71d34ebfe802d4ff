//! A room as one looks at it from outside: kind, settings, size, head. And who may look.

use std::sync::Arc;

use schema::peer::RoomView;
use schema::record::{MemberRow, RoomHead, RoomRow, RoomSize, SettingsRow};
use schema::{Event, EventBody, Role, RoomId, RoomKind, RoomSettings, UserId};
use store::{Range, RecordsExt};

use super::Reader;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub kind: RoomKind,
    pub pair: Option<(UserId, UserId)>,
    pub settings: Arc<RoomSettings>,
    pub members: u32,
    pub head: u64,
    pub ordinal: u64,
    pub at: u64,
}

impl From<RoomView> for View {
    fn from(view: RoomView) -> Self {
        let RoomView { kind, pair, settings, members, head, ordinal, at } = view;
        Self { kind, pair, settings: Arc::new(settings), members, head, ordinal, at }
    }
}

impl From<View> for RoomView {
    fn from(view: View) -> Self {
        let View { kind, pair, settings, members, head, ordinal, at } = view;
        Self { kind, pair, settings: Arc::unwrap_or_clone(settings), members, head, ordinal, at }
    }
}

impl View {
    /// The other one of a direct room; oneself in one's own.
    pub fn peer(&self, user: UserId) -> Option<UserId> {
        self.pair.map(|(a, b)| if a == user { b } else { a })
    }
    pub fn apply(&mut self, event: &Event) {
        if event.seq <= self.head {
            return;
        }
        (self.head, self.ordinal, self.at) = (event.seq, event.ordinal, event.at);
        match &event.body {
            EventBody::Settings(settings) => self.settings = Arc::new(settings.clone()),
            EventBody::Member { members, .. } => self.members = *members,
            _ => {}
        }
    }
    fn created(event: &Event) -> Option<Self> {
        let EventBody::Created { kind, settings, members } = &event.body else { return None };
        let pair = (*kind == RoomKind::Direct).then(|| (members[0].user, members[members.len() - 1].user));
        let (head, ordinal, at) = (event.seq, event.ordinal, event.at);
        Some(Self { kind: *kind, pair, settings: Arc::new(settings.clone()), members: members.len() as u32, head, ordinal, at })
    }
}

impl Reader {
    /// `None`: there is no such room.
    pub async fn view(&self, room: RoomId) -> Result<Option<View>, store::Error> {
        let tail = self.tail(room).await?;
        let stored = match tail.first().map(|e| &e.body) {
            Some(EventBody::Created { .. }) => None,
            _ => self.stored_view(room).await?,
        };
        let mut events = tail.iter();
        let Some(mut view) = stored.or_else(|| events.next().and_then(|e| View::created(e))) else { return Ok(None) };
        events.for_each(|event| view.apply(event));
        Ok(Some(view))
    }

    async fn stored_view(&self, room: RoomId) -> Result<Option<View>, store::Error> {
        let Some((head, _)) = self.records.fetch::<RoomHead>(RoomHead::key_of(self.slot(room), room)).await? else { return Ok(None) };
        let Some((row, _)) = self.records.fetch::<RoomRow>(RoomRow::key_of(room)).await? else { return Ok(None) };
        let settings = self.records.fetch::<SettingsRow>(SettingsRow::key_of(room)).await?.map(|(row, _)| row.settings).unwrap_or_default();
        let members = self.records.fetch::<RoomSize>(RoomSize::key_of(room)).await?.map_or(0, |(row, _)| row.members);
        let RoomHead { head, ordinal, at, .. } = head;
        Ok(Some(View { kind: row.kind, pair: row.pair, settings: Arc::new(settings), members, head, ordinal, at }))
    }

    /// The user's role, as of everything applied.
    pub async fn role(&self, room: RoomId, user: UserId) -> Result<Option<Role>, store::Error> {
        for event in self.tail(room).await?.iter().rev() {
            match &event.body {
                EventBody::Member { user: who, role, .. } if *who == user => return Ok(*role),
                EventBody::Created { members, .. } => return Ok(members.iter().find(|m| m.user == user).map(|m| m.role)),
                _ => {}
            }
        }
        Ok(self.records.fetch::<MemberRow>(MemberRow::key_of(room, user)).await?.map(|(row, _)| row.role))
    }

    /// Members in the order of their ids, from `after` on; those of the tail are folded in.
    pub async fn members(&self, room: RoomId, after: Option<UserId>, limit: usize) -> Result<Vec<(UserId, Role)>, store::Error> {
        let tail = self.tail(room).await?;
        let from = after.map(|user| [user.as_bytes().as_slice(), &[0]].concat()).unwrap_or_default();
        // What the tail says may remove rows of the page: read that many more.
        let range = Range::all(MemberRow::key_of(room, UserId::default()), limit + tail.len()).from(from);
        let rows = self.records.list::<MemberRow>(range).await?;
        let complete = rows.len() < limit + tail.len();
        let last = rows.last().map(|(row, _)| row.user);
        let mut members: std::collections::BTreeMap<UserId, Role> = rows.into_iter().map(|(row, _)| (row.user, row.role)).collect();
        let in_page = |user: UserId| after.is_none_or(|after| user > after) && (complete || last.is_some_and(|last| user <= last));
        for event in &tail {
            match &event.body {
                EventBody::Created { members: first, .. } => {
                    members.extend(first.iter().filter(|m| in_page(m.user)).map(|m| (m.user, m.role)));
                }
                EventBody::Member { user, role, .. } if in_page(*user) => match role {
                    Some(role) => drop(members.insert(*user, *role)),
                    None => drop(members.remove(user)),
                },
                _ => {}
            }
        }
        Ok(members.into_iter().take(limit).collect())
    }
}
