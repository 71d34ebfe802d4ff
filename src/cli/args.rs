//! What can be typed, with its help; and how that becomes an order.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use schema::rest::MakeInvite;
use schema::{RoomId, RoomKind, RoomSettings};

use crate::admin::Order;
use crate::config;

use super::cluster::ClusterCommand;

#[derive(Parser)]
#[command(name = "hubbub", version, about = "A chat server: rooms and sessions as actors, durable before visible")]
#[command(after_help = "Commands ask the node that runs on node.data_dir, or open the data themselves when none does.")]
pub struct Cli {
    /// The configuration; without it hubbub.toml in the working directory, if it is there
    #[arg(long, global = true, value_name = "FILE", env = config::FILE_VARIABLE)]
    pub config: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a node until SIGTERM or Ctrl-C
    Serve {
        /// Join the group of this node instead of beginning one, if it is in none yet; may be repeated
        #[arg(long, value_name = "HOST:PORT")]
        join: Vec<String>,
        /// The token to join by, from `hubbub cluster token`; without --join the node that the token names is asked
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
    },
    /// The group of nodes
    Cluster {
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Make and change accounts
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Make and list rooms
    Room {
        #[command(subcommand)]
        command: RoomCommand,
    },
    /// Sign a user in without a password and print the tokens
    Token {
        name: String,
        /// What the device list calls it
        #[arg(long, default_value = "command line")]
        label: String,
    },
    /// The keys that sign access tokens
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// What the configuration is and where it comes from
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Change the log level of the running node, until it stops
    Log {
        /// "debug", or per target: "info,hubbub=debug"
        level: String,
    },
    /// Write one moment of the data into a new directory, while the node runs or not
    Backup {
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
    /// Make the data of node.data_dir, which must be empty, from a backup
    Restore {
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
    /// Bring a conversation into a channel: JSON lines with ts, user, text and thread, packed by gzip or not
    Import {
        file: PathBuf,
        /// The channel that imports make under this name; rooms that people made are others, even of the same name
        #[arg(long)]
        room: String,
        /// The workspace of the channel; it is made if need be
        #[arg(long, default_value = "imported")]
        workspace: String,
        /// Name bad lines and go on, instead of stopping at the first
        #[arg(long)]
        skip_bad: bool,
    },
    /// Print what was said in a room as JSON lines that `import` takes
    Export {
        #[arg(value_name = "ROOM-ID")]
        room: RoomId,
        /// All that happened instead: reactions, pins, members and so on, as the API has it
        #[arg(long)]
        events: bool,
    },
    /// A store process: one data directory for many nodes
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// Print a completion script
    Completions { shell: Shell },
}

#[derive(Subcommand)]
pub enum StoreCommand {
    /// Run it until SIGTERM or Ctrl-C; nodes use it by store.backend = "remote"
    Serve {
        /// Its data directory; that of a node whose data was in it alone will do
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Where nodes find it
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7700")]
        listen: SocketAddr,
        /// Probes and metrics; none unless given
        #[arg(long, value_name = "ADDR")]
        admin: Option<SocketAddr>,
        /// What nodes have to know; unless given, the file "secret" in the data directory, made at the first start
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// PEM files; needed where other machines can reach it
        #[arg(long, value_name = "FILE", requires = "tls_key")]
        tls_cert: Option<PathBuf>,
        #[arg(long, value_name = "FILE", requires = "tls_cert")]
        tls_key: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
pub enum UserCommand {
    /// Make an account; the first is an administrator
    Add {
        name: String,
        /// The name people see; the user name unless given
        #[arg(long, default_value = "")]
        display: String,
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Make many accounts without passwords; print one line of JSON for each
    AddAll {
        /// One person a line: a user name, or {"name": …, "display": …}; "-" is stdin
        file: PathBuf,
        /// Sign each of them in too, and print the tokens
        #[arg(long)]
        tokens: bool,
        /// What the device list calls it
        #[arg(long, default_value = "command line")]
        label: String,
    },
    /// List accounts in the order of names
    List {
        /// Only those after this name
        #[arg(long, default_value = "")]
        after: String,
        #[arg(long, default_value_t = 1000)]
        limit: usize,
    },
    /// Make the code of an invitation, for where auth.signup is "invite"; it is shown this once
    Invite {
        /// How many people may sign up with it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// For how long it is good
        #[arg(long, default_value_t = 7)]
        days: u32,
        /// What it is for; for the list alone
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Sign all devices of the user out and let nobody sign in; what they said stays
    Disable { name: String },
    /// Let a disabled user sign in again
    Enable { name: String },
    /// Set a password; signs all devices of the user out
    Password {
        name: String,
        #[command(flatten)]
        password: PasswordFrom,
    },
}

/// Never as an argument: those are shown to everybody on the machine. Without either, one is made and printed once.
#[derive(Args)]
#[group(multiple = false)]
pub struct PasswordFrom {
    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from the first line of a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub enum RoomCommand {
    /// List all rooms
    List,
    /// Make a room
    Create {
        /// The name of a group, channel or workspace
        #[arg(default_value = "")]
        name: String,
        #[arg(long, value_name = "USER")]
        owner: String,
        #[arg(long, value_enum, default_value_t = Kind::Group)]
        kind: Kind,
        #[arg(long, default_value = "")]
        topic: String,
        /// The workspace of a channel
        #[arg(long, value_name = "ID")]
        workspace: Option<RoomId>,
        /// A channel that every member of its workspace may join
        #[arg(long)]
        public: bool,
        /// A further member, by user name; may be repeated
        #[arg(long = "member", value_name = "USER")]
        members: Vec<String>,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Kind {
    Direct,
    Group,
    Channel,
    Workspace,
}

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Sign with a new key; the old ones verify until what they signed has expired
    Rotate,
}

#[derive(Subcommand)]
pub enum ConfigCommand {
    /// Print the effective configuration, without secrets
    Print,
    /// Say whether it can be used
    Check,
}

/// What was typed goes over the configuration.
pub fn join(cluster: &mut config::Cluster, join: Vec<String>, token_file: Option<PathBuf>) -> anyhow::Result<()> {
    if !join.is_empty() {
        cluster.join = join;
    }
    if let Some(file) = token_file {
        let token = std::fs::read_to_string(&file).with_context(|| format!("the token in {} cannot be read", file.display()))?;
        cluster.token = token.trim().to_owned();
    }
    Ok(())
}

/// One order; `AddAll` is many.
pub fn user_order(command: UserCommand) -> anyhow::Result<Order> {
    Ok(match command {
        UserCommand::AddAll { .. } => unreachable!("carried out by cli::people"),
        UserCommand::Add { name, display, admin, password } => {
            Order::AddUser { name, display, password: super::secret::read(&password)?, admin }
        }
        UserCommand::List { after, limit } => Order::ListUsers { after, limit },
        UserCommand::Invite { uses, days, note } => Order::Invite(MakeInvite { uses, days, note }),
        UserCommand::Disable { name } => Order::DisableUser { name, disabled: true },
        UserCommand::Enable { name } => Order::DisableUser { name, disabled: false },
        UserCommand::Password { name, password } => Order::SetPassword { name, password: super::secret::read(&password)? },
    })
}

pub fn room_order(command: RoomCommand) -> Order {
    match command {
        RoomCommand::List => Order::ListRooms {},
        RoomCommand::Create { name, owner, kind, topic, workspace, public, members } => {
            let kind = match kind {
                Kind::Direct => RoomKind::Direct,
                Kind::Group => RoomKind::Group,
                Kind::Channel => RoomKind::Channel,
                Kind::Workspace => RoomKind::Workspace,
            };
            Order::CreateRoom { owner, kind, settings: RoomSettings { name, topic, workspace, public, archived: false }, members }
        }
    }
}

impl PasswordFrom {
    pub fn file(&self) -> Option<&std::path::Path> {
        self.password_file.as_deref()
    }
    pub fn is_stdin(&self) -> bool {
        self.password_stdin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_password_cannot_be_given_as_an_argument() {
        assert!(Cli::try_parse_from(["hubbub", "user", "add", "ada", "--password", "x"]).is_err());
        assert!(Cli::try_parse_from(["hubbub", "user", "add", "ada", "--password-stdin", "--password-file", "f"]).is_err());
    }
}
