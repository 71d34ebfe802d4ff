//! Access tokens and tickets, and the ways to forge one (attack 4).

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hubbub::auth::Identity;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use schema::ErrorCode;
use schema::record::SigningKey;
use serde_json::{Value, json};
use store::{Range, RecordsExt};

use super::{Door, now_ms};

const REFUSED: Result<(), ErrorCode> = Err(ErrorCode::Unauthenticated);

/// What an attacker who knows everything but the right way could send.
struct Forge {
    door: Door,
    key: SigningKey,
    claims: Value,
}

impl Forge {
    async fn new() -> Self {
        let door = Door::new().await;
        let ada = door.sign_up("ada").await.unwrap();
        let keys = door.records.list::<SigningKey>(Range::all(SigningKey::partition(), 10)).await.unwrap();
        let payload = ada.access.split('.').nth(1).unwrap();
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        Self { door, key: keys[0].0.clone(), claims }
    }
    fn header(&self) -> Header {
        Header { typ: Some("at+jwt".into()), kid: Some(self.key.kid.clone()), ..Header::new(Algorithm::EdDSA) }
    }
    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(&self.key.pkcs8)).unwrap()
    }
    fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[claim] = value;
        self.sign(&self.header(), &claims)
    }
    fn check(&self, token: &str) -> Result<(), ErrorCode> {
        self.door.auth.check(token).map(drop)
    }
}

#[tokio::test]
async fn a_token_names_its_user_login_and_device_and_lives_ten_minutes() {
    let forge = Forge::new().await;
    assert_eq!(forge.check(&forge.sign(&forge.header(), &forge.claims)), Ok(()), "the forge works");
    let (iat, exp) = (forge.claims["iat"].as_u64().unwrap(), forge.claims["exp"].as_u64().unwrap());
    assert_eq!(exp - iat, 600);
    for claim in ["sub", "login", "device", "iss", "aud", "nbf"] {
        assert!(!forge.claims[claim].is_null(), "{claim}");
    }
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let forge = Forge::new().await;
    let claims = URL_SAFE_NO_PAD.encode(forge.claims.to_string());
    for alg in ["none", "None", "NONE", ""] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": forge.key.kid });
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        assert_eq!(forge.check(&format!("{header}.{claims}.")), REFUSED);
        assert_eq!(forge.check(&format!("{header}.{claims}")), REFUSED);
    }
    let token = forge.sign(&forge.header(), &forge.claims);
    let (signed, _) = token.rsplit_once('.').unwrap();
    assert_eq!(forge.check(&format!("{signed}.")), REFUSED);
}

#[tokio::test]
async fn a_token_signed_by_hmac_with_the_public_key_is_refused() {
    let forge = Forge::new().await;
    let pair = Ed25519KeyPair::from_pkcs8(&forge.key.pkcs8).unwrap();
    let public = pair.public_key().as_ref().to_vec();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", URL_SAFE_NO_PAD.encode(&public));
    for secret in [public, pem.into_bytes()] {
        let header = Header { alg: Algorithm::HS256, ..forge.header() };
        let token = jsonwebtoken::encode(&header, &forge.claims, &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(forge.check(&token), REFUSED);
    }
}

#[tokio::test]
async fn a_key_id_is_only_ever_looked_up_in_the_map() {
    let forge = Forge::new().await;
    let odd = ["../../../dev/null", "/etc/passwd", "' OR 1=1 --", "http://127.0.0.1/key", "", "\0", &"k".repeat(1500)];
    for kid in odd.into_iter().map(Some).chain([None]) {
        let header = Header { kid: kid.map(str::to_owned), ..forge.header() };
        assert_eq!(forge.check(&forge.sign(&header, &forge.claims)), REFUSED, "{kid:?}");
    }
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" });
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "jwk": jwk, "jku": "http://127.0.0.1/", "x5u": "http://127.0.0.1/" });
    let token = [header.to_string(), forge.claims.to_string(), "x".into()].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    assert_eq!(forge.check(&token), REFUSED);
}

#[tokio::test]
async fn times_that_are_not_numbers_are_refused() {
    let forge = Forge::new().await;
    let later = now_ms() / 1000 + 500;
    for claim in ["exp", "nbf", "iat"] {
        for value in [json!(later.to_string()), json!(null), json!([later]), json!(-1), json!({ "a": 1 }), json!(true)] {
            assert_eq!(forge.check(&forge.with(claim, value.clone())), REFUSED, "{claim}: {value}");
        }
    }
}

#[tokio::test]
async fn every_claim_must_be_there_and_be_ours() {
    let forge = Forge::new().await;
    for claim in ["exp", "nbf", "iat", "sub", "iss", "aud", "login", "device"] {
        let mut claims = forge.claims.clone();
        claims.as_object_mut().unwrap().remove(claim);
        assert_eq!(forge.check(&forge.sign(&forge.header(), &claims)), REFUSED, "without {claim}");
    }
    for (claim, value) in
        [("aud", json!("another")), ("aud", json!([])), ("iss", json!("another")), ("sub", json!("ada")), ("sub", json!("../x"))]
    {
        assert_eq!(forge.check(&forge.with(claim, value.clone())), REFUSED, "{claim}: {value}");
    }
}

