//! Where members are, told through relays to those members who cannot be told on a link: published
//! under a tag that only members can compute, sealed so that only members can read it.

use std::collections::BTreeMap;
use std::time::Duration;

use pairwave_wire::hello::BlindedTag;
use pairwave_wire::lookup::{LookupAnswer, LookupRequest};
use pairwave_wire::{TransportId, cbor, limits};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::context::Context;
use crate::id::MemberId;
use crate::key::{self, EpochKey};
use crate::letter::day;
use crate::message::PeerHint;
use crate::padded;
use crate::seat::{Seat, Standing};
use crate::time::Timestamp;

const DOMAIN: &[u8] = b"pairwave-lookup-v1";
/// A record is padded to a multiple of this, so that its size says little of what is inside.
const GRAIN: usize = 1024;
/// Pause between two publications of what has not changed; less than a relay keeps it.
const PUBLISH: Duration = Duration::from_secs(45 * 60);
/// How long a member may be gone before it is looked for; then ever more rarely.
const ABSENCE: Duration = Duration::from_secs(3);
const LONGEST: Duration = Duration::from_secs(600);
/// Newest epochs under whose tags a member may have published.
const EPOCHS: usize = 2;

/// Publishing and finding, for one room.
#[derive(Debug, Default)]
pub struct Whereabouts {
    publish_at: Option<Timestamp>,
    find_at: Option<Timestamp>,
    /// Questions that found nobody new, in a row.
    vain: u32,
    errands: BTreeMap<u64, BTreeMap<BlindedTag, (MemberId, EpochKey)>>,
}

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Whereabout {
    transport: TransportId,
    addresses: Vec<String>,
}

impl Whereabouts {
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.publish_at.into_iter().chain(self.find_at).min()
    }
}

impl Seat {
    /// Our addresses, or the relays that can be asked, are others now.
    pub(crate) fn publish_soon(&mut self, context: &mut Context<'_>) {
        self.whereabouts.publish_at = Some(context.now);
        self.seek(Duration::ZERO, context);
    }

    /// A member went.
    pub(crate) fn seek_absent(&mut self, context: &mut Context<'_>) {
        self.seek(ABSENCE, context);
    }

    /// Does what is due.
    pub(crate) fn mind_whereabouts(&mut self, context: &mut Context<'_>) {
        let relays = self.relays(context);
        if relays.is_empty() || self.standing() != Standing::Member {
            self.whereabouts = Whereabouts::default();
            return;
        }
        if self.whereabouts.publish_at.is_some_and(|due| due <= context.now) {
            self.publish(&relays, context);
        }
        if self.whereabouts.find_at.is_some_and(|due| due <= context.now) {
            self.find(&relays, context);
        }
    }

    /// A relay answered, or could not be asked.
    pub(crate) fn on_looked_up(&mut self, id: u64, answer: Option<LookupAnswer>, context: &mut Context<'_>) {
        let Some(asked) = self.whereabouts.errands.remove(&id) else { return };
        let Some(LookupAnswer::Found(found)) = answer else { return };
        let mut news = false;
        // The newest of a tag stands first, and counts as heard last.
        for (at, record) in found.into_iter().rev() {
            let Some((member, epoch)) = asked.get(&at) else { continue };
            let Some(Whereabout { transport, addresses }) = Whereabout::open(epoch, &at, &record) else { continue };
            if self.room.is_member(member) {
                news |= self.peers.heard(&PeerHint { member: *member, transport, addresses });
            }
        }
        if news {
            self.whereabouts.vain = 0;
            self.save_peers(context);
        }
    }

    fn seek(&mut self, within: Duration, context: &Context<'_>) {
        self.whereabouts.vain = 0;
        self.whereabouts.find_at = Some(context.now + within);
    }

