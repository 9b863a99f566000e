//! A relay: circuits, a blind mailbox and a blind lookup for companions that cannot reach each other.
