//! Bounds on everything that a stranger or a peer can send. Both sides enforce them, so they are
//! part of the protocol and not configuration.

/// Largest frame of a stream: one Noise message (Noise, rev. 34, §3).
pub const FRAME: usize = 65_535;
/// Largest frame before the other side has proved anything.
pub const FIRST_FRAME: usize = 4 * 1024;
/// Largest message that one or more frames may carry.
pub const MESSAGE: usize = 1024 * 1024;
/// Largest signed event, signature included.
pub const EVENT: usize = 256 * 1024;
/// Most members a room may have at a time.
pub const MEMBERS: usize = 32;
/// Most parents of an event.
pub const PARENTS: usize = 32;
/// Most events that may wait for their parents, per room.
pub const WAITING: usize = 1024;
/// Most blinded tags in the first frame of a link.
pub const TAGS: usize = 16;
/// Longest text of a message in bytes.
pub const TEXT: usize = 192 * 1024;
/// Longest headline in bytes.
pub const HEADLINE: usize = 400;
/// Longest name of a member or session in bytes.
pub const NAME: usize = 64;
/// Longest title of a room in bytes.
pub const TITLE: usize = 200;
/// Most entries of a list inside an event.
pub const LIST: usize = 128;
/// Longest entry of a list inside an event in bytes.
pub const LIST_ENTRY: usize = 4 * 1024;
/// Deepest nesting of a CBOR value.
pub const DEPTH: usize = 16;
/// Most addresses that one companion may tell of another.
pub const ADDRESSES: usize = 16;
/// Longest address in bytes.
pub const ADDRESS: usize = 256;
/// Sizes of a letter in bytes: what is inside is padded to the next one.
pub const LETTERS: [usize; 5] = [1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10];
/// What may wait under one tag at one relay, in bytes.
pub const MAILBOX: usize = 64 * 1024 * 1024;
/// How long a letter waits, in seconds.
pub const LETTER_SECONDS: u64 = 14 * 24 * 3600;
/// Most tags in one question to a relay.
pub const MAILBOXES: usize = 64;
/// Most letters that one request to a mailbox names.
pub const LETTER_IDS: usize = 1024;
/// Largest message to or from a relay: the largest letter and some more.
pub const RELAY_MESSAGE: usize = 512 * 1024;
/// Largest published record of addresses, sealed.
pub const RECORD: usize = 6 * 1024;
/// Most records that are kept under one tag.
pub const RECORDS: usize = 4;
/// How long a published record is kept, in seconds.
pub const RECORD_SECONDS: u64 = 2 * 3600;
/// Longest token of a relay in bytes.
pub const TOKEN: usize = 64;
/// Largest blob in bytes.
pub const BLOB: u64 = 64 * 1024 * 1024;
/// Bytes of a chunk, but of a blob's last one: with what is around it, one frame.
pub const CHUNK: usize = 48 * 1024;
/// Most relays of one room.
pub const RELAYS: usize = 8;
