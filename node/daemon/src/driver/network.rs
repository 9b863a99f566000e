//! The network as the driver sees it.

use pairwave_core::effect::Effect;
use pairwave_core::input::Input;

/// Carries out what concerns the network, and tells what happens there.
pub trait Network: Send + 'static {
    /// Takes an `Open`, `Send`, `Hangup`, `Dial` or `Drop`, without ever blocking.
    fn carry_out(&self, effect: Effect);

    /// The next thing that happened; `None` once the network has ended. Not asked while there is
    /// too much to do, so that a peer who sends too much has to wait.
    fn next(&mut self) -> impl Future<Output = Option<Input>> + Send;
}
