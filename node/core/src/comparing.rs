//! Comparing words with the members of one room: the exchanges under way, who waits for their
//! words, and what ends them.

use std::collections::BTreeMap;

use rand_core::Rng;

use crate::command::{Outcome, Refusal, Speaker, Token};
use crate::context::Context;
use crate::event::Body;
use crate::id::MemberId;
use crate::log::Record;
use crate::message::LinkMessage;
use crate::notice::{Notice, VerificationStep};
use crate::sas::{End, Exchange, HeardError, LimitError, Limiter, SasError, SasMessage, Step};
use crate::seat::Seat;
use crate::signals::EndLink;
use crate::time::Timestamp;
use crate::verification::Verified;

/// The exchanges of one room.
#[derive(Debug, Default)]
pub struct Comparing {
    pairs: BTreeMap<MemberId, Pair>,
}

/// One other member.
#[derive(Debug, Default)]
struct Pair {
    limiter: Limiter,
    exchange: Option<Exchange>,
    /// Commands that wait for the words.
    waiting: Vec<Token>,
}

impl Comparing {
    /// Where the exchange with a member stands, if one is under way.
    pub fn step(&self, member: &MemberId) -> Option<VerificationStep> {
        let exchange = self.pairs.get(member)?.exchange.as_ref()?;
        Some(if exchange.say().is_some() { VerificationStep::WordsReady } else { VerificationStep::Asked })
    }

    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.pairs.values().filter_map(|pair| pair.exchange.as_ref()).map(Exchange::expires).min()
    }

    /// Does the event carry words that only a voice may carry?
    pub fn is_own_half(&self, body: &Body) -> bool {
        let mut exchanges = self.pairs.values().filter_map(|pair| pair.exchange.as_ref());
        exchanges.any(|exchange| any_text(body, |text| exchange.contains_own_half(text)))
    }

    /// As [`Self::is_own_half`], for a text that an event only names.
    pub fn says_own_half(&self, text: &str) -> bool {
        let mut exchanges = self.pairs.values().filter_map(|pair| pair.exchange.as_ref());
        exchanges.any(|exchange| exchange.contains_own_half(text))
    }

    fn exchange(&mut self, member: &MemberId) -> Option<&mut Exchange> {
        self.pairs.get_mut(member)?.exchange.as_mut()
    }
}

impl Seat {
    /// Shows the words to read out; starts an exchange if there is none. Replies later where the
    /// words are not there yet.
    pub(crate) fn verify(
        &mut self,
        token: Token,
        member: MemberId,
        context: &mut Context<'_>,
    ) -> Option<Result<Outcome, Refusal>> {
        if member == self.me() || !self.room.is_member(&member) {
            return Some(Err(Refusal::NoSuchMember));
        }
        let verified = self.room.state().verification.is_verified_by(&self.me(), &member);
        if let Some(say) = self.comparing.exchange(&member).and_then(|exchange| exchange.say()) {
            return Some(Ok(Outcome::Words { say: Some(say), verified }));
        }
        if verified {
            return Some(Ok(Outcome::Words { say: None, verified }));
        }
        if !self.links.contains_key(&member) {
            return Some(Err(Refusal::PeerAway));
        }
        if self.comparing.exchange(&member).is_none()
            && let Err(refusal) = self.begin_exchange(member, context)
        {
            return Some(Err(refusal));
        }
        self.comparing.pairs.entry(member).or_default().waiting.push(token);
        None
    }