    fn publish(&mut self, relays: &[TransportId], context: &mut Context<'_>) {
        self.whereabouts.publish_at = Some(context.now + PUBLISH);
        let me = self.me();
        let here = Whereabout { transport: context.transport.clone(), addresses: context.addresses.to_vec() };
        let newest = self.keys.known(self.room.state().members.epochs()).next();
        let Some((_, epoch)) = newest else { return };
        let at = tag(epoch, &me, day(context.now));
        let Some(record) = here.seal(epoch, &at, context.rng) else { return };
        for relay in relays {
            let request = LookupRequest::Publish { at, record: ByteBuf::from(record.clone()) };
            context.outbox.look_up(relay.clone(), request);
        }
    }

    fn find(&mut self, relays: &[TransportId], context: &mut Context<'_>) {
        let away: Vec<MemberId> = self.away().collect();
        self.whereabouts.find_at = (!away.is_empty()).then(|| {
            let pause = 10 * ABSENCE.saturating_mul(1 << self.whereabouts.vain.min(8));
            context.now + pause.min(LONGEST)
        });
        self.whereabouts.vain = self.whereabouts.vain.saturating_add(1);
        let today = day(context.now);
        let mut asked = BTreeMap::new();
        for (_, epoch) in self.keys.known(self.room.state().members.epochs()).take(EPOCHS) {
            for member in &away {
                for day in [today, today + 1, today.saturating_sub(1)] {
                    asked.insert(tag(epoch, member, day), (*member, epoch.clone()));
                }
            }
        }
        let tags: Vec<BlindedTag> = asked.keys().copied().collect();
        for relay in relays {
            for at in tags.chunks(limits::MAILBOXES) {
                let id = context.outbox.look_up(relay.clone(), LookupRequest::Find { at: at.to_vec() });
                self.whereabouts.errands.insert(id, asked.clone());
            }
        }
    }
}

impl Whereabout {
    fn seal(&self, epoch: &EpochKey, at: &BlindedTag, rng: &mut impl CryptoRng) -> Option<Vec<u8>> {
        let content = cbor::encode(self).expect("texts and bytes always encode");
        let size = (content.len() + padded::LENGTH).next_multiple_of(GRAIN) + padded::OVERHEAD - padded::LENGTH;
        padded::seal(DOMAIN, epoch.expose(), at, &content, size, rng).filter(|record| record.len() <= limits::RECORD)
    }

    fn open(epoch: &EpochKey, at: &BlindedTag, record: &[u8]) -> Option<Self> {
        let content = padded::open(DOMAIN, epoch.expose(), at, record)?;
        let here: Self = cbor::decode(&content, limits::RECORD).ok()?;
        let fits = here.addresses.len() <= limits::ADDRESSES
            && here.addresses.iter().all(|address| address.len() <= limits::ADDRESS);
        fits.then_some(here)
    }
}

/// Under which tag `member` publishes on this day.
fn tag(epoch: &EpochKey, member: &MemberId, day: u64) -> BlindedTag {
    BlindedTag(key::keyed_hash(b"pairwave-lookup-tag-v1", epoch.expose(), &[&member.0, &day.to_be_bytes()]))
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    #[test]
    fn a_record_opens_under_its_tag_and_key_only() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        let (epoch, bob) = (EpochKey::new([1; 32]), MemberId([2; 32]));
        let at = tag(&epoch, &bob, 20_000);
        let longest = vec!["x".repeat(limits::ADDRESS); limits::ADDRESSES];
        for addresses in [Vec::new(), vec!["/ip4/192.0.2.1/tcp/1".to_owned()], longest] {
            let here = Whereabout { transport: TransportId::new([5; 38]).unwrap(), addresses };
            let record = here.seal(&epoch, &at, &mut rng).expect("the longest fits");
            assert_eq!(Whereabout::open(&epoch, &at, &record).as_ref(), Some(&here));
            assert_eq!(Whereabout::open(&EpochKey::new([3; 32]), &at, &record), None);
            assert_eq!(Whereabout::open(&epoch, &tag(&epoch, &bob, 20_001), &record), None);
            assert_eq!(Whereabout::open(&epoch, &at, &record[..record.len() - 1]), None);
        }
    }
}
