use std::pin::Pin;

use futures::{Stream, future::BoxFuture};
use serde_json::Value;

use crate::{Ask, Code, Failure, Notice, Request};

/// What happens in the rooms, as it happens. Ends when the companion does.
pub type Notices = Pin<Box<dyn Stream<Item = Notice> + Send>>;

/// One companion, near or behind its control socket. Every face works through this alone.
pub trait Companion: Send + Sync {
    /// Asks one thing. [`CompanionExt::ask`] is the typed way.
    fn call(&self, request: Request) -> BoxFuture<'_, Result<Value, Failure>>;

    /// Everything that happens from now on.
    fn notices(&self) -> BoxFuture<'_, Result<Notices, Failure>>;
}

/// The page in the browser, as a companion serves it.
pub trait Dashboard: Send + Sync {
    /// Where it is, `http://127.0.0.1:7591/`.
    fn address(&self) -> String;

    /// The same with a code in its fragment that lets one browser in, once.
    fn link(&self) -> String;
}

/// Typed questions to any [`Companion`].
pub trait CompanionExt: Companion {
    /// Asks one thing and reads the answer that belongs to it.
    fn ask<A: Ask>(&self, question: A) -> impl Future<Output = Result<A::Answer, Failure>> + Send {
        let answer = self.call(question.into());
        async {
            serde_json::from_value(answer.await?).map_err(|error| {
                Failure::new(
                    Code::Failed,
                    "version_mismatch",
                    format!("The companion answered in a form that this program does not know: {error}"),
                    "Run `pairwave down`, then the command again, so that both are of one version.",
                )
            })
        }
    }
}

impl<C: Companion + ?Sized> CompanionExt for C {}
