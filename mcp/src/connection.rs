//! The connection to the companion: made in the background, awaited by the first call that needs it.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use pairwave_api::{Ask, Companion, CompanionExt, Failure};
use tokio::sync::OnceCell;

type Connecting = BoxFuture<'static, Result<Arc<dyn Companion>, Failure>>;

/// A companion that may still be starting.
pub(crate) struct Connection {
    connect: Box<dyn Fn() -> Connecting + Send + Sync>,
    made: OnceCell<Arc<dyn Companion>>,
}

impl Connection {
    pub(crate) fn new<F>(connect: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Arc<dyn Companion>, Failure>> + Send + 'static,
    {
        Self { connect: Box::new(move || connect().boxed()), made: OnceCell::new() }
    }

    /// Connects unless it has been done; a failed attempt is made anew by the next caller.
    pub(crate) async fn companion(&self) -> Result<&Arc<dyn Companion>, Failure> {
        self.made.get_or_try_init(|| (self.connect)()).await
    }

    pub(crate) async fn ask<A: Ask>(&self, question: A) -> Result<A::Answer, Failure> {
        self.companion().await?.ask(question).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use pairwave_api::Code;

    use super::*;
    use crate::tests::fake::Fake;

    #[tokio::test]
    async fn connects_once_and_again_only_after_a_failure() {
        let attempts = Arc::new(AtomicUsize::new(0));
        let counted = attempts.clone();
        let connection = Connection::new(move || {
            let attempt = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match attempt {
                    0 => Err(Failure::new(Code::CompanionUnreachable, "not_running", "Not there.", "Try again.")),
                    _ => Ok(Arc::new(Fake::default()) as Arc<dyn Companion>),
                }
            }
        });
        assert!(connection.companion().await.is_err());
        assert!(connection.companion().await.is_ok());
        assert!(connection.companion().await.is_ok());
        assert_eq!(attempts.load(Ordering::SeqCst), 2);
    }
}
