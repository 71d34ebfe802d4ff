//! Pure. Which pages may open a socket: an exact list, no patterns, no suffixes (attack: a page of another site uses a
//! visitor's cookies or network place).

/// Origins as browsers write them: `https://chat.example.com`, with a port unless it is the scheme's own.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Errors: the entry that is no origin.
    pub fn new(allowed: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let parsed = allowed.into_iter().map(|entry| normal(&entry).ok_or(entry)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(parsed.into_iter().map(|(scheme, host)| format!("{scheme}://{host}")).collect()))
    }

    /// `origin`: every `Origin` header of the request; `host`: its `Host`. None at all is not a browser. The page's own
    /// host is always allowed; whether it came by TLS may be known only to a proxy before us, so its scheme is not compared.
    pub fn allow<'a>(&self, mut origin: impl Iterator<Item = &'a [u8]>, host: Option<&str>) -> bool {
        let Some(first) = origin.next() else { return true };
        if origin.next().is_some() {
            return false;
        }
        let Some((scheme, authority)) = std::str::from_utf8(first).ok().and_then(normal) else { return false };
        let own = host.and_then(|host| without_default_port(scheme, &host.to_ascii_lowercase()));
        own.as_deref() == Some(authority.as_str()) || self.0.contains(&format!("{scheme}://{authority}"))
    }
}

/// Scheme and authority, lower case, without the scheme's own port; `null`, paths, user names and other schemes are none.
fn normal(origin: &str) -> Option<(&'static str, String)> {
    let lower = origin.to_ascii_lowercase();
    let (scheme, authority) = lower.split_once("://")?;
    let scheme = *["http", "https"].iter().find(|known| **known == scheme)?;
    Some((scheme, without_default_port(scheme, authority)?))
}

fn without_default_port(scheme: &str, authority: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(is_plain) {
        return None;
    }
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    Some(authority.strip_suffix(own_port).unwrap_or(authority).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(origin: &[&str], host: &str, allowed: bool) {
        let origins = Origins::new(["https://Chat.example.com:443".to_owned(), "http://localhost:5173".to_owned()]).unwrap();
        let headers = origin.iter().map(|text| text.as_bytes());
        assert_eq!(origins.allow(headers, Some(host)), allowed, "{origin:?} at {host}");
    }

    #[test]
    fn only_the_exact_origin_and_the_own_host_may_open_a_socket() {
        check(&[], "example.com", true);
        check(&["https://chat.example.com"], "10.0.0.1:8080", true);
        check(&["https://CHAT.example.com"], "10.0.0.1:8080", true);
        check(&["http://chat.example.com"], "10.0.0.1:8080", false);
        check(&["https://chat.example.com:444"], "10.0.0.1:8080", false);
        check(&["https://evil-chat.example.com"], "10.0.0.1:8080", false);
        check(&["https://chat.example.com.evil.net"], "10.0.0.1:8080", false);
        check(&["https://evil.net#chat.example.com"], "10.0.0.1:8080", false);
        check(&["https://chat.example.com@evil.net"], "10.0.0.1:8080", false);
        check(&["https://chat.example.com/"], "10.0.0.1:8080", false);
        check(&["null"], "null", false);
        check(&["file://"], "", false);
        check(&[""], "", false);
        check(&["https://chat.example.com", "https://chat.example.com"], "10.0.0.1:8080", false);
        check(&["http://localhost:5173"], "localhost:8080", true);
        check(&["http://127.0.0.1:8080"], "127.0.0.1:8080", true);
        check(&["https://hub.example.org"], "hub.example.org", true);
        check(&["https://hub.example.org"], "hub.example.org:443", true);
        check(&["http://hub.example.org"], "hub.example.org:8080", false);
        check(&["http://[::1]:8080"], "[::1]:8080", true);
    }

    #[test]
    fn an_entry_that_is_no_origin_is_named() {
        assert_eq!(Origins::new(["example.com".to_owned()]).unwrap_err(), "example.com");
        assert_eq!(Origins::new(["https://*.example.com".to_owned()]).unwrap_err(), "https://*.example.com");
    }
}
