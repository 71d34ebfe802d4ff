//! nginx with nchan: a room is a channel, heard and posted to over the same WebSocket. Keeps the last messages of a room in
//! memory; its answer to the one who posts comes when a message is in there.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Error};
use bytes::BytesMut;

use super::adapter::{Adapter, Heard, find};
use super::server::Server;
use super::{Launch, MEMBERS, Side, websocket};
use crate::process::free_address;

const CONFIGURATION: &str = include_str!("../../peers/nginx.conf");

/// The program is a folder that Debian's packages were unpacked into.
pub fn launch(launch: &Launch<'_>) -> Result<Side, Error> {
    let address = free_address()?;
    let module = super::below(launch.program, "ngx_nchan_module.so").context("there is no module of nchan")?;
    let nginx = launch.program.join("usr/sbin/nginx");
    let configuration = CONFIGURATION
        .replace("ADDRESS", &address.to_string())
        .replace("FOLDER", &launch.folder.display().to_string())
        .replace("MODULE", &module.display().to_string());
    let file = launch.folder.join("nginx.conf");
    std::fs::write(&file, configuration)?;
    let mut command = private_lib(&nginx);
    command.arg("-p").arg(launch.folder).arg("-c").arg(file).arg("-e").arg("stderr");
    let libraries = super::libraries(launch.program);
    command.env("LD_LIBRARY_PATH", &libraries);
    let version = super::said(Command::new(&nginx).arg("-v").env("LD_LIBRARY_PATH", libraries))?;
    let server = Server::start(command, launch.folder, launch.cpus, address, version)?;
    Ok(Side { server, adapter: Box::new(Nchan { address }) })
}

/// Debian's nginx with nchan insists on making folders in /var/lib/nginx, whatever its configuration says: it gets a
/// /var/lib of its own, that nobody else sees.
fn private_lib(nginx: &Path) -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    let script = "mount -t tmpfs nginx /var/lib && mkdir /var/lib/nginx && exec \"$@\"";
    command.args(["--mount", "--", "sh", "-c", script, "sh"]).arg(nginx);
    command
}

struct Nchan {
    address: SocketAddr,
}

impl Adapter for Nchan {
    fn join(&mut self, member: usize) -> Result<(TcpStream, Vec<u8>), Error> {
        Ok(websocket::open(self.address, &format!("/room/{}", member / MEMBERS))?.into_parts())
    }

    fn split<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, Error> {
        let Some((length, heard)) = websocket::split(bytes)? else { return Ok(None) };
        let heard = match heard {
            Heard::Delivery(body) if body.starts_with(b"post #") => Heard::Delivery(body),
            Heard::Delivery(body) if find(body, b"queued messages").is_some() => Heard::Other,
            Heard::Delivery(body) => Heard::Refused(body),
            other => other,
        };
        Ok(Some((length, heard)))
    }

    fn post(&mut self, out: &mut BytesMut, _room: usize, text: &str, _seen: u64) {
        websocket::write(out, text.as_bytes());
    }
}
