//! What somebody who has not seen the rules takes for dangerous, and for harmless.

pub mod dangerous;
pub mod harmless;

#[derive(Debug, Clone, Copy)]
pub enum Case {
    Run(&'static str),
    Write { path: &'static str, content: &'static str },
    Patch(&'static str),
    Fetch(&'static str),
}
