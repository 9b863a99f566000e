//! The days of a room: how much was said on each, and where it begins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use pairwave_api::{Code, DayView, Days, DaysView, Failure};
use pairwave_core::event::{Body, Event};
use pairwave_core::id::{RoomId, SessionId};
use pairwave_core::log::Position;
use pairwave_core::talk::Kind;

use super::Answers;
use super::watch::locked;
use crate::caller::Caller;
use crate::refusals::unreadable;
use crate::view::{Viewer, instant};

/// Events that are read in one go; in between the node does other things.
const STEP: usize = 128;
/// Most days of an answer.
const MOST: usize = 500;
/// Seconds of a stretch. All time zones differ by multiples of a quarter of an hour, so each of their days
/// is made of whole stretches.
const STRETCH: i64 = 15 * 60;

/// The diaries of every room.
pub type Diaries = Mutex<BTreeMap<RoomId, Arc<tokio::sync::Mutex<Diary>>>>;

/// What was said when, kept up with the log: whoever asks for days waits for what is new alone.
#[derive(Default)]
pub struct Diary {
    stretches: BTreeMap<i64, Stretch>,
    through: u64,
}

/// What was said in a stretch of time, or on a day.
#[derive(Clone)]
struct Stretch {
    /// What stands first of it in the room's order.
    first: Position,
    counts: BTreeMap<&'static str, u64>,
}

impl Answers {
    pub(super) async fn days(&self, by: &Caller, ask: &Days) -> Result<DaysView, Failure> {
        let zone = ask.zone.as_deref().map_or(Ok(TimeZone::UTC), zone)?;
        let room = self.room(by, &ask.room).await?;
        let diary = locked(&self.diaries).entry(room).or_default().clone();
        let mut diary = diary.lock().await;
        self.keep_diary(room, &mut diary).await?;
        Ok(diary.days(&zone))
    }

    async fn keep_diary(&self, room: RoomId, diary: &mut Diary) -> Result<(), Failure> {
        loop {
            let after = diary.through;
            let step = move |viewer: &Viewer<'_, _>| {
                let (through, mut said) = viewer.arrived(after, STEP).map_err(|error| unreadable(&error))?;
                said.retain(|(record, _)| viewer.void(record).is_none());
                Ok((through, said))
            };
            let (through, said) = self.look(room, step).await?;
            if through == after {
                return Ok(());
            }
            said.into_iter().for_each(|(record, event)| diary.take(record.position, &event));
            diary.through = through;
        }
    }
}

impl Diary {
    fn take(&mut self, position: Position, event: &Event) {
        // What a companion does by itself makes no day.
        if event.session == SessionId::COMPANION {
            return;
        }
        let stretch = instant(event.claimed_time).as_second().div_euclid(STRETCH);
        let mut said = Stretch { first: position, counts: BTreeMap::from([("events", 1)]) };
        said.counts.extend(sorts(&event.body).iter().map(|sort| (*sort, 1)));
        self.stretches.entry(stretch).and_modify(|known| known.add(&said)).or_insert(said);
    }

    /// The newest days first.
    fn days(&self, zone: &TimeZone) -> DaysView {
        let mut days: BTreeMap<Date, Stretch> = BTreeMap::new();
        for (stretch, said) in &self.stretches {
            let day = date(*stretch, zone);
            days.entry(day).and_modify(|known| known.add(said)).or_insert_with(|| said.clone());
        }
        let earlier = days.len().saturating_sub(MOST) as u64;
        let days = days.into_iter().rev().take(MOST).map(|(day, said)| said.view(day)).collect();
        DaysView { days, earlier }
    }
}

impl Stretch {
    fn add(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        for (sort, count) in &other.counts {
            *self.counts.entry(sort).or_default() += count;
        }
    }

    fn view(self, day: Date) -> DayView {
        let counts = self.counts.into_iter().map(|(sort, count)| (sort.to_owned(), count)).collect();
        DayView { day: day.to_string(), event: self.first.id.to_string(), counts }
    }
}

/// What an event counts as, beside being one.
fn sorts(body: &Body) -> &'static [&'static str] {
    match body {
        Body::Message(message) => match message.kind {
            Kind::Question => &["messages", "questions"],
            Kind::Decision => &["messages", "decisions"],
            _ => &["messages"],
        },
        Body::Shared(_) => &["artifacts"],
        Body::Requested(_) => &["requests"],
        Body::Remembered(_) => &["remembered"],
        _ => &[],
    }
}

