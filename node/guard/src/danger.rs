//! How dangerous an action is.

/// How much an action can break. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    Low,
    Medium,
    High,
}

/// What somebody wants done on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action<'a> {
    RunCommand { command: &'a str },
    WriteFile { path: &'a str, content: &'a str },
    ApplyPatch { patch: &'a str },
    FetchUrl { url: &'a str },
}

/// Something that a human should know before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Id of the rule, as in its table.
    pub rule: &'static str,
    pub risk: Risk,
    /// One sentence.
    pub reason: &'static str,
    /// What it was seen in, shortened.
    pub excerpt: String,
}

/// What the rules say of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The highest of the action's own risk and those of the warnings.
    pub risk: Risk,
    pub warnings: Vec<Warning>,
}

/// Judges an action. What cannot be understood is high.
pub fn judge(_action: &Action<'_>) -> Judgement {
    Judgement { risk: Risk::High, warnings: Vec::new() }
}
