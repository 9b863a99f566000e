use std::future::pending;

use pairwave_core::command::{Command, Outcome, Refusal};
use pairwave_core::node::Node;
use pairwave_core::notice::Notice;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::store::Reader;

type Read = Box<dyn FnOnce(&Node<Reader>) + Send>;

/// Something for the task that owns the node.
pub(super) enum Job {
    Command { command: Box<Command>, reply: oneshot::Sender<Result<Outcome, Refusal>> },
    Query(Read),
    Stop,
}

/// How everybody else reaches the node; cheap to clone.
#[derive(Clone)]
pub struct DriverHandle {
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) notices: broadcast::Sender<Notice>,
}

impl DriverHandle {
    /// Has a command carried out. The answer comes when all that it says is durable.
    pub async fn command(&self, command: Command) -> Result<Outcome, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Command { command: Box::new(command), reply }).await;
        answer.await.unwrap_or_else(|_| Err(Refusal::StoreFailed { why: "the companion is stopping".into() }))
    }

    /// Reads in the node. `read` runs between two inputs: it must be quick. Never ready once the
    /// companion has stopped.
    pub async fn query<R: Send + 'static>(&self, read: impl FnOnce(&Node<Reader>) -> R + Send + 'static) -> R {
        let (tell, told) = oneshot::channel();
        let job = Job::Query(Box::new(|node| {
            let _ = tell.send(read(node));
        }));
        self.send(job).await;
        match told.await {
            Ok(answer) => answer,
            Err(_) => pending().await,
        }
    }

    /// Everything that the node tells from now on.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Tells all who listen of something that the node has told, and that is more now than it was then.
    pub fn tell(&self, notice: Notice) {
        let _ = self.notices.send(notice);
    }

    /// Ends the driver once all that it has begun is durable and told.
    pub async fn stop(&self) {
        self.send(Job::Stop).await;
    }

    async fn send(&self, job: Job) {
        // Nobody there: the job is dropped, and with it whatever waits for it is told so.
        let _ = self.jobs.send(job).await;
    }
}
