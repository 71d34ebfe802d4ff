//! Many accounts at once, without passwords: for a directory that is brought along, for tests and load runs. Nobody signs
//! in to such an account with a password before an operator has set one.
//!
//! Some are made side by side, so that their rows share the store's fsyncs. Does not read files: that is the command line's.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use schema::{DeviceId, ErrorCode};
use uuid::Uuid;

use super::order::{NewPerson, PEOPLE_MAX, PersonEntry, SignedInEntry};
use super::{Answer, Refused};
use crate::auth::{self, Auth, Origin, check_display, check_username};

/// Made side by side.
const PARALLEL: usize = 128;

/// Errors: nothing was done if a name breaks a rule or there are too many; else what was done stays, and may be asked for again.
pub async fn ensure(auth: &Auth, people: Vec<NewPerson>, sign_in_as: Option<String>) -> Result<Answer, Refused> {
    if people.len() > PEOPLE_MAX {
        return Err(Refused::new(ErrorCode::TooLong, format!("one order names at most {PEOPLE_MAX} people: send more orders")));
    }
    for person in &people {
        let checked = check_username(&person.name).and_then(|()| check_display(&person.display).map(drop));
        checked.map_err(|error| Refused::new(error.code(), format!("\"{}\": {error}", person.name.escape_debug())))?;
    }
    let label = sign_in_as.as_deref();
    let entries = stream::iter(people).map(|person| ensure_one(auth, person, label)).buffered(PARALLEL);
    Ok(Answer::People { people: entries.try_collect().await? })
}

async fn ensure_one(auth: &Auth, person: NewPerson, label: Option<&str>) -> Result<PersonEntry, auth::Error> {
    let (user, made) = auth.ensure_user(&person.name, &person.display).await?;
    let mut signed_in = None;
    if let Some(label) = label {
        let device = DeviceId(Uuid::now_v7());
        let origin = Origin { address: IpAddr::V4(Ipv4Addr::LOCALHOST), device, label: label.to_owned() };
        let auth::SignedIn { identity, access, refresh } = auth.start_login(user.id, origin).await?;
        signed_in = Some(SignedInEntry { device, login: identity.login, access, expires_in_s: auth::ACCESS_S, refresh });
    }
    Ok(PersonEntry { id: user.id, name: user.name, made, signed_in })
}
