//! What is said at the door to who may not come in: `application/problem+json` (RFC 9457), with a delay if it is worth
//! trying again, never the same for everybody.

use axum::body::Body;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use schema::ErrorCode;
use schema::rest::Problem;
use tokio::net::TcpStream;

fn retry_after_s() -> u32 {
    rand::random_range(1..=5)
}

fn problem_json(code: ErrorCode, detail: Option<&str>) -> bytes::Bytes {
    schema::wire::to_json(&Problem {
        r#type: format!("urn:hubbub:error:{}", code.text()),
        title: code.sentence().to_owned(),
        status: code.http_status(),
        code: code.text().to_owned(),
        number: code.number(),
        detail: detail.unwrap_or(code.sentence()).to_owned(),
        temporary: code.is_temporary(),
        request: None,
    })
}

/// `detail`: what is wrong with this very request.
pub fn problem(code: ErrorCode, detail: Option<&str>) -> Response<Body> {
    let mut response = Response::new(Body::from(problem_json(code, detail)));
    *response.status_mut() = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if code.is_temporary() {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_s()));
    }
    response
}

/// 503 to a connection of which nothing was read: as much as the kernel takes at once, and no more is spent on it.
pub fn turned_away(socket: TcpStream) {
    let body = problem_json(ErrorCode::TooManyConnections, None);
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        retry_after_s(),
        body.len()
    );
    // A fresh socket takes this much; one that does not is closed without a word.
    drop(socket.try_write(&[head.as_bytes(), &body].concat()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_names_an_error_as_rest_does() {
        let said: serde_json::Value = serde_json::from_slice(&problem_json(ErrorCode::Forbidden, None)).unwrap();
        assert_eq!(said["type"], "urn:hubbub:error:forbidden");
    }
}