    /// Takes the words that the human heard.
    pub(crate) fn heard_words(
        &mut self,
        by: Speaker,
        member: MemberId,
        words: &str,
        context: &mut Context<'_>,
    ) -> Result<Outcome, Refusal> {
        if !self.room.is_member(&member) {
            return Err(Refusal::NoSuchMember);
        }
        let already = self.room.state().verification.is_verified_by(&self.me(), &member);
        let exchange = self.comparing.exchange(&member).ok_or(Refusal::NoExchange)?;
        match exchange.heard(words) {
            Ok(()) if already => Ok(Outcome::Words { say: None, verified: true }),
            Ok(()) => {
                if let Some(pair) = self.comparing.pairs.get_mut(&member) {
                    pair.limiter.right();
                }
                self.say(by, Body::Verified(Verified { member }), context)?;
                Ok(Outcome::Words { say: None, verified: true })
            }
            Err(HeardError::Wrong) => {
                let locked = self.wrong_words(member, context.now);
                let end = if locked { End::Locked } else { End::Wrong };
                self.end_exchange(member, end, context);
                Err(Refusal::WrongWords)
            }
            Err(HeardError::NotReady) => Err(Refusal::NoExchange),
            Err(error) => Err(Refusal::UnusableWords { why: error.to_string() }),
        }
    }

    /// One message of the other side.
    pub(crate) fn on_sas(
        &mut self,
        member: MemberId,
        message: SasMessage,
        context: &mut Context<'_>,
    ) -> Result<(), EndLink> {
        if self.comparing.exchange(&member).is_none() && !self.answer_commitment(member, &message, context) {
            return Ok(());
        }
        let Some(exchange) = self.comparing.exchange(&member) else { return Ok(()) };
        match exchange.receive(&message) {
            // The other side began anew, after a restart perhaps: so do we, once.
            Err(SasError::OtherCommitment) => {
                self.drop_exchange(member, Refusal::NoExchange, context);
                return self.on_sas(member, message, context);
            }
            Ok(Step::Wait) => (),
            Ok(Step::Reveal(nonce)) => {
                if let Some(pair) = self.comparing.pairs.get_mut(&member) {
                    pair.limiter.revealed(context.now);
                }
                self.say_words(member, nonce, context);
            }
            Ok(Step::Ready) => self.words_ready(member, context),
            Ok(Step::Ended(end)) => self.on_ended(member, end, context),
            Err(_) => self.end_exchange(member, End::Broken, context),
        }
        Ok(())
    }

    /// Begins our half of an exchange that the other side began. Says whether there is one now.
    fn answer_commitment(&mut self, member: MemberId, message: &SasMessage, context: &mut Context<'_>) -> bool {
        if !matches!(message, SasMessage::Commit(_)) {
            return false;
        }
        match self.begin_exchange(member, context) {
            Ok(()) => self.notify_words(member, VerificationStep::Asked, context),
            Err(_) => self.say_words(member, SasMessage::End(End::Locked), context),
        }
        self.comparing.exchange(&member).is_some()
    }

    /// A link that ends before the words are there ends the exchange too.
    pub(crate) fn comparing_interrupted(&mut self, member: MemberId, context: &mut Context<'_>) {
        if self.comparing.exchange(&member).is_some_and(|exchange| exchange.say().is_none()) {
            self.drop_exchange(member, Refusal::PeerAway, context);
        }
    }

    /// Ends what has become too old.
    pub(crate) fn words_timeout(&mut self, context: &mut Context<'_>) {
        let pairs = self.comparing.pairs.iter();
        let old = pairs.filter(|(_, pair)| pair.exchange.as_ref().is_some_and(|e| e.expires() <= context.now));
        let old: Vec<MemberId> = old.map(|(member, _)| *member).collect();
        for member in old {
            self.end_exchange(member, End::Expired, context);
        }
    }

    /// Words that come over the channel were not read out by anybody: whoever sends them may be
    /// standing in between, and the exchange is void.
    pub(crate) fn void_spoken_words(&mut self, records: &[Record], context: &mut Context<'_>) {
        let ready = self.comparing.pairs.values().any(|pair| pair.exchange.is_some());
        if !ready {
            return;
        }
        let me = self.me();
        let foreign = records.iter().filter(|record| record.author != me).filter_map(Record::event);
        let bodies: Vec<Body> = foreign.map(|event| event.body).collect();
        let leaked = self.comparing.pairs.iter().filter(|(_, pair)| {
            let exchange = pair.exchange.as_ref();
            let expected = |text: &str| exchange.is_some_and(|exchange| exchange.contains_expected(text));
            bodies.iter().any(|body| any_text(body, expected))
        });
        let leaked: Vec<MemberId> = leaked.map(|(member, _)| *member).collect();
        for member in leaked {
            self.end_exchange(member, End::Leaked, context);
        }
    }

