//! Who has compared words with whom.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::MemberId;
use crate::members::Members;

/// The author compared words with `member` and heard the ones it expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    pub member: MemberId,
}

/// All verifications, each in the direction in which it was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    made: BTreeSet<(MemberId, MemberId)>,
}

impl Verification {
    pub(crate) fn apply(&mut self, by: MemberId, verified: &Verified) -> bool {
        by != verified.member && self.made.insert((by, verified.member))
    }

    /// Those that are here and were not `before`.
    pub(crate) fn since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (MemberId, MemberId)> + 'a {
        self.made.difference(&before.made).copied()
    }

    /// Did `by` hear the words of `member`?
    pub fn is_verified_by(&self, by: &MemberId, member: &MemberId) -> bool {
        self.made.contains(&(*by, *member))
    }

    /// Did both hear each other's words?
    pub fn is_mutual(&self, a: &MemberId, b: &MemberId) -> bool {
        self.is_verified_by(a, b) && self.is_verified_by(b, a)
    }

    /// Through whom `member` is verified to `me`: the first link of a chain of mutual
    /// verifications between standing members, which is `member` itself where we compared words
    /// with it. `None` where there is no such chain.
    pub fn through(&self, members: &Members, me: &MemberId, member: &MemberId) -> Option<MemberId> {
        if self.is_mutual(me, member) {
            return Some(*member);
        }
        let standing: Vec<MemberId> = members.iter().map(|(member, _)| *member).collect();
        let neighbours = standing.iter().filter(|first| self.is_mutual(me, first));
        neighbours.copied().find(|first| self.joins(&standing, *first, member, me))
    }

    /// Are all of these joined to each other?
    pub(crate) fn joins_all(&self, members: &BTreeSet<MemberId>) -> bool {
        let members: Vec<MemberId> = members.iter().copied().collect();
        let Some(first) = members.first() else { return false };
        members[1..].iter().all(|member| self.joins(&members, *first, member, first))
    }

    fn joins(&self, standing: &[MemberId], from: MemberId, to: &MemberId, without: &MemberId) -> bool {
        let mut seen = BTreeSet::from([from]);
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            if at == *to {
                return true;
            }
            let neighbours = standing.iter().filter(|other| *other != without && self.is_mutual(&at, other));
            next.extend(neighbours.filter(|other| seen.insert(**other)).copied());
        }
        false
    }
}