#[tokio::test]
async fn a_token_out_of_its_time_asks_for_a_refresh() {
    let forge = Forge::new().await;
    assert_eq!(forge.check(&forge.with("nbf", json!(now_ms() / 1000 + 60))), Err(ErrorCode::TokenExpired));
    assert_eq!(forge.check(&forge.with("exp", json!(now_ms() / 1000 - 10))), Err(ErrorCode::TokenExpired));
}

#[tokio::test]
async fn nothing_else_we_hand_out_passes_for_an_access_token() {
    let forge = Forge::new().await;
    let bob = forge.door.sign_up("bob").await.unwrap();
    let ticket = forge.door.auth.ticket(bob.identity).unwrap();
    let other_type = Header { typ: Some("JWT".into()), ..forge.header() };
    let no_type = Header { typ: None, ..forge.header() };
    let odd = [bob.refresh, ticket, forge.sign(&other_type, &forge.claims), forge.sign(&no_type, &forge.claims)];
    for token in odd.iter().map(String::as_str).chain(["", ".", "..", "a.b.c", &"a".repeat(1 << 20)]) {
        assert_eq!(forge.check(token), REFUSED);
    }
    assert_eq!(forge.door.auth.check_ticket(&bob.access).err(), Some(ErrorCode::Unauthenticated));
}

#[tokio::test]
async fn a_changed_byte_anywhere_is_refused() {
    let forge = Forge::new().await;
    let token = forge.sign(&forge.header(), &forge.claims);
    for at in (0..token.len()).step_by(7) {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(forge.check(std::str::from_utf8(&bytes).unwrap()), REFUSED, "byte {at}");
    }
}

#[tokio::test]
async fn a_token_of_another_installation_is_refused() {
    let (forge, other) = (Forge::new().await, Forge::new().await);
    assert_eq!(forge.check(&other.sign(&other.header(), &other.claims)), REFUSED);
    let stolen_kid = Header { kid: forge.header().kid, ..other.header() };
    assert_eq!(forge.check(&other.sign(&stolen_kid, &forge.claims)), REFUSED);
}

#[tokio::test]
async fn rotated_keys_sign_anew_and_what_was_signed_goes_on_until_it_expires() {
    let door = Door::new().await;
    let ada = door.sign_up("ada").await.unwrap();
    let old = door.auth.kid();
    let new = door.auth.rotate_keys().await.unwrap();
    assert_ne!(old, new);
    assert_eq!(door.auth.kid(), new);
    assert_eq!(door.auth.check(&ada.access), Ok(ada.identity));
    let next = door.refresh(&ada.refresh).await.unwrap();
    assert_eq!(jsonwebtoken::decode_header(&next.access).unwrap().kid, Some(new.clone()));
    assert_eq!(door.restarted().await.kid(), new, "a restart makes no other");

    door.advance_ms(11 * 60 * 1000 + 6_000);
    door.auth.tidy().await.unwrap();
    assert_eq!(door.auth.check(&ada.access), Err(ErrorCode::Unauthenticated));
    let keys = door.records.list::<SigningKey>(Range::all(SigningKey::partition(), 10)).await.unwrap();
    assert_eq!(keys.into_iter().map(|(key, _)| key.kid).collect::<Vec<_>>(), [new]);
}

#[tokio::test]
async fn a_ticket_opens_one_door_once() {
    let door = Door::new().await;
    let ada = door.sign_up("ada").await.unwrap();
    let ticket = door.auth.ticket(ada.identity).unwrap();
    assert_eq!(door.auth.check_ticket(&ticket), Ok(ada.identity));
    assert_eq!(door.auth.check_ticket(&ticket), Err(ErrorCode::Unauthenticated));
    let late = door.auth.ticket(ada.identity).unwrap();
    door.advance_ms(30_001);
    assert_eq!(door.auth.check_ticket(&late), Err(ErrorCode::Unauthenticated));
}

/// What was verified once is not verified again; all else about it is looked at each time.
#[tokio::test]
async fn a_token_that_was_taken_before_is_refused_as_soon_as_anything_about_it_is_over() {
    let forge = Forge::new().await;
    let ada = forge.door.sign_up("bea").await.unwrap();
    let claims = ada.access.split('.').nth(1).unwrap();
    let (_, signature) = ada.access.rsplit_once('.').unwrap();
    let mut other: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    other["sub"] = forge.claims["sub"].clone();
    let header = ada.access.split('.').next().unwrap();
    let swapped = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(other.to_string()));
    assert_eq!(forge.check(&ada.access), Ok(()));
    assert_eq!(forge.check(&swapped), REFUSED, "the same signature under other claims");

    let Identity { user, login, .. } = ada.identity;
    forge.door.auth.revoke(user, login).await.unwrap();
    assert_eq!(forge.check(&ada.access), Err(ErrorCode::LoginRevoked));

    let token = forge.sign(&forge.header(), &forge.claims);
    assert_eq!(forge.check(&token), Ok(()));
    forge.door.advance_ms(604_000);
    assert_eq!(forge.check(&token), Ok(()), "within the leeway");
    forge.door.advance_ms(3_000);
    assert_eq!(forge.check(&token), Err(ErrorCode::TokenExpired));
    forge.door.auth.rotate_keys().await.unwrap();
    forge.door.advance_ms(70_000 + 604_000);
    forge.door.auth.tidy().await.unwrap();
    assert_eq!(forge.check(&token), REFUSED, "its key is no more");
}
