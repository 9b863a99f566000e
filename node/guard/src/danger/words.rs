//! What the shell makes of a word before it runs anything: quotes, escapes, braces, variables.

use std::collections::HashMap;

use brush_parser::word::{Parameter, ParameterExpr, SpecialParameter, WordPiece, WordPieceWithSource};

use super::grammar;

/// Bytes of a variable; what is longer is not followed.
const MAX_VALUE: usize = 16 << 10;

/// A word as a command gets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Word {
    /// What cannot be known stands as it was written, as in `$HOME/x`.
    pub text: String,
    /// Nothing in it depends on what only a running shell knows.
    pub known: bool,
    /// It may become names of files.
    pub globs: bool,
}

impl Word {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), known: true, globs: false }
    }
}

/// Values of variables, as far as they were assigned where we saw it.
#[derive(Debug, Clone)]
pub struct Variables(HashMap<String, (String, bool)>);

impl Default for Variables {
    fn default() -> Self {
        let seeds = [("IFS", " \t\n"), ("SHELL", "sh"), ("BASH", "bash"), ("0", "sh")];
        Self(seeds.map(|(name, value)| (name.to_owned(), (value.to_owned(), true))).into())
    }
}

impl Variables {
    /// As it cannot be told which assignment is run, a variable that gets a second value has both,
    /// and none for sure.
    pub fn assign(&mut self, name: &str, value: &str, known: bool) {
        match self.0.get_mut(name) {
            Some((old, _)) if name != "IFS" && *old == value => {}
            Some((old, sure)) if old.len() + value.len() < MAX_VALUE => {
                *old = format!("{value} {old}");
                *sure = false;
            }
            Some((_, sure)) => *sure = false,
            None if value.len() < MAX_VALUE => drop(self.0.insert(name.to_owned(), (value.to_owned(), known))),
            None => {}
        }
    }

    fn get(&self, parameter: &Parameter) -> Option<(&str, bool)> {
        let name = match parameter {
            Parameter::Named(name) | Parameter::NamedWithIndex { name, .. } => name.as_str(),
            Parameter::NamedWithAllIndices { name, .. } => name.as_str(),
            Parameter::Special(SpecialParameter::ShellName) | Parameter::Positional(0) => "0",
            _ => return None,
        };
        self.0.get(name).map(|(value, known)| (value.as_str(), *known))
    }
}

/// Expands words; `run` is given each command that stands in one, and says what it prints if that
/// can be told.
pub struct Expander<'a> {
    pub variables: &'a Variables,
    pub run: &'a mut dyn FnMut(&str) -> Option<String>,
}

impl Expander<'_> {
    /// The words that a word becomes. None if it cannot be read.
    pub fn words(&mut self, raw: &str) -> Option<Vec<Word>> {
        let mut words = Vec::new();
        for raw in grammar::braces(raw)? {
            let pieces = grammar::pieces(&raw)?;
            let mut fields = Fields::default();
            self.pieces(&raw, &pieces, false, &mut fields);
            words.extend(fields.finish());
        }
        Some(words)
    }

    /// The same where nothing is split: the value of an assignment, a here-document.
    pub fn value(&mut self, raw: &str) -> Option<Word> {
        let pieces = grammar::pieces(raw)?;
        let mut fields = Fields::default();
        self.pieces(raw, &pieces, true, &mut fields);
        Some(fields.word.unwrap_or_else(|| Word::new("")))
    }

    fn pieces(&mut self, raw: &str, pieces: &[WordPieceWithSource], quoted: bool, fields: &mut Fields) {
        for piece in pieces {
            let source = raw.get(piece.start_index..piece.end_index).unwrap_or_default();
            self.piece(raw, source, &piece.piece, quoted, fields);
        }
    }

    fn piece(&mut self, raw: &str, source: &str, piece: &WordPiece, quoted: bool, fields: &mut Fields) {
        match piece {
            WordPiece::Text(text) => fields.text(text, !quoted && text.contains(['*', '?', '['])),
            WordPiece::SingleQuotedText(text) => fields.text(text, false),
            WordPiece::AnsiCQuotedText(text) => fields.text(&unescaped(text), false),
            WordPiece::DoubleQuotedSequence(inner) | WordPiece::GettextDoubleQuotedSequence(inner) => {
                fields.text("", false);
                self.pieces(raw, inner, true, fields);
            }
            WordPiece::TildePrefix(user) => fields.text(&format!("~{user}"), false),
            WordPiece::EscapeSequence(text) => {
                fields.text(text.strip_prefix('\\').filter(|text| *text != "\n").unwrap_or_default(), false);
            }
            WordPiece::CommandSubstitution(code) => self.substitute(code, source, quoted, fields),
            WordPiece::BackquotedCommandSubstitution(code) => {
                let code = code.replace("\\`", "`").replace("\\\\", "\\").replace("\\$", "$");
                self.substitute(&code, source, quoted, fields);
            }
            WordPiece::ArithmeticExpression(expression) => {
                self.look_into(&expression.value);
                fields.unknown(source);
            }
            WordPiece::ParameterExpansion(expression) => self.parameter(source, expression, quoted, fields),
        }
    }

    fn substitute(&mut self, code: &str, source: &str, quoted: bool, fields: &mut Fields) {
        match (self.run)(code) {
            Some(printed) => fields.value(printed.trim_end_matches('\n'), true, quoted),
            None => fields.unknown(source),
        }
    }

    fn parameter(&mut self, source: &str, expression: &ParameterExpr, quoted: bool, fields: &mut Fields) {
        use ParameterExpr::*;
        let (parameter, other) = match expression {
            Parameter { parameter, indirect: false } => (Some(parameter), None),
            UseDefaultValues { parameter, default_value: other, .. }
            | AssignDefaultValues { parameter, default_value: other, .. } => (Some(parameter), other.as_deref()),
            UseAlternativeValue { alternative_value: other, .. } => (None, other.as_deref()),
            _ => (None, None),
        };
        // Commands may stand in any part of it.
        let other = other.and_then(|other| self.value(other));
        if !matches!(expression, Parameter { .. }) {
            self.look_into(source.get(2..source.len().saturating_sub(1)).unwrap_or_default());
        }
        // In quotes too, each value of an array is a word.
        let quoted = quoted && !matches!(parameter, Some(brush_parser::word::Parameter::NamedWithAllIndices { .. }));
        match (parameter.and_then(|parameter| self.variables.get(parameter)), other) {
            (Some((value, known)), _) => fields.value(value, known, quoted),
            (None, Some(word)) => fields.value(&word.text, false, quoted),
            (None, None) => fields.unknown(source),
        }
    }

    /// Runs what stands in a text that is no word.
    fn look_into(&mut self, text: &str) {
        if text.contains("$(") || text.contains('`') {
            let _ = self.value(text);
        }
    }
}

