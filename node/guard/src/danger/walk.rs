//! A walk through all that a command line would run, so far as it can be told without running it.

use brush_parser::ast::{
    self, AndOr, AssignmentName, AssignmentValue, Command, CommandPrefixOrSuffixItem as Item, CompoundCommand,
    IoFileRedirectKind, IoFileRedirectTarget, IoRedirect,
};

use super::call::{Call, Input};
use super::nested::{Nested, nested};
use super::rules::{self, Rule, network, places, shells};
use super::words::{Expander, Variables, Word};
use super::{Warning, foreign, grammar, output, warning};
use crate::paths;

/// How deep code may stand in code: `sh -c` in `$(…)` in `eval`.
const MAX_DEPTH: usize = 16;

/// Commands of one text, all depths together.
const MAX_CALLS: usize = 5_000;

/// Warnings of one text.
const MAX_WARNINGS: usize = 32;

/// Variables whose values other programs run.
const RUN_VARIABLES: &[&str] = &[
    "GIT_SSH_COMMAND",
    "GIT_EDITOR",
    "GIT_PAGER",
    "GIT_EXTERNAL_DIFF",
    "GIT_SEQUENCE_EDITOR",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "PROMPT_COMMAND",
    "SSH_ASKPASS",
    "GIT_ASKPASS",
    "BROWSER",
];

#[derive(Default)]
pub struct Walk {
    warnings: Vec<Warning>,
    variables: Variables,
    /// Files that were fetched or written on the way, with what is in them if that can be told.
    made: Vec<(String, Option<String>)>,
    /// Where `cd` has led.
    folder: String,
    depth: usize,
    calls: usize,
}

impl Walk {
    /// Judges a text as a command line.
    pub fn of(code: &str) -> Vec<Warning> {
        let mut walk = Self::default();
        walk.code(code);
        walk.warnings
    }

    /// Judges code; gives what it prints, if that can be told.
    fn code(&mut self, code: &str) -> Option<String> {
        self.code_with(code, &Input::Nothing)
    }

    fn code_with(&mut self, code: &str, input: &Input) -> Option<String> {
        let code = code.replace("\r\n", "\n");
        if code.chars().any(|c| paths::hides(c) && !matches!(c, '\n' | '\t' | '\u{ad}' | '\u{200d}')) {
            self.warn(shells::HIDDEN, &code);
        }
        if self.depth >= MAX_DEPTH {
            self.warn(shells::OPAQUE, &code);
            return None;
        }
        let Some(program) = grammar::program(&code).or_else(|| grammar::substituted(&code)) else {
            self.warn(shells::OPAQUE, &code);
            self.depth += 1;
            self.by_words(&code);
            self.depth -= 1;
            return None;
        };
        self.depth += 1;
        let mut printed = Some(String::new());
        for list in &program.complete_commands {
            printed = join(printed, self.list(list, input));
        }
        self.depth -= 1;
        printed
    }

    /// What is no program of this shell may be one of another.
    fn by_words(&mut self, code: &str) {
        let mut piped = false;
        for (number, part) in code.split_inclusive([';', '|', '&', '\n', '(', ')', '{', '}']).enumerate() {
            if number > MAX_CALLS {
                break;
            }
            let end = part.ends_with('|');
            let part = part.trim_end_matches([';', '|', '&', '\n', '(', ')', '{', '}']);
            let bare = |word: &str| Word::new(word.trim_matches(['"', '\'', '`']));
            let words: Vec<Word> = part.split_whitespace().map(bare).collect();
            let input = if piped { Input::Pipe(None) } else { Input::Nothing };
            for words in (0..words.len().min(8)).map(|at| &words[at..]) {
                if let Some(call) = Call::new(words, &input) {
                    self.check(&call, words);
                }
            }
            piped = end;
        }
    }

