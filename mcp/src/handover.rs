//! What the agent really got. An answer that gives something away takes effect once it was written
//! to the host: what belongs to a call that was cancelled, or to a host that is gone, stays with the
//! companion and comes again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use rmcp::RoleServer;
use rmcp::model::{ClientNotification, JsonRpcMessage, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// What is to be done once an answer was written.
type Written = BoxFuture<'static, ()>;

/// The calls that are under way, and what is to be done once each is answered.
#[derive(Clone, Default)]
pub(crate) struct Handover {
    calls: Arc<Mutex<HashMap<RequestId, Option<Written>>>>,
    turn: Arc<AsyncMutex<()>>,
    ended: Arc<AtomicU64>,
}

/// The right to give something away; the next call gets it when this is dropped.
pub(crate) struct Turn {
    ended: Arc<AtomicU64>,
    _guard: OwnedMutexGuard<()>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Handover {
    /// One call at a time gives something away, so that nothing is given to two.
    pub(crate) async fn turn(&self) -> Turn {
        Turn { _guard: self.turn.clone().lock_owned().await, ended: self.ended.clone() }
    }

    /// How many turns have ended. Whoever has the turn and finds as many as before it looked knows that
    /// nothing was given away since.
    pub(crate) fn turns_ended(&self) -> u64 {
        self.ended.load(Ordering::SeqCst)
    }

    /// Does this, with the turn still held, once the answer to the call was written; not at all if
    /// that never happens.
    pub(crate) fn once_written(&self, call: &RequestId, turn: Turn, then: impl Future<Output = ()> + Send + 'static) {
        let written = async move {
            let _turn = turn;
            then.await;
        };
        if let Some(waiting) = self.calls().get_mut(call) {
            *waiting = Some(written.boxed());
        }
    }

    /// A transport on which this sees what is asked, cancelled and answered.
    pub(crate) fn over<T: Transport<RoleServer>>(&self, transport: T) -> Watched<T> {
        Watched { transport, handover: self.clone() }
    }

    fn heard(&self, message: &RxJsonRpcMessage<RoleServer>) {
        match message {
            JsonRpcMessage::Request(request) => drop(self.calls().insert(request.id.clone(), None)),
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.calls().remove(id);
                }
            }
            _ => {}
        }
    }

    fn answered(&self, message: &TxJsonRpcMessage<RoleServer>) -> Option<Written> {
        match message {
            JsonRpcMessage::Response(response) => self.calls().remove(&response.id).flatten(),
            JsonRpcMessage::Error(error) => {
                error.id.as_ref().map(|id| self.calls().remove(id));
                None
            }
            _ => None,
        }
    }

    /// Each change is whole within one statement, so a panic elsewhere leaves nothing half done.
    fn calls(&self) -> MutexGuard<'_, HashMap<RequestId, Option<Written>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Handover::over`].
pub(crate) struct Watched<T> {
    transport: T,
    handover: Handover,
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Watched<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let written = self.handover.answered(&message);
        let sending = self.transport.send(message);
        async move {
            sending.await?;
            if let Some(written) = written {
                written.await;
            }
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let message = self.transport.receive().await;
        message.iter().for_each(|message| self.handover.heard(message));
        message
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.transport.close().await
    }
}

#[cfg(test)]
mod tests {
    use rmcp::model::*;
    use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

    use super::*;

    /// A host that says what the test says, and reads everything.
    struct Host(UnboundedReceiver<RxJsonRpcMessage<RoleServer>>);

    impl Transport<RoleServer> for Host {
        type Error = std::io::Error;

        fn send(&mut self, _: TxJsonRpcMessage<RoleServer>) -> impl Future<Output = Result<(), Self::Error>> + 'static {
            std::future::ready(Ok(()))
        }

        async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
            self.0.recv().await
        }

        async fn close(&mut self) -> Result<(), Self::Error> {
            Ok(())
        }
    }

    fn host(handover: &Handover) -> (UnboundedSender<RxJsonRpcMessage<RoleServer>>, Watched<Host>) {
        let (says, said) = mpsc::unbounded_channel();
        (says, handover.over(Host(said)))
    }

    fn call() -> RequestId {
        RequestId::Number(7)
    }

    fn asks() -> RxJsonRpcMessage<RoleServer> {
        JsonRpcMessage::request(ClientRequest::PingRequest(PingRequest::default()), call())
    }

    fn answer() -> TxJsonRpcMessage<RoleServer> {
        JsonRpcMessage::response(ServerResult::empty(()), call())
    }

    fn cancels() -> RxJsonRpcMessage<RoleServer> {
        let params = CancelledNotificationParam::new(Some(call()), None);
        JsonRpcMessage::notification(CancelledNotification::new(params).into())
    }

    #[tokio::test]
    async fn it_counts_once_the_answer_was_written() {
        let handover = Handover::default();
        let (says, mut transport) = host(&handover);
        says.send(asks()).unwrap();
        transport.receive().await;
        let (done, mut is_done) = mpsc::unbounded_channel();
        handover.once_written(&call(), handover.turn().await, async move { done.send(()).unwrap() });
        assert!(is_done.try_recv().is_err() && handover.turn.try_lock().is_err());
        transport.send(answer()).await.unwrap();
        assert!(is_done.try_recv().is_ok() && handover.turn.try_lock().is_ok());
    }

    #[tokio::test]
    async fn what_is_cancelled_never_counts_and_frees_the_turn() {
        for cancelled_first in [false, true] {
            let handover = Handover::default();
            let (says, mut transport) = host(&handover);
            says.send(asks()).unwrap();
            says.send(cancels()).unwrap();
            transport.receive().await;
            if cancelled_first {
                transport.receive().await;
            }
            handover.once_written(&call(), handover.turn().await, async { panic!("it was cancelled") });
            if !cancelled_first {
                transport.receive().await;
            }
            assert!(handover.turn.try_lock().is_ok());
            transport.send(answer()).await.unwrap();
        }
    }
}
