//! The channels of a workspace, as one of its members may see them.

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
        let mut entries = Vec::new();
        let mut from = after;
        while entries.len() < limit {
            let sort = from.map(|room| [room.as_bytes().as_slice(), &[0]].concat()).unwrap_or_default();
            let range = Range::all(Channel::key_of(workspace, RoomId::default()), limit).from(sort);
            let rows = self.records.list::<Channel>(range).await?;
            let last = rows.len() < limit;
            from = rows.last().map(|(row, _)| row.room);
            for (Channel { room, settings, .. }, _) in rows {
                // A channel that changed a moment ago is shown as it is now.
                let settings = match self.tail(room).is_empty() {
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
        Ok(entries)
    }
}