    fn list(&mut self, list: &ast::CompoundList, input: &Input) -> Option<String> {
        let mut printed = Some(String::new());
        for item in &list.0 {
            printed = join(printed, self.pipeline(&item.0.first, input));
            for next in &item.0.additional {
                let (AndOr::And(pipeline) | AndOr::Or(pipeline)) = next;
                printed = join(printed, self.pipeline(pipeline, input));
            }
        }
        printed
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline, input: &Input) -> Option<String> {
        let mut input = input.clone();
        let mut printed = None;
        for (number, command) in pipeline.seq.iter().enumerate() {
            if number > 0 {
                input = Input::Pipe(printed.take());
            }
            printed = self.command(command, &input);
        }
        printed
    }

    fn command(&mut self, command: &Command, input: &Input) -> Option<String> {
        match command {
            Command::Simple(simple) => self.simple(simple, input),
            Command::Compound(compound, redirects) => {
                let input = self.redirects(redirects.iter().flat_map(|list| &list.0), input);
                self.compound(compound, &input)
            }
            Command::Function(function) => {
                let name = &function.fname.value;
                if forks(name, &function.body.0) {
                    self.warn(rules::disks::FORK_BOMB, &function.to_string());
                }
                let input = self.redirects(function.body.1.iter().flat_map(|list| &list.0), input);
                self.compound(&function.body.0, &input);
                None
            }
            Command::ExtendedTest(test) => {
                self.test(&test.expr);
                Some(String::new())
            }
        }
    }

