//! The channels of a workspace, as one of its members may see them.

use std::collections::BTreeMap;

use schema::record::Channel;
use schema::{RoomId, UserId, rest};
use store::{Range, RecordsExt};

use super::Reader;

impl Reader {
    /// Public channels and those that the user is in, in the order of their ids, from `after` on.
    pub async fn channels(
        &self,
        user: UserId,
        workspace: RoomId,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<rest::ChannelEntry>, store::Error> {
        let mut fresh = self.fresh_channels(user, workspace, after).await?;
        let mut entries = Vec::new();
        let mut from = after;
        while entries.len() < limit {
            let sort = from.map(|room| [room.as_bytes().as_slice(), &[0]].concat()).unwrap_or_default();
            let range = Range::all(Channel::key_of(workspace, RoomId::default()), limit).from(sort);
            let rows = self.records.list::<Channel>(range).await?;
            let last = rows.len() < limit;
            from = rows.last().map(|(row, _)| row.room);
            for (Channel { room, settings, .. }, _) in rows {
                while entries.len() < limit
                    && let Some(entry) = fresh.first_entry().filter(|entry| *entry.key() < room)
                {
                    entries.push(entry.remove());
                }
                fresh.remove(&room);
                // A channel that changed a moment ago is shown as it is now.
                let settings = match self.tail(room).await?.is_empty() {
                    true => settings,
                    false => self.view(room).await?.map_or(settings, |view| (*view.settings).clone()),
                };
                let joined = self.role(room, user).await?.is_some();
                if (settings.public || joined) && entries.len() < limit {
                    entries.push(rest::ChannelEntry { room, settings, joined });
                }
            }
            if last {
                break;
            }
        }
        entries.extend(fresh.into_values().take(limit - entries.len()));
        Ok(entries)
    }

    /// Those that the user came to a moment ago, as who made one did: the rows may not have them yet.
    async fn fresh_channels(
        &self,
        user: UserId,
        workspace: RoomId,
        after: Option<RoomId>,
    ) -> Result<BTreeMap<RoomId, rest::ChannelEntry>, store::Error> {
        let mut fresh = BTreeMap::new();
        for (room, _, _) in self.recent_memberships(user).await.into_iter().filter(|(room, ..)| after.is_none_or(|after| *room > after)) {
            let Some(view) = self.view(room).await?.filter(|view| view.settings.workspace == Some(workspace)) else { continue };
            if self.role(room, user).await?.is_some() {
                fresh.insert(room, rest::ChannelEntry { room, settings: (*view.settings).clone(), joined: true });
            }
        }
        Ok(fresh)
    }
}
