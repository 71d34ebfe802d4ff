//! Where an import goes: a public channel of a workspace, both made when they are not there. Their ids follow from their
//! names, so that every run finds the same ones.

use std::collections::HashSet;

use schema::client::{Act, Order};
use schema::{Cmid, ErrorCode, RoomId, RoomKind, RoomSettings, UserId};
use uuid::Uuid;

use super::people::People;
use super::{Error, Importer, id_of};

/// Who owns what imports make.
const KEEPER: &str = "importer";

pub struct Place {
    pub room: RoomId,
    workspace: RoomId,
    keeper: UserId,
    /// Known to be members.
    inside: HashSet<UserId>,
}

/// The channel of that name that imports make; a room that somebody made is another one, whatever its name.
pub fn room_of(workspace: &str, room: &str) -> RoomId {
    RoomId(id_of(&[b"import room", workspace.as_bytes(), room.as_bytes()]))
}

/// Opens the channel, making what is missing.
pub async fn open(importer: &Importer<'_>, people: &mut People, workspace: &str, room: &str) -> Result<Place, Error> {
    let keeper = people.of(importer.auth, KEEPER).await?;
    let home = RoomId(id_of(&[b"import workspace", workspace.as_bytes()]));
    let channel = room_of(workspace, room);
    let named = |name: &str| RoomSettings { name: name.to_owned(), ..RoomSettings::default() };
    create(importer, keeper, home, RoomKind::Workspace, named(workspace)).await?;
    let settings = RoomSettings { workspace: Some(home), public: true, ..named(room) };
    create(importer, keeper, channel, RoomKind::Channel, settings).await?;
    Ok(Place { room: channel, workspace: home, keeper, inside: HashSet::from([keeper]) })
}

async fn create(importer: &Importer<'_>, keeper: UserId, room: RoomId, kind: RoomKind, settings: RoomSettings) -> Result<(), Error> {
    if importer.node.role(room, keeper).await.map_err(place_error)?.is_some() {
        return Ok(());
    }
    let act = Act::Create { kind, settings, members: Vec::new() };
    ask(importer, keeper, room, 0, act).await
}

impl Place {
    /// Makes somebody a member of the workspace and the channel. Who is one already stays as they are.
    pub async fn let_in(&mut self, importer: &Importer<'_>, user: UserId) -> Result<(), Error> {
        if !self.inside.insert(user) {
            return Ok(());
        }
        for room in [self.workspace, self.room] {
            if importer.node.role(room, user).await.map_err(place_error)?.is_none() {
                let head = importer.node.head(room).await.map_err(place_error)?;
                ask(importer, self.keeper, room, head, Act::Invite { user }).await?;
            }
        }
        Ok(())
    }
}

fn place_error(code: ErrorCode) -> Error {
    Error::Place(code.sentence().to_owned())
}

/// What is asked twice changes nothing the second time, so each asking has a cmid of its own.
async fn ask(importer: &Importer<'_>, user: UserId, room: RoomId, after: u64, act: Act) -> Result<(), Error> {
    let order = Order { id: 0, room, cmid: Cmid(Uuid::now_v7()), after, prev: None };
    loop {
        match importer.command(user, order, act.clone()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(refusal)) if !refusal.code.is_temporary() => return Err(Error::Place(refusal.message)),
            _ => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}
