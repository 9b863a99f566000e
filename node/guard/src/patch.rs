//! Patches: which files they touch, and how.
