//! Invitations to sign up: codes that so many people may use for so long. A code is shown once and kept as its hash; a
//! wrong one, one that is over and one that is used up look and last the same.

use schema::record::Invite;
use schema::{InviteId, UserId, rest};
use store::{Expect, Put, Range, RecordsExt};

use super::{Auth, Error, clean_label, secret};

/// That can still be used.
const INVITES_MAX: usize = 1_000;
const USES_MAX: u32 = 1_000;
const DAYS_MAX: u32 = 365;
const DAY_MS: u64 = 24 * 3600 * 1000;
const PREFIX: &str = "hi_";
/// How often a write is tried again after another got in between.
const TRIES: usize = 16;
const REFUSED: Error = Error::Forbidden("sign-up needs an invitation, and this is none that is good: ask for another");

impl Auth {
    /// `by`: an administrator; none: an operator. Errors: `Rule`.
    pub async fn make_invite(&self, by: Option<UserId>, asked: rest::MakeInvite) -> Result<rest::MadeInvite, Error> {
        let rest::MakeInvite { uses, days, note } = asked;
        if !(1..=USES_MAX).contains(&uses) {
            return Err(Error::Rule(format!("field `uses`: it is 1 to {USES_MAX}")));
        }
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(Error::Rule(format!("field `days`: it is 1 to {DAYS_MAX}")));
        }
        if self.living_invites().await?.len() >= INVITES_MAX {
            return Err(Error::Rule(format!("there are {INVITES_MAX} invitations: take some back first")));
        }
        let code = format!("{PREFIX}{}", secret::make()?);
        let (code_hash, created_at) = (secret::hash(&code), self.now());
        let (id, expires_at) = (id_of(&code_hash), created_at + u64::from(days) * DAY_MS);
        let note = clean_label(&note);
        let invite = Invite { id, code_hash, note, made_by: by, created_at, expires_at, uses: 0, uses_max: uses };
        match self.put(&invite, Expect::Absent).await? {
            Put::Done { .. } => Ok(rest::MadeInvite { code, invite: entry(invite) }),
            Put::Conflict { .. } => Err(Error::Again),
        }
    }

    /// Those that can still be used.
    pub async fn invites(&self) -> Result<rest::Invites, Error> {
        Ok(rest::Invites { invites: self.living_invites().await?.into_iter().map(entry).collect() })
    }

    /// Errors: `NotFound`.
    pub async fn take_back_invite(&self, id: InviteId) -> Result<(), Error> {
        match self.records().get(Invite::key_of(id)).await? {
            Some(_) => Ok(self.records().delete(Invite::key_of(id)).await?),
            None => Err(Error::NotFound),
        }
    }

    /// Counts one use. Errors: `Forbidden`.
    pub(super) async fn use_invite(&self, code: Option<&str>) -> Result<InviteId, Error> {
        let code_hash = secret::hash(code.unwrap_or_default());
        let id = id_of(&code_hash);
        for _ in 0..TRIES {
            let found = self.records().fetch::<Invite>(Invite::key_of(id)).await?;
            let (invite, version) = found.ok_or(REFUSED)?;
            if invite.code_hash != code_hash || self.now() > invite.expires_at || invite.uses >= invite.uses_max {
                return Err(REFUSED);
            }
            let used = Invite { uses: invite.uses + 1, ..invite };
            if let Put::Done { .. } = self.put(&used, Expect::Version(version)).await? {
                return Ok(id);
            }
        }
        Err(Error::Again)
    }

    /// A sign-up did not come about: the use may be had again. A crash before this costs a use.
    pub(super) async fn give_back_invite(&self, id: InviteId) -> Result<(), Error> {
        for _ in 0..TRIES {
            let Some((invite, version)) = self.records().fetch::<Invite>(Invite::key_of(id)).await? else { return Ok(()) };
            let unused = Invite { uses: invite.uses.saturating_sub(1), ..invite };
            if let Put::Done { .. } = self.put(&unused, Expect::Version(version)).await? {
                break;
            }
        }
        Ok(())
    }

    /// Clears away those that are over.
    async fn living_invites(&self) -> Result<Vec<Invite>, Error> {
        let now = self.now();
        let rows = self.records().list::<Invite>(Range::all(Invite::partition(), 2 * INVITES_MAX)).await?;
        let (living, over): (Vec<_>, Vec<_>) =
            rows.into_iter().map(|(invite, _)| invite).partition(|invite| now <= invite.expires_at && invite.uses < invite.uses_max);
        for invite in over {
            self.records().delete(Invite::key_of(invite.id)).await?;
        }
        Ok(living)
    }
}

fn id_of(code_hash: &[u8; 32]) -> InviteId {
    let mut id = [0; 16];
    id.copy_from_slice(&code_hash[..16]);
    InviteId::from_bytes(id)
}

fn entry(invite: Invite) -> rest::InviteEntry {
    let Invite { id, note, created_at, expires_at, uses, uses_max, .. } = invite;
    rest::InviteEntry { id, note, created_at, expires_at, uses, uses_max }
}
