//! Pure. Who is in a room, with which role, and since which event.

use std::collections::HashMap;

use schema::{Event, EventBody, Role, UserId};

#[derive(Clone, Debug, Default)]
pub struct Members {
    /// The seq is that of the event that said so; a row never goes back to an older one.
    rows: HashMap<UserId, (Option<Role>, u64)>,
    present: u32,
    owners: u32,
}

impl Members {
    pub fn role(&self, user: UserId) -> Option<Role> {
        self.rows.get(&user).and_then(|(role, _)| *role)
    }
    pub fn count(&self) -> u32 {
        self.present
    }
    pub fn owners(&self) -> u32 {
        self.owners
    }
    pub fn iter(&self) -> impl Iterator<Item = (UserId, Role)> + '_ {
        self.rows.iter().filter_map(|(user, (role, _))| role.map(|role| (*user, role)))
    }

    pub fn set(&mut self, user: UserId, role: Option<Role>, seq: u64) {
        let before = self.rows.get(&user).copied();
        if before.is_some_and(|(_, known)| known > seq) {
            return;
        }
        let before = before.and_then(|(role, _)| role);
        self.present = self.present + u32::from(role.is_some()) - u32::from(before.is_some());
        self.owners = self.owners + u32::from(role == Some(Role::Owner)) - u32::from(before == Some(Role::Owner));
        self.rows.insert(user, (role, seq));
    }

    pub fn apply(&mut self, event: &Event) {
        match &event.body {
            EventBody::Created { members, .. } => members.iter().for_each(|m| self.set(m.user, Some(m.role), event.seq)),
            EventBody::Member { user, role, .. } => self.set(*user, *role, event.seq),
            _ => {}
        }
    }

    /// Those who left need not be remembered once nothing older can come any more.
    pub fn forget_gone(&mut self) {
        self.rows.retain(|_, (role, _)| role.is_some());
    }
}
