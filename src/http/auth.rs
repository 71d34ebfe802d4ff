//! `/v1/auth`: sign-up, log-in, refresh, log-out, password, ticket.
//!
//! The refresh token of a browser lives in a cookie; a client that says `Hubbub-Client: native` gets it in the body. It
//! comes back the way it came: what was sent as a cookie is never shown to a script.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{post, put};
use axum::{Json, Router};
use schema::rest::{ChangePassword, LogIn, Refresh, SignUp, Ticket, Tokens};
use schema::{DeviceId, ErrorCode};

use super::request::{Body, Caller, bearer};
use super::{Http, Peer, Problem, cookie};
use crate::auth::{ACCESS_S, Origin, SignedIn, TICKET_S};

pub fn routes() -> Router<Http> {
    Router::new()
        .route("/v1/auth/signup", post(sign_up))
        .route("/v1/auth/login", post(log_in))
        .route("/v1/auth/refresh", post(refresh))
        .route("/v1/auth/logout", post(log_out))
        .route("/v1/auth/password", put(change_password))
        .route("/v1/auth/ticket", post(ticket))
}

const CLIENT: HeaderName = HeaderName::from_static("hubbub-client");

/// How the request came, as far as signing in cares.
struct Way {
    peer: Peer,
    is_native: bool,
    is_page_of_ours: bool,
    headers: HeaderMap,
}

impl FromRequestParts<Http> for Way {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, http: &Http) -> Result<Self, Problem> {
        let (peer, headers) = (Peer::of(parts, http), parts.headers.clone());
        let is_native = headers.get(CLIENT).is_some_and(|client| client == "native");
        let is_page_of_ours = headers.contains_key(header::ORIGIN) && http.allows(&headers);
        Ok(Self { peer, is_native, is_page_of_ours, headers })
    }
}

impl Way {
    fn origin(&self, device: DeviceId, label: String) -> Origin {
        Origin { address: self.peer.address, device, label }
    }

    /// The cookie counts only when a page of ours sent it: browsers say which page did, and no page can lie about it.
    fn cookie(&self) -> Result<Option<&str>, Problem> {
        match cookie::read(&self.headers, self.peer) {
            Some(_) if !self.is_page_of_ours => {
                Err(Problem::new(ErrorCode::Forbidden, "the cookie counts only with an Origin of this node"))
            }
            token => Ok(token),
        }
    }
}

async fn sign_up(State(http): State<Http>, way: Way, Body(body): Body<SignUp>) -> Result<Response, Problem> {
    let origin = way.origin(body.device, body.label.clone());
    let signed_in = http.0.auth.sign_up(body, origin).await?;
    Ok(tokens(&http, &way, signed_in, !way.is_native))
}

async fn log_in(State(http): State<Http>, way: Way, Body(body): Body<LogIn>) -> Result<Response, Problem> {
    let LogIn { name, password, device, label } = body;
    let signed_in = http.0.auth.log_in(&name, &password, way.origin(device, label)).await?;
    Ok(tokens(&http, &way, signed_in, !way.is_native))
}

async fn refresh(State(http): State<Http>, way: Way, Body(body): Body<Refresh>) -> Result<Response, Problem> {
    let (token, by_cookie) = match &body.refresh {
        Some(token) => (token.as_str(), false),
        None => (way.cookie()?.ok_or(ErrorCode::Unauthenticated)?, true),
    };
    match http.0.auth.refresh(token, way.peer.address, body.device).await {
        Ok(signed_in) => Ok(tokens(&http, &way, signed_in, by_cookie)),
        Err(error) => {
            let over = matches!(error.code(), ErrorCode::Unauthenticated | ErrorCode::LoginRevoked);
            let mut response = Problem::from(error).into_response();
            if over && by_cookie {
                response.headers_mut().extend(cookie::forget(way.peer).map(|cookie| (header::SET_COOKIE, cookie)));
            }
            Ok(response)
        }
    }
}

/// By the access token, or by the refresh token alone, when the access token has expired.
async fn log_out(State(http): State<Http>, way: Way, Body(body): Body<Refresh>) -> Result<Response, Problem> {
    let caller = bearer(&way.headers).map(|token| http.0.auth.check(token));
    match (caller, body.refresh.as_deref()) {
        (Some(Ok(identity)), _) => http.0.auth.log_out(identity).await?,
        (_, Some(token)) => http.0.auth.log_out_by_refresh(token).await?,
        (caller, None) => match (way.cookie()?, caller) {
            (Some(token), _) => http.0.auth.log_out_by_refresh(token).await?,
            (None, Some(Err(code))) => return Err(code.into()),
            (None, _) => return Err(ErrorCode::Unauthenticated.into()),
        },
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().extend(cookie::forget(way.peer).map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(response)
}

async fn change_password(State(http): State<Http>, Caller(who): Caller, Body(body): Body<ChangePassword>) -> Result<StatusCode, Problem> {
    http.0.auth.change_password(who, &body.old, &body.new).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn ticket(State(http): State<Http>, Caller(who): Caller) -> Result<Json<Ticket>, Problem> {
    Ok(Json(Ticket { ticket: http.0.auth.ticket(who)?, expires_in_s: TICKET_S }))
}

fn tokens(http: &Http, way: &Way, signed_in: SignedIn, as_cookie: bool) -> Response {
    let SignedIn { identity, access, refresh } = signed_in;
    let cookie: Option<HeaderValue> = if as_cookie { cookie::keep(&refresh, http.0.config.refresh_days, way.peer) } else { None };
    let tokens = Tokens {
        user: identity.user,
        login: identity.login,
        access,
        expires_in_s: u32::try_from(ACCESS_S).unwrap_or(u32::MAX),
        refresh: (!as_cookie).then_some(refresh),
    };
    let mut response = Json(tokens).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}
