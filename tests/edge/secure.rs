//! Clients that trust a certificate of our own.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::CertificateDer;

use crate::client::{Client, PATIENCE, UPGRADE, request};
use crate::world::World;

pub fn client(trusted: &CertificateDer<'static>) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap()
}

pub fn connect(world: &World, trusted: &CertificateDer<'static>) -> Client<StreamOwned<ClientConnection, TcpStream>> {
    let socket = TcpStream::connect(world.address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut client = Client::over(StreamOwned::new(client(trusted), socket));
    client.write(request(world.address, "/v1/ws", &UPGRADE).as_bytes());
    assert!(client.read_head().starts_with("HTTP/1.1 101 "));
    client
}
