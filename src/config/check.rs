//! Pure. Settings that read well and make no sense: the key, and a sentence that says what to do.

use super::{Backend, Config};

type Problem = (String, String);

const MIB: u64 = 1 << 20;
/// Of `edge.nodes`.
const NODES_MAX: usize = 64;

impl Config {
    /// The first problem.
    pub fn check(&self) -> Result<(), Problem> {
        let listen = &self.listen;
        refuse(
            listen.tls_cert.as_os_str().is_empty() != listen.tls_key.as_os_str().is_empty(),
            "listen.tls_cert",
            "TLS needs both listen.tls_cert and listen.tls_key, or neither",
        )?;
        refuse(
            listen.http == listen.admin && listen.http.port() != 0,
            "listen.admin",
            "clients and operators cannot share one address: give the admin port another",
        )?;
        refuse(self.node.data_dir.as_os_str().is_empty(), "node.data_dir", "name a directory for the data")?;
        self.cluster.listen().map_err(|problem| ("cluster.listen".to_owned(), problem))?;
        for (key, origins) in [("edge.origins", &self.edge.origins), ("edge.nodes", &self.edge.nodes)] {
            origins.iter().try_for_each(|origin| check_origin(origin).map_err(|problem| (key.to_owned(), problem)))?;
        }
        refuse(self.edge.nodes.len() > NODES_MAX, "edge.nodes", "name at most 64: they go out with each sign-on")?;
        self.check_auth()?;
        self.check_store()?;
        self.check_data()?;
        self.check_limits()
    }

    fn check_auth(&self) -> Result<(), Problem> {
        let auth = &self.auth;
        refuse(auth.issuer.is_empty(), "auth.issuer", "it cannot be empty: tokens name who issued them")?;
        for (key, value) in [
            ("auth.refresh_days", u64::from(auth.refresh_days)),
            ("auth.logins_per_user_max", auth.logins_per_user_max as u64),
            ("auth.wrong_per_account_burst", u64::from(auth.wrong_per_account_burst)),
            ("auth.wrong_per_address_burst", u64::from(auth.wrong_per_address_burst)),
            ("auth.signups_per_address_burst", u64::from(auth.signups_per_address_burst)),
        ] {
            refuse(value == 0, key, "with 0 nobody could sign in")?;
        }
        // Above it the rows of one user would not fit the page they are read in.
        refuse(auth.logins_per_user_max > 200, "auth.logins_per_user_max", "at most 200 devices per user")
    }

    fn check_store(&self) -> Result<(), Problem> {
        let store = &self.store;
        if store.backend == Backend::Embedded {
            let of_remote = "it is for a store process: set store.backend to \"remote\", or leave it out";
            return refuse(!store.address.is_empty(), "store.address", of_remote);
        }
        let has_port = store.address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        refuse(!has_port, "store.address", "name the store process like \"127.0.0.1:7700\"")?;
        refuse(store.secret_file.as_os_str().is_empty(), "store.secret_file", "name the file with the store process's secret")?;
        let is_bare = store.tls_ca.as_os_str().is_empty() && !store::remote::is_loopback(&store.address);
        refuse(is_bare, "store.tls_ca", "store.address is not this machine: name the certificate of whoever signed the store process's")
    }

