//! Access tokens: JWT (RFC 7519, profile RFC 9068), EdDSA only, ten minutes. A token is read with the key its `kid` names
//! in a fixed map and by the rules of that key's family, whatever its header says.
//! Does not know revocation.

use std::collections::HashMap;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use schema::record::SigningKey;
use schema::{DeviceId, ErrorCode, LoginId, UserId};
use serde::{Deserialize, Serialize};

use super::verified::Verified;
use super::{Error, Identity};

pub const LIFE_S: u64 = 600;
pub const LEEWAY_S: u64 = 5;
/// How long a token that is made now may be taken, with a second for the rounding.
pub const LAST_MS: u64 = (LIFE_S + LEEWAY_S + 1) * 1000;
pub const AUDIENCE: &str = "hubbub";
/// RFC 9068, 2.1: nothing else we ever sign can pass for an access token.
const TYPE: &str = "at+jwt";
const BYTES_MAX: usize = 2048;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub sub: UserId,
    pub login: LoginId,
    pub device: DeviceId,
    pub iss: String,
    pub aud: String,
    pub iat: u64,
    pub nbf: u64,
    pub exp: u64,
}

/// The keys at one moment; replaced whole when one is made or dropped.
pub struct Keyring {
    kid: String,
    signing: EncodingKey,
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
    issuer: String,
}

impl Keyring {
    /// The newest key that is not retired signs, all verify. Errors: `Broken` if there is none or one cannot be read.
    pub fn new(keys: &[SigningKey], issuer: &str) -> Result<Self, Error> {
        let newest = keys.iter().filter(|key| key.retired_at.is_none()).max_by_key(|key| (key.created_at, &key.kid));
        let newest = newest.ok_or(Error::Broken("there is no key to sign with"))?;
        let mut verifying = HashMap::new();
        for key in keys {
            let pair = Ed25519KeyPair::from_pkcs8(&key.pkcs8).map_err(|_| Error::Broken("a signing key cannot be read"))?;
            verifying.insert(key.kid.clone(), DecodingKey::from_ed_der(pair.public_key().as_ref()));
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "sub", "iss", "aud"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY_S;
        let signing = EncodingKey::from_ed_der(&newest.pkcs8);
        Ok(Self { kid: newest.kid.clone(), signing, verifying, validation, issuer: issuer.to_owned() })
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// `now`: milliseconds.
    pub fn sign(&self, identity: Identity, now: u64) -> Result<String, Error> {
        let iat = now / 1000;
        let Identity { user: sub, login, device } = identity;
        let (iss, aud) = (self.issuer.clone(), AUDIENCE.to_owned());
        self.encode(&Claims { sub, login, device, iss, aud, iat, nbf: iat, exp: iat + LIFE_S })
    }

    pub(super) fn encode(&self, claims: &impl Serialize) -> Result<String, Error> {
        let header = Header { typ: Some(TYPE.into()), kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &self.signing).map_err(|_| Error::Broken("a token could not be signed"))
    }

    /// A token that is among the verified ones has a signature of ours and claims that are whole: only its time may be over, and
    /// its key dropped. `now`: milliseconds. Errors: `TokenExpired`, else `Unauthenticated`.
    pub fn read(&self, token: &str, verified: &Verified, now: u64) -> Result<Claims, ErrorCode> {
        let refused = ErrorCode::Unauthenticated;
        if token.len() > BYTES_MAX {
            return Err(refused);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(refused);
        }
        let key = header.kid.and_then(|kid| self.verifying.get(&kid)).ok_or(refused)?;
        if verified.has(token) {
            let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).map_err(|_| refused)?;
            let now_s = now / 1000;
            let is_alive = claims.exp >= now_s.saturating_sub(LEEWAY_S) && claims.nbf <= now_s + LEEWAY_S;
            return if is_alive { Ok(claims) } else { Err(ErrorCode::TokenExpired) };
        }
        metrics::counter!("hubbub_auth_signatures_verified_total").increment(1);
        match jsonwebtoken::decode::<Claims>(token, key, &self.validation) {
            Ok(data) => {
                verified.add(token);
                Ok(data.claims)
            }
            // "Not yet valid" and ours: the clock was set back since. A refresh mends both.
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature) => {
                Err(ErrorCode::TokenExpired)
            }
            Err(_) => Err(refused),
        }
    }
}

/// A new key; `now` in milliseconds.
pub fn make_key(now: u64) -> Result<SigningKey, Error> {
    let broken = |_| Error::Broken("a signing key could not be made");
    let mut kid = [0; 8];
    aws_lc_rs::rand::fill(&mut kid).map_err(broken)?;
    let pkcs8 = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8()).map_err(broken)?;
    let kid = kid.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(SigningKey { kid, pkcs8: pkcs8.as_ref().to_vec(), created_at: now, retired_at: None })
}