/// The fields of a word, as it is split.
#[derive(Default)]
struct Fields {
    done: Vec<Word>,
    word: Option<Word>,
}

impl Fields {
    fn current(&mut self) -> &mut Word {
        self.word.get_or_insert_with(|| Word::new(""))
    }

    fn text(&mut self, text: &str, globs: bool) {
        let word = self.current();
        word.text.push_str(text);
        word.globs |= globs;
    }

    fn unknown(&mut self, source: &str) {
        let word = self.current();
        word.text.push_str(source);
        word.known = false;
    }

    /// What a variable holds; split where it is not quoted.
    fn value(&mut self, value: &str, known: bool, quoted: bool) {
        if quoted {
            let word = self.current();
            word.text.push_str(value);
            word.known &= known;
            return;
        }
        if value.starts_with(char::is_whitespace) {
            self.done.extend(self.word.take());
        }
        for (number, part) in value.split_whitespace().enumerate() {
            if number > 0 {
                self.done.extend(self.word.take());
            }
            let word = self.current();
            word.text.push_str(part);
            word.known &= known;
            word.globs |= part.contains(['*', '?', '[']);
        }
        if value.ends_with(char::is_whitespace) {
            self.done.extend(self.word.take());
        }
    }

    fn finish(mut self) -> Vec<Word> {
        self.done.extend(self.word.take());
        self.done
    }
}

/// The escapes of `$'…'`, of `echo -e` and of `printf`.
pub fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = escape(&rest[at + 1..], &mut bytes);
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Puts one escaped character; gives what stands behind it.
fn escape<'a>(rest: &'a str, bytes: &mut Vec<u8>) -> &'a str {
    let Some(kind) = rest.chars().next() else {
        bytes.push(b'\\');
        return rest;
    };
    let (radix, skip, most) = match kind {
        'x' => (16, 1, 2),
        'u' => (16, 1, 4),
        'U' => (16, 1, 8),
        '0'..='7' => (8, 0, if kind == '0' { 4 } else { 3 }),
        _ => {
            match kind {
                'n' => bytes.push(b'\n'),
                't' => bytes.push(b'\t'),
                'r' => bytes.push(b'\r'),
                'a' | 'b' | 'e' | 'E' | 'f' | 'v' => {}
                '\\' | '\'' | '"' | '?' => bytes.push(kind as u8),
                other => bytes.extend_from_slice(format!("\\{other}").as_bytes()),
            }
            return &rest[kind.len_utf8()..];
        }
    };
    let digits = rest[skip..].bytes().take(most).take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let number = u32::from_str_radix(&rest[skip..skip + digits], radix).unwrap_or_default();
    if matches!(kind, 'u' | 'U') {
        bytes.extend_from_slice(char::from_u32(number).unwrap_or_default().to_string().as_bytes());
    } else {
        bytes.push((number & 0xff) as u8);
    }
    &rest[skip + digits..]
}
