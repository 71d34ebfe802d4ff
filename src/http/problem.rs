//! Errors as `application/problem+json` (RFC 9457), with the codes of the one table. A refusal travels as an extension of
//! an empty response; `guard` writes it out, because it knows the request's id.

use actors::error::Refused;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use schema::server::Refusal;
use schema::{ErrorCode, rest};

use crate::auth;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: ErrorCode,
    /// One sentence.
    pub detail: String,
    pub retry_after_ms: Option<u32>,
}

impl Problem {
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after_ms: None }
    }
    pub fn after_ms(self, ms: u32) -> Self {
        Self { retry_after_ms: Some(ms), ..self }
    }

    /// `status`: the code's, unless HTTP has a more exact one.
    pub fn write(self, status: StatusCode, request: String) -> axum::response::Response {
        let Self { code, detail, retry_after_ms } = self;
        let body = rest::Problem {
            r#type: format!("urn:hubbub:error:{}", code.text()),
            title: code.sentence().to_owned(),
            status: status.as_u16(),
            code: code.text().to_owned(),
            number: code.number(),
            detail,
            temporary: code.is_temporary(),
            request: Some(request),
        };
        let mut response = Response::new(axum::body::Body::from(schema::wire::to_json(&body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if code.is_temporary() {
            let seconds = retry_after_ms.unwrap_or(1000).div_ceil(1000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            if code == ErrorCode::RateLimited {
                let limit = HeaderValue::from_str(&format!("\"user\";r=0;t={seconds}"));
                headers.extend(limit.map(|limit| (header::HeaderName::from_static("ratelimit"), limit)));
            }
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

pub fn status_of(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let mut response = status_of(self.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        Self::new(code, code.sentence())
    }
}

impl From<Refused> for Problem {
    fn from(Refused { code, why }: Refused) -> Self {
        Self::new(code, why)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { id: _, code, message, retry_after_ms } = refusal;
        Self { code, detail: message, retry_after_ms }
    }
}

impl From<auth::Error> for Problem {
    fn from(error: auth::Error) -> Self {
        let (code, retry_after_ms) = (error.code(), error.retry_after_ms());
        if code == ErrorCode::Internal {
            tracing::error!(%error, "signing in failed");
            return code.into();
        }
        let detail = if let auth::Error::Store(_) = error { code.sentence().to_owned() } else { error.to_string() };
        Self { code, detail, retry_after_ms }
    }
}
