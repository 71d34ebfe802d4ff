//! The command line: `serve`, and what an operator asks of a node or of data at rest. Thin: arguments become orders, the
//! orders' answers become text. One sentence on stderr for what went wrong; 0 done, 1 refused or failed, 2 misused,
//! 3 removed from the group.

mod args;
mod cluster;
mod import;
mod people;
mod reach;
mod secret;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};

use crate::admin::client;
use crate::admin::{Order, Refused};
use crate::config::{self, Loaded};
use crate::logs;
use crate::store_process::{self, Options};

use args::{Cli, Command, ConfigCommand, StoreCommand, UserCommand};
use import::Wanted;
use reach::{Data, Way};

/// Of a node that its group has removed: starting it again does not help.
pub const REMOVED: u8 = 3;

pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    match carry_out(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error, json);
            match error.downcast_ref() {
                Some(::cluster::member::Error::Removed(_)) => ExitCode::from(REMOVED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn carry_out(cli: Cli) -> anyhow::Result<()> {
    if let Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "hubbub", &mut script);
        show::print(&String::from_utf8_lossy(&script));
        return Ok(());
    }
    let mut loaded = config::load(cli.config.as_deref(), std::env::vars())?;
    let order = match cli.command {
        Command::Serve { join, token_file } => {
            args::join(&mut loaded.config.cluster, join, token_file)?;
            logs::start(&loaded.config.log)?;
            loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            return crate::wiring::serve(&loaded.config).await;
        }
        Command::Store { command: StoreCommand::Serve { data, listen, admin, secret_file, tls_cert, tls_key } } => {
            logs::start(&loaded.config.log)?;
            loaded.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
            let options = Options { data_dir: data, listen, admin, secret_file, tls: tls_cert.zip(tls_key) };
            return store_process::serve(&loaded.config, options).await;
        }
        Command::Import { file, room, workspace, skip_bad } => {
            return import(Wanted { file, workspace, room, skip_bad }, &loaded, cli.json).await;
        }
        Command::Export { room, events } => {
            let way = quiet_way(&loaded, Data::MustBeThere).await?;
            let exported = import::export(&way, room, events).await;
            return way.close().await.and(exported);
        }
        Command::User { command: UserCommand::AddAll { file, tokens, label } } => {
            let way = quiet_way(&loaded, Data::MayBegin).await?;
            let added = people::add_all(&way, &file, tokens.then_some(label)).await;
            return way.close().await.and(added);
        }
        Command::Cluster { command } => return cluster::carry_out(command, &loaded.config, cli.json).await,
        Command::Config { command } => return config_command(&command, &loaded, cli.json),
        Command::Restore { from } => return restore(from, &loaded, cli.json).await,
        Command::Completions { .. } => return Ok(()),
        Command::User { command } => args::user_order(command)?,
        Command::Room { command } => args::room_order(command),
        Command::Token { name, label } => Order::Token { name, label },
        Command::Keys { command: args::KeysCommand::Rotate } => Order::RotateKeys {},
        Command::Log { level } => Order::SetLogLevel { level },
        Command::Backup { to } => Order::Backup { to: std::path::absolute(to)? },
    };
    let (order, made) = secret::fill_in(order)?;
    let data_dir = &loaded.config.node.data_dir;
    if matches!(order, Order::SetLogLevel { .. }) && client::find(data_dir).await?.is_none() {
        anyhow::bail!("no node runs on {}: set log.level in its configuration", data_dir.display());
    }
    let begins = matches!(order, Order::AddUser { .. } | Order::Invite(_));
    let way = quiet_way(&loaded, if begins { Data::MayBegin } else { Data::MustBeThere }).await?;
    let answer = way.ask(order).await;
    way.close().await?;
    let answer = answer?;
    show::answer(&answer, made.as_deref(), cli.json);
    Ok(())
}

fn config_command(command: &ConfigCommand, loaded: &Loaded, json: bool) -> anyhow::Result<()> {
    for warning in &loaded.warnings {
        eprintln!("hubbub: {warning}");
    }
    if let ConfigCommand::Check = command {
        crate::wiring::check(&loaded.config)?;
    }
    match command {
        ConfigCommand::Print if json => show::print(&format!("{}\n", loaded.to_json())),
        ConfigCommand::Print => show::print(&loaded.print()),
        ConfigCommand::Check if json => show::print(&format!("{}\n", serde_json::json!({ "ok": true, "set": loaded.sources }))),
        ConfigCommand::Check => show::print(&format!("the configuration is good; {} keys are set\n", loaded.sources.len())),
    }
    Ok(())
}

/// To whoever answers, with only warnings in the log.
async fn quiet_way(loaded: &Loaded, data: Data) -> anyhow::Result<Way> {
    logs::start(&config::Log { level: "warn".into(), ..loaded.config.log.clone() })?;
    Way::open(&loaded.config, data).await
}

async fn import(wanted: Wanted, loaded: &Loaded, json: bool) -> anyhow::Result<()> {
    let way = quiet_way(loaded, Data::MayBegin).await?;
    let imported = import::import(&way, wanted).await;
    way.close().await?;
    let imported = imported?;
    show::print(&match json {
        true => format!("{}\n", serde_json::to_string(&imported)?),
        false if imported.is_nothing => "the file has no good lines: nothing was made\n".to_owned(),
        false => format!("{} lines read, {} bad; all others are in room {}\n", imported.lines, imported.bad, imported.room),
    });
    Ok(())
}

async fn restore(from: PathBuf, loaded: &Loaded, json: bool) -> anyhow::Result<()> {
    let data_dir = &loaded.config.node.data_dir;
    if client::find(data_dir).await.is_ok_and(|running| running.is_some()) {
        anyhow::bail!("a node runs on {}: stop it, or restore into another node.data_dir", data_dir.display());
    }
    let to = crate::data::store_dir(data_dir);
    std::fs::create_dir_all(data_dir).with_context(|| format!("the data directory {} cannot be made", data_dir.display()))?;
    let into = to.clone();
    let id = tokio::task::spawn_blocking(move || store::embedded::restore(from, into)).await??;
    show::print(&match json {
        true => format!("{}\n", serde_json::json!({ "installation": id, "into": to })),
        false => format!("restored into {}; clients will load everything anew (installation {id})\n", to.display()),
    });
    Ok(())
}

fn complain(error: &anyhow::Error, json: bool) {
    let refused = error.downcast_ref::<Refused>().or_else(|| match error.downcast_ref::<client::Error>() {
        Some(client::Error::Refused(refused)) => Some(refused),
        _ => None,
    });
    // The causes belong to the sentence: "… cannot be made: permission denied".
    let message = format!("{error:#}");
    if json {
        let code = refused.map_or("failed", |refused| refused.code.text());
        eprintln!("{}", serde_json::json!({ "error": { "code": code, "message": message } }));
    } else {
        eprintln!("hubbub: {message}");
    }
}
