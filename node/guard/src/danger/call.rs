//! A command and what it was given, as the rules look at it.

use super::words::Word;

/// What a command reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Input {
    #[default]
    Nothing,
    /// What another command prints, if that can be told.
    Pipe(Option<String>),
    /// A here-document.
    Text(String),
}

impl Input {
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Nothing => None,
            Self::Pipe(text) => text.as_deref(),
            Self::Text(text) => Some(text),
        }
    }
}

#[derive(Debug)]
pub struct Call<'a> {
    /// Without its folders and `.exe`, in lower case.
    pub name: String,
    pub arguments: &'a [Word],
    pub input: &'a Input,
}

impl<'a> Call<'a> {
    pub fn new(words: &'a [Word], input: &'a Input) -> Option<Self> {
        let (first, arguments) = words.split_first()?;
        Some(Self { name: name_of(&first.text), arguments, input })
    }

    pub fn is(&self, names: &[&str]) -> bool {
        names.contains(&self.name.as_str())
    }

    pub fn texts(&self) -> impl Iterator<Item = &'a str> {
        self.arguments.iter().map(|word| word.text.as_str())
    }

    /// Arguments that are no options, also those behind `--`.
    pub fn operands(&self) -> impl Iterator<Item = &'a str> {
        let mut only = false;
        self.texts().filter(move |text| {
            let ends = *text == "--" && !only;
            only |= ends;
            !ends && (only || !text.starts_with('-') || *text == "-")
        })
    }

    /// The number-th operand; none is empty.
    pub fn operand(&self, number: usize) -> &'a str {
        self.operands().nth(number).unwrap_or_default()
    }

    /// A short option, also among others (`-rf`), or a long one, also with a value or cut short.
    pub fn option(&self, short: char, long: &str) -> bool {
        self.texts().take_while(|text| *text != "--").any(|text| match text.strip_prefix("--") {
            Some(name) => {
                let name = name.split('=').next().unwrap_or(name);
                !long.is_empty() && (name == long || (name.len() > 2 && long.starts_with(name)))
            }
            None => short != ' ' && text.strip_prefix('-').is_some_and(|letters| letters.contains(short)),
        })
    }

    /// Any of the words, as they stand.
    pub fn has(&self, words: &[&str]) -> bool {
        self.texts().any(|text| words.contains(&text))
    }

    /// The same, whatever the case.
    pub fn says(&self, words: &[&str]) -> bool {
        self.texts().any(|text| words.iter().any(|word| text.eq_ignore_ascii_case(word)))
    }

    /// Operands begin with these.
    pub fn begins(&self, words: &[&str]) -> bool {
        let mut operands = self.operands();
        words.iter().all(|word| operands.next().is_some_and(|operand| operand.eq_ignore_ascii_case(word)))
    }

    /// The value of an option: `-o x`, `-ox`, `--out x`, `--out=x`.
    pub fn value(&self, short: &str, long: &str) -> Option<&'a str> {
        let mut texts = self.texts();
        while let Some(text) = texts.next() {
            if (text == short && !short.is_empty()) || (text == long && !long.is_empty()) {
                return texts.next();
            }
            let long = text.strip_prefix(long).and_then(|rest| rest.strip_prefix('=')).filter(|_| !long.is_empty());
            let glued = text.strip_prefix(short).filter(|rest| short.len() == 2 && !rest.is_empty());
            if let Some(value) = long.or(glued) {
                return Some(value);
            }
        }
        None
    }

    /// What stands behind a short option that others may stand before: `-so FILE`, `-qOFILE`. These
    /// are letters of options that take no value.
    pub fn clustered(&self, short: char, plain: &str) -> Option<&'a str> {
        let mut texts = self.texts();
        while let Some(text) = texts.next() {
            let Some((before, behind)) = text.strip_prefix('-').and_then(|letters| letters.split_once(short)) else {
                continue;
            };
            if before.chars().all(|letter| plain.contains(letter)) {
                return if behind.is_empty() { texts.next() } else { Some(behind) };
            }
        }
        None
    }

    /// All arguments, with spaces between.
    pub fn joined(&self) -> String {
        self.texts().collect::<Vec<_>>().join(" ")
    }
}

/// The name of a program, from its path.
pub fn name_of(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase();
    let end = [".exe", ".cmd", ".bat", ".com"].iter().find_map(|end| name.strip_suffix(end));
    end.filter(|name| !name.is_empty()).unwrap_or(&name).to_owned()
}
