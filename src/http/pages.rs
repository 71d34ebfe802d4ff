//! The web client's files, from a directory. Names that carry a hash never change and are kept for ever; the rest is asked
//! for again each time. A path without a file is a place in the client: it gets the first page.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schema::ErrorCode;

use super::{Http, Problem};

const INDEX: &str = "index.html";
/// What the bundler puts its hashed files in.
const HASHED: &str = "assets";
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

pub struct Pages(Option<PathBuf>);

impl Pages {
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self(directory)
    }
}

pub async fn serve(State(http): State<Http>, request: Request) -> Response {
    let path = request.uri().path();
    let missing = || Problem::new(ErrorCode::NotFound, "there is nothing at this address").into_response();
    let Some(directory) = &http.0.pages.0 else { return missing() };
    if path.starts_with("/v1/") || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return missing();
    }
    let Some(inside) = inside(path) else { return missing() };
    let file = if inside.as_os_str().is_empty() { directory.join(INDEX) } else { directory.join(&inside) };
    let found = match File::open(&file).await {
        Ok(found) => Some(found),
        // A file that is missing is missing; only a place without a suffix is the client's.
        Err(_) if inside.extension().is_none() => File::open(&directory.join(INDEX)).await.ok(),
        Err(_) => None,
    };
    match found {
        Some(file) => file.answer(request.headers(), inside.starts_with(HASHED)).await.unwrap_or_else(|_| missing()),
        None => missing(),
    }
}

/// The path below the directory; none for one that could lead out of it or to a hidden file.
fn inside(path: &str) -> Option<PathBuf> {
    let decoded = percent_decode(path.strip_prefix('/')?)?;
    let inside = PathBuf::from(decoded);
    let harmless = inside.components().all(|component| match component {
        Component::Normal(name) => name.to_str().is_some_and(|name| !name.starts_with('.') && !name.contains(['\\', '\0'])),
        _ => false,
    });
    harmless.then_some(inside)
}

fn percent_decode(text: &str) -> Option<String> {
    let (bytes, mut decoded, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while at < bytes.len() {
        if bytes[at] == b'%' {
            let digits = text.get(at + 1..at + 3)?;
            decoded.push(u8::from_str_radix(digits, 16).ok()?);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

struct File {
    path: PathBuf,
    tag: String,
}

impl File {
    async fn open(path: &Path) -> io::Result<Self> {
        let metadata = tokio::fs::metadata(path).await?;
        if !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
            return Err(io::ErrorKind::NotFound.into());
        }
        let changed = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Ok(Self { path: path.to_owned(), tag: format!("\"{changed:x}-{:x}\"", metadata.len()) })
    }

    async fn answer(self, asked: &HeaderMap, is_hashed: bool) -> io::Result<Response> {
        let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == self.tag.as_bytes());
        let mut response = match is_known {
            true => StatusCode::NOT_MODIFIED.into_response(),
            false => tokio::fs::read(&self.path).await?.into_response(),
        };
        let caching = if is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&self.path)));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.extend(HeaderValue::from_str(&self.tag).map(|tag| (header::ETAG, tag)));
        Ok(response)
    }
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "jpg" | "jpeg" => "image/jpeg",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_lead_out_of_the_directory_or_to_a_hidden_file() {
        for path in [
            "/../secret",
            "/a/../../b",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "//etc/passwd",
            "/%2fetc/passwd",
            "/.env",
            "/a/.git/config",
            "/a\\..\\b",
            "/%00",
            "/%",
            "/%zz",
            "/%ff",
            "nothing",
        ] {
            assert_eq!(inside(path), None, "{path}");
        }
        assert_eq!(inside("/"), Some(PathBuf::new()));
        assert_eq!(inside("/assets/a%20b.js"), Some("assets/a b.js".into()));
    }
}