    fn check_data(&self) -> Result<(), Problem> {
        let (store, rooms) = (&self.store, &self.rooms);
        for (key, value, least) in [
            ("store.queue_bytes", store.queue_bytes as u64, MIB),
            ("store.reserve_bytes", store.reserve_bytes, 16 * MIB),
            ("store.readers", store.readers as u64, 1),
            ("store.calls_max", store.calls_max as u64, 1),
            ("store.call_ms", u64::from(store.call_ms), 100),
            ("rooms.requests_waiting_max", rooms.requests_waiting_max as u64, 1),
            ("rooms.bytes_waiting_max", rooms.bytes_waiting_max as u64, MIB),
            ("rooms.slot_bytes_waiting_max", rooms.slot_bytes_waiting_max as u64, MIB),
            ("rooms.node_bytes_waiting_max", rooms.node_bytes_waiting_max as u64, MIB),
            ("rooms.node_tail_bytes_max", rooms.node_tail_bytes_max as u64, MIB),
            ("rooms.tail_events_max", rooms.tail_events_max as u64, 2 * schema::limits::BLOCK_EVENTS_MAX as u64),
            ("rooms.tail_bytes_max", rooms.tail_bytes_max as u64, MIB),
        ] {
            refuse(value < least, key, &format!("it has to be at least {least}"))?;
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), Problem> {
        let limits = &self.limits;
        for (key, value) in [
            ("limits.connections_per_user_max", limits.connections_per_user_max),
            ("limits.connections_per_address_max", limits.connections_per_address_max),
            ("limits.heartbeat_ms", limits.heartbeat_ms),
            ("limits.hello_ms", limits.hello_ms),
            ("limits.requests_in_flight_max", u32::from(limits.requests_in_flight_max)),
        ] {
            refuse(value == 0, key, "with 0 nobody could connect")?;
        }
        let (soft, hard) = (limits.memory_soft_percent, limits.memory_hard_percent);
        refuse(soft < 10, "limits.memory_soft_percent", "it has to be at least 10: below it nobody could connect")?;
        refuse(soft >= hard || hard > 97, "limits.memory_hard_percent", "it has to be above limits.memory_soft_percent and at most 97")?;
        refuse(
            limits.message_bytes_max > schema::limits::MESSAGE_BYTES_MAX,
            "limits.message_bytes_max",
            "it can be lowered, not raised: larger messages do not fit a journal block",
        )
    }
}

/// As a browser writes it: scheme, host, and the port if it is not the scheme's own; nothing else.
fn check_origin(origin: &str) -> Result<(), String> {
    let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let is_exact = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', '?', '#', '@', ' ']));
    if is_exact && *origin == origin.to_lowercase() {
        return Ok(());
    }
    Err(format!("\"{origin}\" is not an origin: write it as browsers do, like \"https://chat.example.org\", without a path or a star"))
}

fn refuse(is_wrong: bool, key: &str, problem: &str) -> Result<(), Problem> {
    if is_wrong { Err((key.to_owned(), problem.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn lines_of_memory_that_are_out_of_order_are_refused() {
        for (soft, hard, key) in [(5, 85, "soft"), (85, 85, "hard"), (90, 85, "hard"), (70, 100, "hard")] {
            let mut config = Config::default();
            (config.limits.memory_soft_percent, config.limits.memory_hard_percent) = (soft, hard);
            assert_eq!(config.check().unwrap_err().0, format!("limits.memory_{key}_percent"));
        }
    }

    #[test]
    fn a_store_process_is_named_whole_and_not_talked_to_in_the_clear_over_a_network() {
        let mut config = Config::default();
        let culprit = |config: &Config| config.check().map_err(|(key, _)| key);
        config.store.address = "127.0.0.1:7700".into();
        assert_eq!(culprit(&config), Err("store.address".into()));
        config.store.backend = Backend::Remote;
        assert_eq!(culprit(&config), Err("store.secret_file".into()));
        config.store.secret_file = "secret".into();
        assert_eq!(culprit(&config), Ok(()));
        for unusable in ["", "127.0.0.1", ":7700", "store.example:"] {
            config.store.address = unusable.into();
            assert_eq!(culprit(&config), Err("store.address".into()), "{unusable}");
        }
        config.store.address = "store.example:7700".into();
        assert_eq!(culprit(&config), Err("store.tls_ca".into()));
        config.store.tls_ca = "ca.pem".into();
        assert_eq!(culprit(&config), Ok(()));
    }

    #[test]
    fn half_of_a_tls_pair_and_patterns_for_origins_are_refused() {
        let mut config = Config::default();
        config.listen.tls_cert = "cert.pem".into();
        assert_eq!(config.check().unwrap_err().0, "listen.tls_cert");
        for origin in ["*", "https://*.example.org", "https://example.org/", "example.org", "null", "https://Example.org", "https://"] {
            let mut config = Config::default();
            config.edge.origins = vec![origin.into()];
            assert_eq!(config.check().unwrap_err().0, "edge.origins", "{origin}");
            config.edge.nodes = std::mem::take(&mut config.edge.origins);
            assert_eq!(config.check().unwrap_err().0, "edge.nodes", "{origin}");
        }
    }
}
