//! ejabberd: a room is a multi-user chat (XEP-0045) whose messages it archives (XEP-0313) in SQLite before it hands them to
//! the members. On the wire: XML on a bare socket, SASL PLAIN, one stanza a delivery.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use anyhow::{Context, Error, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::BytesMut;

use super::adapter::{Adapter, Heard, Talk, find};
use super::server::Server;
use super::{Launch, MEMBERS, Side};
use crate::process::free_address;

const CONFIGURATION: &str = include_str!("../../peers/ejabberd.yml");

/// The program is a folder that Debian's packages were unpacked into. Without a name the Erlang node needs no port mapper.
pub fn launch(launch: &Launch<'_>) -> Result<Side, Error> {
    let address = free_address()?;
    let (folder, root) = (launch.folder.display().to_string(), launch.program.join("usr/lib/erlang"));
    let file = launch.folder.join("ejabberd.yml");
    std::fs::write(&file, CONFIGURATION.replace("FOLDER", &folder).replace("PORT", &address.port().to_string()))?;
    let erlexec = super::below(&root, "erlexec").context("there is no Erlang")?;
    let library = super::below(launch.program, "ejabberd.app").context("there is no ejabberd")?;
    let library = library.ancestors().nth(2).context("ejabberd is nowhere")?;
    let libraries = library.parent().context("ejabberd is nowhere")?;
    let mut command = Command::new(&erlexec);
    command.args(["-noinput", "-mnesia", "dir", &format!("\"{folder}/mnesia\""), "-s", "ejabberd"]);
    command.env("ROOTDIR", &root).env("BINDIR", erlexec.parent().unwrap_or(&root)).env("EMU", "beam").env("PROGNAME", "erl");
    command.env("ERL_LIBS", libraries).env("LD_LIBRARY_PATH", super::libraries(launch.program)).env("HOME", launch.folder);
    command.env("EJABBERD_CONFIG_PATH", file).env("EJABBERD_LOG_PATH", launch.folder.join("ejabberd.log"));
    let version = library.file_name().unwrap_or_default().to_string_lossy().replace("ejabberd-", "");
    let server = Server::start(command, launch.folder, launch.cpus, address, version)?;
    Ok(Side { server, adapter: Box::new(Ejabberd { address }) })
}

struct Ejabberd {
    address: SocketAddr,
}

const OPEN: &[u8] = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";

impl Adapter for Ejabberd {
    fn join(&mut self, member: usize) -> Result<(TcpStream, Vec<u8>), Error> {
        let mut talk = Talk::open(self.address)?;
        talk.say(OPEN)?;
        talk.until_bytes(b"</stream:features>")?;
        let secret = BASE64.encode(format!("\0member{member}\0any"));
        talk.say(format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>").as_bytes())?;
        let answer = talk.until_bytes(b">")?;
        ensure!(answer.starts_with(b"<success"), "sign-on was refused: {}", String::from_utf8_lossy(&answer));
        talk.say(OPEN)?;
        talk.until_bytes(b"</stream:features>")?;
        talk.say(b"<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>any</resource></bind></iq>")?;
        talk.until_bytes(b"</iq>")?;
        let room = member / MEMBERS;
        let enter = format!(
            "<presence to='room{room}@rooms.localhost/member{member}'><x xmlns='http://jabber.org/protocol/muc'>\
             <history maxstanzas='0'/></x></presence>"
        );
        talk.say(enter.as_bytes())?;
        // The subject is the last thing that somebody who enters is told.
        talk.until_bytes(b"<subject/></message>")?;
        Ok(talk.into_parts())
    }

    fn split<'a>(&self, bytes: &'a [u8]) -> Result<Option<(usize, Heard<'a>)>, Error> {
        split(bytes)
    }

    fn post(&mut self, out: &mut BytesMut, room: usize, text: &str, _seen: u64) {
        // The texts hold nothing that XML would escape.
        out.extend_from_slice(
            format!("<message to='room{room}@rooms.localhost' type='groupchat'><body>{text}</body></message>").as_bytes(),
        );
    }
}

/// The first stanza: up to the end of its first element, or of its tag if that is all.
fn split(bytes: &[u8]) -> Result<Option<(usize, Heard<'_>)>, Error> {
    let Some(tag_bytes) = bytes.iter().position(|byte| *byte == b'>') else { return Ok(None) };
    let tag = &bytes[..=tag_bytes];
    let name = tag.split(|byte| b" />".contains(byte)).next().and_then(|name| name.strip_prefix(b"<"));
    let Some(name) = name.filter(|name| !name.is_empty()) else { bail!("no stanza: {}", String::from_utf8_lossy(tag)) };
    let length = if tag.ends_with(b"/>") {
        tag.len()
    } else {
        let end = [b"</", name, b">"].concat();
        let Some(at) = find(&bytes[tag.len()..], &end) else { return Ok(None) };
        tag.len() + at + end.len()
    };
    let stanza = &bytes[..length];
    let heard = match name {
        _ if find(tag, b"type='error'").is_some() => Heard::Refused(stanza),
        b"message" => Heard::Delivery(stanza),
        b"presence" | b"iq" => Heard::Other,
        _ => Heard::Refused(stanza),
    };
    Ok(Some((length, heard)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stanza_is_whole_with_its_closing_tag() {
        let bytes = b"<message to='a'><body>hi</body></message><presence/>";
        assert_eq!(split(&bytes[..40]).unwrap(), None);
        assert_eq!(split(bytes).unwrap(), Some((41, Heard::Delivery(&bytes[..41]))));
        assert_eq!(split(&bytes[41..]).unwrap(), Some((11, Heard::Other)));
        let error = b"<message type='error'><body/></message>";
        assert_eq!(split(error).unwrap(), Some((error.len(), Heard::Refused(error))));
        assert!(split(b"</stream:stream>").is_err());
    }
}
