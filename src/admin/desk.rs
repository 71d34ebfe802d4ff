//! Carries orders out: on a running node and, by the same code, on data that no node runs on.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;

use actors::{Command, Node, Reply};
use cluster::Member;
use schema::record::{RoomHead, RoomRow, RoomSize, SettingsRow};
use schema::{Cmid, DeviceId, ErrorCode, RoomId, RoomKind, RoomSettings, SlotId, UserId, client, rest};
use store::embedded::BackupSummary;
use store::{Range, Records, RecordsExt};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::order::{RoomEntry, UserEntry};
use super::{Answer, Order, Refused, people};
use crate::auth::{self, Auth, NewUser, Origin};
use crate::cluster::{Alone, order};
use crate::import::{Importer, said};
use crate::logs;

const USERS_PAGE_MAX: usize = 1000;
const ROOMS_PAGE: usize = 1000;
/// Events of one answer: at most 64 × 16 KiB of text.
const EXPORT_PAGE: u64 = 64;

/// Writes one moment of the data into a folder; what that means is the backend's.
pub type Backup = Arc<dyn Fn(PathBuf) -> store::Answer<'static, Result<BackupSummary, store::Error>> + Send + Sync>;

#[derive(Clone)]
pub struct Desk {
    pub auth: Auth,
    pub records: Arc<dyn Records>,
    pub node: Node,
    pub backup: Backup,
    /// `None`: on data that no node runs on.
    pub group: Option<(Arc<Member>, Alone)>,
    /// Of the cluster: every one has a partition of rooms.
    pub slots: u16,
}

/// Whoever can be given orders over the socket.
pub trait Carry: Clone + Send + Sync + 'static {
    fn carry_out(&self, order: Order) -> impl Future<Output = Result<Answer, Refused>> + Send;
}

pub async fn backed_up(backup: &Backup, to: PathBuf) -> Result<Answer, Refused> {
    let summary = backup(to.clone()).await?;
    Ok(Answer::Backup { to, rows: summary.rows, bytes: summary.bytes })
}

pub fn set_log_level(level: &str) -> Result<Answer, Refused> {
    logs::set_level(level).map_err(|error| Refused::new(ErrorCode::BadRequest, error.to_string()))?;
    Ok(Answer::Done {})
}

impl Carry for Desk {
    async fn carry_out(&self, order: Order) -> Result<Answer, Refused> {
        match order {
            Order::AddUser { name, display, password, admin } => {
                let user = self.auth.add_user(NewUser { name, display, password, admin }).await?;
                Ok(Answer::User(entry(user)))
            }
            Order::EnsureUsers { people, sign_in_as } => people::ensure(&self.auth, people, sign_in_as).await,
            Order::ListUsers { after, limit } => {
                let users = self.auth.users(&after, limit.min(USERS_PAGE_MAX)).await?;
                Ok(Answer::Users { users: users.into_iter().map(entry).collect() })
            }
            Order::SetPassword { name, password } => {
                self.auth.set_password(&name, &password).await?;
                Ok(Answer::Done {})
            }
            Order::DisableUser { name, disabled } => {
                self.auth.set_disabled(&name, disabled).await?;
                Ok(Answer::Done {})
            }
            Order::Invite(asked) => Ok(Answer::Invited(self.auth.make_invite(None, asked).await?)),
            Order::Token { name, label } => self.token(&name, label).await,
            Order::RotateKeys {} => Ok(Answer::Key { kid: self.auth.rotate_keys().await? }),
            Order::ListRooms {} => Ok(Answer::Rooms { rooms: self.rooms().await? }),
            Order::Import(batch) => {
                let importer = Importer { auth: &self.auth, node: &self.node, records: &*self.records };
                Ok(Answer::Imported(importer.import(batch).await?))
            }
            Order::Export { room, after } => Ok(Answer::Exported(self.page(room, after).await?)),
            Order::ExportSaid { room, after } => {
                let page = self.page(room, after).await?;
                let mut names = HashMap::new();
                for user in said::people(&page) {
                    names.extend(self.auth.user(user).await?.map(|found| (user, found.name)));
                }
                Ok(Answer::Said { lines: said::lines(&page, &names), to: page.to, head: page.head })
            }
            Order::CreateRoom { owner, kind, settings, members } => self.create_room(&owner, kind, settings, members).await,
            Order::Backup { to } => backed_up(&self.backup, to).await,
            Order::SetLogLevel { level } => set_log_level(&level),
            Order::Cluster(order) => match &self.group {
                Some((member, alone)) => Ok(Answer::Cluster(order::carry_out(member, *alone, order).await?)),
                None => Err(Refused::new(ErrorCode::BadRequest, "no node runs on this data: the group is asked through one that runs")),
            },
        }
    }
}