    fn begin_exchange(&mut self, member: MemberId, context: &mut Context<'_>) -> Result<(), Refusal> {
        let pair = self.comparing.pairs.entry(member).or_default();
        pair.limiter.check(context.now).map_err(|error| match error {
            LimitError::TooMany { wait, .. } | LimitError::Locked { wait } => Refusal::LockedOut { wait },
        })?;
        let mut nonce = [0; 32];
        context.rng.fill_bytes(&mut nonce);
        let (exchange, commit) = Exchange::start(self.room.id(), self.room.me(), member, nonce, context.now);
        pair.exchange = Some(exchange);
        self.say_words(member, commit, context);
        Ok(())
    }

    fn words_ready(&mut self, member: MemberId, context: &mut Context<'_>) {
        let verified = self.room.state().verification.is_verified_by(&self.me(), &member);
        if let Some(pair) = self.comparing.pairs.get_mut(&member) {
            let say = pair.exchange.as_ref().and_then(Exchange::say);
            for token in pair.waiting.drain(..) {
                context.outbox.reply(token, Ok(Outcome::Words { say: say.clone(), verified }));
            }
        }
        self.notify_words(member, VerificationStep::WordsReady, context);
    }

    fn on_ended(&mut self, member: MemberId, end: End, context: &mut Context<'_>) {
        if let Some(pair) = self.comparing.pairs.get_mut(&member) {
            match end {
                End::Wrong => _ = pair.limiter.wrong(context.now),
                End::Locked => pair.limiter.lock(context.now),
                End::Expired | End::Leaked | End::Broken => (),
            }
        }
        self.drop_exchange(member, Refusal::NoExchange, context);
    }

    fn end_exchange(&mut self, member: MemberId, why: End, context: &mut Context<'_>) {
        if let Some(exchange) = self.comparing.exchange(&member).filter(|exchange| !exchange.is_verified()) {
            let message = exchange.end(why);
            self.say_words(member, message, context);
        }
        self.drop_exchange(member, Refusal::NoExchange, context);
    }

    /// An exchange that came to its end, the right words entered here, ends in silence.
    fn drop_exchange(&mut self, member: MemberId, answer: Refusal, context: &mut Context<'_>) {
        let Some(pair) = self.comparing.pairs.get_mut(&member) else { return };
        let verified = pair.exchange.take().is_some_and(|exchange| exchange.is_verified());
        for token in pair.waiting.drain(..) {
            context.outbox.reply(token, Err(answer.clone()));
        }
        if !verified {
            self.notify_words(member, VerificationStep::Failed, context);
        }
    }

    /// Says whether the pair is locked now.
    fn wrong_words(&mut self, member: MemberId, now: Timestamp) -> bool {
        self.comparing.pairs.get_mut(&member).is_some_and(|pair| pair.limiter.wrong(now))
    }

    fn say_words(&mut self, member: MemberId, message: SasMessage, context: &mut Context<'_>) {
        if let Some(link) = self.links.get_mut(&member) {
            link.say(&LinkMessage::Sas(message), context);
        }
    }

    fn notify_words(&self, member: MemberId, step: VerificationStep, context: &mut Context<'_>) {
        context.outbox.notify(Notice::Verification { room: self.room.id(), member, step });
    }
}

/// Is this true of a text that the event carries, or of all of them in a row?
fn any_text(body: &Body, is: impl Fn(&str) -> bool) -> bool {
    let texts: Vec<&str> = body.texts().into_iter().map(|(_, text)| text).collect();
    texts.iter().any(|text| is(text)) || is(&texts.join(" "))
}