fn date(stretch: i64, zone: &TimeZone) -> Date {
    let began = jiff::Timestamp::from_second(stretch * STRETCH).unwrap_or(jiff::Timestamp::MIN);
    zone.to_datetime(began).date()
}

/// By its name, or by an offset.
fn zone(text: &str) -> Result<TimeZone, Failure> {
    let offset = || jiff::fmt::strtime::parse("%:z", text).ok()?.offset().map(Offset::to_time_zone);
    TimeZone::get(text).ok().or_else(offset).ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        let next = "Write a name like Europe/Berlin, or an offset like +02:00.";
        Failure::new(Code::Usage, "no_such_zone", format!("There is no time zone {shown:?} here"), next)
    })
}

#[cfg(test)]
mod tests {
    use pairwave_core::event::Origin;
    use pairwave_core::id::{EventId, MemberId};
    use pairwave_core::talk::Message;
    use pairwave_core::time::Timestamp;

    use super::*;

    fn said(diary: &mut Diary, depth: u64, at: &str, kind: Kind) {
        let at: jiff::Timestamp = at.parse().unwrap();
        let event = Event {
            version: 1,
            room: Some(RoomId([1; 32])),
            author: MemberId([1; 32]),
            seq: depth,
            backlink: None,
            parents: Vec::new(),
            claimed_time: Timestamp(at.as_millisecond().unsigned_abs()),
            session: SessionId([1; 16]),
            origin: Origin::Human,
            body: Body::Message(Message::new(kind, "hello")),
        };
        diary.take(Position { depth, id: EventId([depth as u8; 32]) }, &event);
    }

    #[test]
    fn midnight_is_the_viewers_in_summer_and_in_winter() {
        let mut diary = Diary::default();
        said(&mut diary, 1, "2026-07-01T22:10:00Z", Kind::Chat);
        said(&mut diary, 2, "2026-11-20T22:10:00Z", Kind::Chat);
        let days = |zone: &TimeZone| diary.days(zone).days.into_iter().map(|day| day.day).collect::<Vec<_>>();
        assert_eq!(days(&TimeZone::UTC), ["2026-11-20", "2026-07-01"]);
        assert_eq!(days(&zone("+02:00").unwrap()), ["2026-11-21", "2026-07-02"]);
        assert_eq!(days(&zone("-04:30").unwrap()), ["2026-11-20", "2026-07-01"]);
        if let Ok(berlin) = zone("Europe/Berlin") {
            assert_eq!(days(&berlin), ["2026-11-20", "2026-07-02"]);
        }
    }

    #[test]
    fn a_day_counts_and_begins_where_the_rooms_order_says() {
        let mut diary = Diary::default();
        for (depth, at, kind) in [
            (9, "2026-11-20T08:00:00Z", Kind::Question),
            (4, "2026-11-20T15:00:00Z", Kind::Decision),
            (5, "2026-11-20T15:01:00Z", Kind::Chat),
        ] {
            said(&mut diary, depth, at, kind);
        }
        let day = diary.days(&TimeZone::UTC).days.remove(0);
        assert_eq!(day.event, EventId([4; 32]).to_string());
        let counted = [("decisions", 1), ("events", 3), ("messages", 3), ("questions", 1)];
        assert_eq!(day.counts, counted.map(|(sort, count)| (sort.to_owned(), count)).into());
    }

    #[test]
    fn an_answer_is_bounded_whatever_clocks_claim() {
        let mut diary = Diary::default();
        let first: jiff::Timestamp = "2000-01-01T00:00:00Z".parse().unwrap();
        for day in 0..600 {
            let at = first + jiff::SignedDuration::from_hours(24 * day);
            said(&mut diary, 1 + day as u64, &at.to_string(), Kind::Chat);
        }
        said(&mut diary, 601, "9999-12-30T00:00:00Z", Kind::Chat);
        let days = diary.days(&zone("+14:00").unwrap());
        assert_eq!((days.days.len(), days.earlier, &*days.days[0].day), (500, 101, "9999-12-30"));
    }

    #[test]
    fn what_is_no_zone_says_what_one_is() {
        for wrong in ["", "Nowhere/Atall", "+99:99", "../../etc/passwd"] {
            assert_eq!(zone(wrong).unwrap_err().rule, "no_such_zone", "{wrong:?}");
        }
    }
}