    fn compound(&mut self, compound: &CompoundCommand, input: &Input) -> Option<String> {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list, input),
            CompoundCommand::Subshell(group) => self.list(&group.list, input),
            CompoundCommand::Arithmetic(arithmetic) => {
                self.value(&arithmetic.expr.value);
                Some(String::new())
            }
            CompoundCommand::ArithmeticForClause(clause) => {
                for part in [&clause.initializer, &clause.condition, &clause.updater].into_iter().flatten() {
                    self.value(&part.value);
                }
                self.list(&clause.body.list, input);
                None
            }
            CompoundCommand::ForClause(clause) => {
                let values: Vec<Word> =
                    clause.values.iter().flatten().flat_map(|word| self.words(&word.value)).collect();
                for value in &values {
                    self.variables.assign(&clause.variable_name, &value.text, value.known);
                }
                self.list(&clause.body.list, input);
                None
            }
            CompoundCommand::CaseClause(clause) => {
                self.value(&clause.value.value);
                for case in &clause.cases {
                    case.patterns.iter().for_each(|pattern| drop(self.value(&pattern.value)));
                    case.cmd.iter().for_each(|list| drop(self.list(list, input)));
                }
                None
            }
            CompoundCommand::IfClause(clause) => {
                self.list(&clause.condition, input);
                self.list(&clause.then, input);
                for other in clause.elses.iter().flatten() {
                    other.condition.iter().for_each(|list| drop(self.list(list, input)));
                    self.list(&other.body, input);
                }
                None
            }
            CompoundCommand::WhileClause(clause) | CompoundCommand::UntilClause(clause) => {
                self.list(&clause.0, input);
                self.list(&clause.1.list, input);
                None
            }
        }
    }

    fn test(&mut self, test: &ast::ExtendedTestExpr) {
        use ast::ExtendedTestExpr::*;
        match test {
            And(left, right) | Or(left, right) => {
                self.test(left);
                self.test(right);
            }
            Not(inner) | Parenthesized(inner) => self.test(inner),
            UnaryTest(_, word) => drop(self.value(&word.value)),
            BinaryTest(_, left, right) => {
                self.value(&left.value);
                self.value(&right.value);
            }
        }
    }

    fn simple(&mut self, simple: &ast::SimpleCommand, input: &Input) -> Option<String> {
        let items = simple.prefix.iter().flat_map(|prefix| &prefix.0);
        let (mut words, mut redirects) = (Vec::new(), Vec::new());
        for item in items {
            self.item(item, true, &mut words, &mut redirects);
        }
        words.extend(simple.word_or_name.iter().flat_map(|word| self.words(&word.value)));
        for item in simple.suffix.iter().flat_map(|suffix| &suffix.0) {
            self.item(item, false, &mut words, &mut redirects);
        }
        let input = self.redirects(redirects.iter().copied(), input);
        if words.is_empty() {
            return Some(String::new());
        }
        self.note_fetched(&words, &redirects);
        let printed = self.call(&words, &input);
        self.note_written(&redirects, printed.as_deref());
        let elsewhere = redirects
            .iter()
            .any(|redirect| !matches!(redirect, IoRedirect::HereDocument(..) | IoRedirect::HereString(..)));
        if elsewhere { None } else { printed }
    }

    fn item<'a>(&mut self, item: &'a Item, prefix: bool, words: &mut Vec<Word>, redirects: &mut Vec<&'a IoRedirect>) {
        match item {
            Item::IoRedirect(redirect) => redirects.push(redirect),
            Item::Word(word) => words.extend(self.words(&word.value)),
            Item::AssignmentWord(assignment, _) if prefix => self.assign(assignment),
            Item::AssignmentWord(assignment, word) => {
                self.assign(assignment);
                words.extend(self.words(&word.value));
            }
            Item::ProcessSubstitution(kind, shell) => {
                let source = matches!(kind, ast::ProcessSubstitutionKind::Read);
                let input = if source { Input::Nothing } else { Input::Pipe(None) };
                self.list(&shell.list, &input);
                words.push(Word::new(if source { "<(…)" } else { ">(…)" }));
            }
        }
    }

    fn assign(&mut self, assignment: &ast::Assignment) {
        let (AssignmentName::VariableName(name) | AssignmentName::ArrayElementName(name, _)) = &assignment.name;
        let values: Vec<&str> = match &assignment.value {
            AssignmentValue::Scalar(word) => vec![&word.value],
            AssignmentValue::Array(words) => words.iter().map(|(_, word)| word.value.as_str()).collect(),
        };
        let words: Vec<Word> = values.into_iter().filter_map(|value| self.value(value)).collect();
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let known = words.iter().all(|word| word.known) && !assignment.append;
        if RUN_VARIABLES.contains(&name.as_str()) {
            self.code(&text);
        }
        self.variables.assign(name, &text, known);
    }

    fn words(&mut self, raw: &str) -> Vec<Word> {
        let variables = self.variables.clone();
        let words = Expander { variables: &variables, run: &mut |code| self.code(code) }.words(raw);
        words.unwrap_or_else(|| self.unread(raw))
    }

    fn value(&mut self, raw: &str) -> Option<Word> {
        let variables = self.variables.clone();
        let word = Expander { variables: &variables, run: &mut |code| self.code(code) }.value(raw);
        word.or_else(|| self.unread(raw).pop())
    }

    /// A word that could not be read.
    fn unread(&mut self, raw: &str) -> Vec<Word> {
        self.warn(shells::OPAQUE, raw);
        vec![Word { text: raw.to_owned(), known: false, globs: false }]
    }

    /// Judges where output goes; gives where input comes from.
    fn redirects<'a>(&mut self, redirects: impl Iterator<Item = &'a IoRedirect>, input: &Input) -> Input {
        let mut input = input.clone();
        for redirect in redirects {
            match redirect {
                IoRedirect::File(_, kind, target) => self.redirect(kind, target, &mut input),
                IoRedirect::OutputAndError(word, _) => {
                    let words = self.words(&word.value);
                    words.iter().for_each(|word| self.written(&word.text, &word.text));
                }
                IoRedirect::HereDocument(_, document) => {
                    let text = document.doc.value.clone();
                    let text = if document.requires_expansion { self.document(&text) } else { text };
                    input = Input::Text(text);
                }
                IoRedirect::HereString(_, word) => {
                    input = Input::Text(self.value(&word.value).unwrap_or_default().text);
                }
            }
        }
        input
    }

    /// A here-document is read as if it stood in double quotes; only what it substitutes matters.
    fn document(&mut self, text: &str) -> String {
        let quoted = format!("\"{}\"", text.replace('"', "\\\""));
        if !text.contains(['$', '`']) {
            return text.to_owned();
        }
        self.value(&quoted).map_or_else(|| text.to_owned(), |word| word.text)
    }

    fn redirect(&mut self, kind: &IoFileRedirectKind, target: &IoFileRedirectTarget, input: &mut Input) {
        let reads = matches!(kind, IoFileRedirectKind::Read | IoFileRedirectKind::DuplicateInput);
        match target {
            IoFileRedirectTarget::Filename(word) | IoFileRedirectTarget::Duplicate(word) => {
                for word in self.words(&word.value) {
                    if word.text.starts_with("/dev/tcp/") || word.text.starts_with("/dev/udp/") {
                        self.warn(network::REMOTE_REDIRECT, &word.text);
                    } else if !reads {
                        self.written(&word.text, &word.text);
                    }
                }
            }
            IoFileRedirectTarget::ProcessSubstitution(_, shell) => {
                self.list(&shell.list, &if reads { Input::Nothing } else { Input::Pipe(None) });
                if reads {
                    *input = Input::Pipe(None);
                }
            }
            IoFileRedirectTarget::Fd(_) => {}
        }
    }

    /// Judges a path that is written, in its own words and from where `cd` has led.
    fn written(&mut self, path: &str, excerpt: &str) {
        let from_here =
            if path.starts_with(['/', '~', '$']) { path.to_owned() } else { format!("{}{path}", self.folder) };
        if paths::device(path) {
            self.warn(rules::disks::DISK, excerpt);
        } else if paths::protected(path) || paths::protected(&from_here) {
            self.warn(places::PROTECTED, excerpt);
        } else if paths::of_system(path) || paths::of_system(&from_here) {
            self.warn(places::SYSTEM, excerpt);
        }
    }

    /// Judges a command that is run with these words; gives what it prints, if that can be told.
    fn call(&mut self, words: &[Word], input: &Input) -> Option<String> {
        let call = Call::new(words, input)?;
        self.calls += 1;
        if self.depth >= MAX_DEPTH || self.calls > MAX_CALLS {
            self.warn(shells::OPAQUE, &shown(words));
            return None;
        }
        let first = &words[0];
        if !first.known || (first.globs && !matches!(first.text.as_str(), "[" | "[[")) {
            self.warn(shells::OPAQUE, &shown(words));
        }
        self.check(&call, words);
        if call.name == "cd" || call.name == "pushd" {
            self.enter(call.operand(0));
        }
        self.depth += 1;
        for inner in nested(&call) {
            match inner {
                Nested::Words(words) => drop(self.call(&words, input)),
                Nested::Code(code) => drop(self.code_with(&code, input)),
                Nested::Foreign(code) => self.foreign(&code),
                Nested::Opaque => self.warn(shells::OPAQUE, &shown(words)),
            }
        }
        self.depth -= 1;
        output::of(&call)
    }

    /// Asks the rules.
    fn check(&mut self, call: &Call<'_>, words: &[Word]) {
        for rule in rules::of_call(call) {
            self.warn(rule, &shown(words));
        }
        for (excerpt, rule) in network::of_arguments(call) {
            self.warn(rule, &excerpt);
        }
        if call.texts().any(|text| text.contains("169.254.169.254") || text.contains("metadata.google.internal"))
            && call.name != "echo"
        {
            self.warn(network::METADATA_SERVICE, &shown(words));
        }
        for path in output::written(call) {
            self.written(path, &shown(words));
        }
        let path = words[0].text.trim_start_matches("./");
        let runs = matches!(call.name.as_str(), "source" | ".")
            || shells::SHELLS.contains(&call.name.as_str())
            || shells::INTERPRETERS.contains(&call.name.as_str());
        let ran = |name: &String| {
            name == path || (runs && call.operands().take(1).any(|text| text.trim_start_matches("./") == name))
        };
        let made: Vec<Option<String>> =
            self.made.iter().filter(|(name, _)| ran(name)).map(|(_, text)| text.clone()).collect();
        for text in made {
            match text {
                Some(text) => drop(self.code(&text)),
                None => self.warn(shells::PIPE_TO_SHELL, &shown(words)),
            }
        }
    }

    fn foreign(&mut self, code: &str) {
        let found = foreign::scan(code);
        if found.deletes {
            self.warn(shells::DESTRUCTIVE_CODE, code);
        }
        if found.opaque {
            self.warn(shells::OPAQUE, code);
        }
        found.commands.iter().for_each(|command| drop(self.code(command)));
    }

    fn enter(&mut self, folder: &str) {
        let folder = format!("{}/", folder.trim_end_matches('/'));
        self.folder = if folder.starts_with(['/', '~', '$']) { folder } else { format!("{}{folder}", self.folder) };
        if self.folder.len() > 4096 {
            self.folder.clear();
        }
    }

    /// Remembers files that a fetching command writes.
    fn note_fetched(&mut self, words: &[Word], redirects: &[&IoRedirect]) {
        let input = Input::Nothing;
        let Some(call) =
            Call::new(words, &input).filter(|call| call.is(&["curl", "wget", "aria2c", "iwr", "invoke-webrequest"]))
        else {
            return;
        };
        let mut names: Vec<String> = Vec::new();
        names.extend(output::fetched(&call).map(str::to_owned));
        names.extend(call.value("-OutFile", "").map(str::to_owned));
        let last = |url: &str| {
            url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned()
        };
        names.extend(call.operands().filter(|text| text.contains('/')).map(last));
        for redirect in redirects {
            if let IoRedirect::File(_, _, IoFileRedirectTarget::Filename(word)) = redirect {
                names.extend(self.words(&word.value).into_iter().map(|word| word.text));
            }
        }
        let names =
            names.into_iter().map(|name| name.trim_start_matches("./").to_owned()).filter(|name| !name.is_empty());
        self.made.extend(names.take(8).map(|name| (name, None)));
    }

    /// Remembers what is written where, as it may be run next.
    fn note_written(&mut self, redirects: &[&IoRedirect], printed: Option<&str>) {
        let Some(text) = printed.filter(|text| !text.is_empty() && self.made.len() < 64) else { return };
        for redirect in redirects {
            if let IoRedirect::File(
                _,
                IoFileRedirectKind::Write | IoFileRedirectKind::Append | IoFileRedirectKind::Clobber,
                IoFileRedirectTarget::Filename(word),
            ) = redirect
            {
                let names =
                    self.words(&word.value).into_iter().map(|word| word.text.trim_start_matches("./").to_owned());
                self.made.extend(names.map(|name| (name, Some(text.to_owned()))));
            }
        }
    }

    fn warn(&mut self, rule: &'static Rule, excerpt: &str) {
        let new = warning(rule, excerpt);
        if self.warnings.len() < MAX_WARNINGS && !self.warnings.contains(&new) {
            self.warnings.push(new);
        }
    }
}

fn join(before: Option<String>, next: Option<String>) -> Option<String> {
    let (mut before, next) = (before?, next?);
    before.push_str(&next);
    (before.len() <= grammar::MAX_BYTES).then_some(before)
}

fn shown(words: &[Word]) -> String {
    words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ")
}

/// A function that starts itself in a pipeline.
fn forks(name: &str, body: &CompoundCommand) -> bool {
    let list = match body {
        CompoundCommand::BraceGroup(group) => &group.list,
        CompoundCommand::Subshell(group) => &group.list,
        _ => return false,
    };
    let itself = |command: &Command| matches!(command, Command::Simple(simple) if simple.word_or_name.as_ref().is_some_and(|word| word.value == name));
    list.0.iter().any(|item| item.0.first.seq.len() > 1 && item.0.first.seq.iter().all(itself))
}
