//! Why a relay does not run, with what to do about it as the last sentence.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    #[error("{path} cannot be used: {why}. Check its permissions and the free space of the disk.")]
    Data { path: PathBuf, why: io::Error },
    #[error(
        "{path} holds other things, and others on this machine can look into it. Name a folder of its own with `--data DIR`, \
         or shut this one: `chmod 700 {path}`."
    )]
    Shared { path: PathBuf },
    #[error(
        "{path} is not the key of a relay. Restore it from a copy, or remove it: the relay then gets a new address."
    )]
    Key { path: PathBuf },
    #[error("{path} holds no {what} in PEM: {why}. Name the files that your certificate authority gave you.")]
    Certificate { path: PathBuf, what: &'static str, why: String },
    #[error("`{address}` is no address: {why}. Write it like /ip4/0.0.0.0/udp/4011/quic-v1.")]
    Address { address: String, why: String },
    #[error("`{address}` is taken by another program. Stop that one, or name another port with `--listen MULTIADDR`.")]
    Taken { address: String },
    #[error("the relay cannot listen at `{address}`: {why}. Name another address with `--listen MULTIADDR`.")]
    Listen { address: String, why: String },
    #[error("`{address}` needs a certificate. Name its files with `--certificate FILE --key FILE`.")]
    NoCertificate { address: String },
    #[error(
        "the letters in {path} cannot be opened: {why}. Stop another relay that uses this folder, or check the \
         permissions and the free space of the disk."
    )]
    Spool { path: PathBuf, why: String },
    #[error("a label has at most {max} bytes and no control characters. Choose a shorter one.")]
    Label { max: usize },
    #[error("there is no token `{id}`. `pairwave relay-node token list` shows those there are.")]
    NoToken { id: String },
    #[error("the figures cannot be served at {at}: {why}. Name another address with `--metrics IP:PORT`.")]
    Metrics { at: SocketAddr, why: io::Error },
    #[error("the network cannot be set up: {0}. Close other programs and try again.")]
    Setup(String),
}
