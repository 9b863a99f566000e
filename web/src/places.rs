//! Places for streams. A browser opens six connections to a server and no more, over all its tabs: with
//! a stream on each, no tab could ask anything. So there are few, and who comes last has one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

/// Streams at a time.
const PLACES: usize = 4;

#[derive(Clone, Default)]
pub struct Places(Arc<Mutex<VecDeque<oneshot::Sender<()>>>>);

/// Ends when the place is given to another.
pub type Place = oneshot::Receiver<()>;

impl Places {
    /// Takes a place, from whoever had theirs longest if there is no other.
    pub fn take(&self) -> Place {
        let (holds, place) = oneshot::channel();
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.retain(|other| !other.is_closed());
        while taken.len() >= PLACES {
            taken.pop_front();
        }
        taken.push_back(holds);
        place
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    #[test]
    fn whoever_had_a_place_longest_loses_it() {
        let places = Places::default();
        let mut taken: Vec<Place> = (0..PLACES).map(|_| places.take()).collect();
        drop(taken.remove(1));
        taken.push(places.take());
        assert!(taken.iter_mut().all(|place| place.try_recv() == Err(TryRecvError::Empty)));
        taken.push(places.take());
        let lost: Vec<bool> = taken.iter_mut().map(|place| place.try_recv() == Err(TryRecvError::Closed)).collect();
        assert_eq!(lost, [true, false, false, false, false]);
    }
}