impl Desk {
    async fn page(&self, room: RoomId, after: u64) -> Result<rest::Page, Refused> {
        self.node.export(room, after, EXPORT_PAGE).await.map_err(|code| Refused::new(code, code.sentence()))
    }

    async fn token(&self, name: &str, label: String) -> Result<Answer, Refused> {
        let user = self.person(name).await?;
        let origin = Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), device: DeviceId(Uuid::now_v7()), label };
        let signed_in = self.auth.start_login(user, origin).await?;
        let (access, refresh) = (signed_in.access, signed_in.refresh);
        Ok(Answer::Token { user, access, expires_in_s: auth::ACCESS_S, refresh })
    }

    async fn create_room(&self, owner: &str, kind: RoomKind, settings: RoomSettings, names: Vec<String>) -> Result<Answer, Refused> {
        let owner = self.person(owner).await?;
        let mut members = Vec::with_capacity(names.len());
        for name in &names {
            members.push(self.person(name).await?);
        }
        let room = match (kind, members.first()) {
            (RoomKind::Direct, Some(other)) => RoomId::direct(owner, *other),
            _ => RoomId(Uuid::now_v7()),
        };
        let order = client::Order { id: 0, room, cmid: Cmid(Uuid::now_v7()), after: 0, prev: None };
        let (answer, answered) = oneshot::channel();
        let act = client::Act::Create { kind, settings, members };
        self.node.command(Command { user: owner, order, act, reply: Reply::Once(answer) });
        match answered.await {
            Ok(Ok(landed)) => Ok(Answer::Room { room: landed.room }),
            Ok(Err(refusal)) => Err(Refused::new(refusal.code, refusal.message)),
            Err(_) => Err(Refused::new(ErrorCode::Unavailable, ErrorCode::Unavailable.sentence())),
        }
    }

    async fn person(&self, name: &str) -> Result<UserId, Refused> {
        let user = self.auth.user_named(name).await?;
        user.map(|user| user.id).ok_or_else(|| Refused::new(ErrorCode::NotFound, format!("there is no user named \"{name}\"")))
    }

    /// From the projections, which may lag a moment behind what was just said.
    async fn rooms(&self) -> Result<Vec<RoomEntry>, Refused> {
        let mut rooms = Vec::new();
        for slot in (0..self.slots).map(SlotId) {
            let mut from = bytes::Bytes::new();
            loop {
                let page = Range::all(RoomHead::key_of(slot, schema::RoomId::default()), ROOMS_PAGE).from(from);
                let heads = self.records.list::<RoomHead>(page).await?;
                for (head, _) in &heads {
                    rooms.extend(self.room(*head).await?);
                }
                match heads.last() {
                    Some((last, _)) if heads.len() == ROOMS_PAGE => from = [last.room.as_bytes(), &[0][..]].concat().into(),
                    _ => break,
                }
            }
        }
        Ok(rooms)
    }

    async fn room(&self, head: RoomHead) -> Result<Option<RoomEntry>, Refused> {
        let row = self.records.fetch::<RoomRow>(RoomRow::key_of(head.room)).await?;
        let size = self.records.fetch::<RoomSize>(RoomSize::key_of(head.room)).await?;
        let settings = self.records.fetch::<SettingsRow>(SettingsRow::key_of(head.room)).await?;
        let members = size.map_or(0, |(size, _)| size.members);
        let name = settings.map_or_else(String::new, |(row, _)| row.settings.name);
        Ok(row.map(|(row, _)| RoomEntry { room: row.room, kind: row.kind, name, messages: head.ordinal, members, at: head.at }))
    }
}

fn entry(user: schema::record::User) -> UserEntry {
    let schema::record::User { id, name, display, admin, created_at, last_seen: _ } = user;
    UserEntry { id, name, display, admin, created_at }
}
