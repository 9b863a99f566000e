//! Commands that run other commands: what those are.

mod wrappers;

use super::call::{Call, Input, name_of};
use super::output;
use super::rules::shells::{INTERPRETERS, SHELLS, is_code_option};
use super::words::Word;
use wrappers::{VERBS, WRAPPERS, Wrapper, is_command};

/// Something that a command runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nested {
    Words(Vec<Word>),
    /// For a shell.
    Code(String),
    /// For an interpreter of another language.
    Foreign(String),
    /// It cannot be told.
    Opaque,
}

/// What a command runs, once for each way to read it.
pub fn nested(call: &Call<'_>) -> Vec<Nested> {
    let mut found = Vec::new();
    if call.is(SHELLS) {
        shell(call, &mut found);
    } else if call.is(INTERPRETERS) || call.is(&["awk", "gawk", "mawk"]) {
        interpreter(call, &mut found);
    }
    if let Some(wrapper) = WRAPPERS.iter().find(|wrapper| call.is(wrapper.names)) {
        found.extend(wrapped(call, wrapper));
    }
    if let Some((_, verbs)) = VERBS.iter().find(|(name, _)| call.name == *name) {
        found.extend(behind_verb(call, verbs));
    }
    special(call, &mut found);
    found
}

/// Commands with a way of their own.
fn special(call: &Call<'_>, found: &mut Vec<Nested>) {
    let code = |text: &str| Nested::Code(text.to_owned());
    match call.name.as_str() {
        "eval" => found.push(Nested::Code(call.joined())),
        "iex" | "invoke-expression" | "watch" | "call" | "start" => {
            found.push(Nested::Code(call.operands().collect::<Vec<_>>().join(" ")))
        }
        "trap" => found.extend(call.operands().next().map(code)),
        "alias" => found.extend(call.operands().filter_map(|text| text.split_once('=')).map(|(_, value)| code(value))),
        "su" | "script" | "flock" | "runuser" | "vagrant" | "nix-shell" | "npm" | "npx" | "pnpm" => {
            let value = ["-c", "--command", "--run", "--call"].iter().find_map(|option| call.value("", option));
            found.extend(value.map(code));
        }
        "env" => found.extend(call.value("-S", "--split-string").map(code)),
        "ssh" | "autossh" | "mosh" | "sshpass" => found.extend(remote(call)),
        "gcloud" => found.extend(call.value("", "--command").map(code)),
        "find" | "gfind" => found.extend(executed(call, &["-exec", "-execdir", "-ok", "-okdir"])),
        "fd" | "fdfind" => found.extend(executed(call, &["-x", "-X", "--exec", "--exec-batch"])),
        "git" => found.extend(git(call)),
        "cmd" => found.extend(
            behind(call, |text| text.eq_ignore_ascii_case("/c") || text.eq_ignore_ascii_case("/k")).map(Nested::Code),
        ),
        "tmux" | "screen" | "byobu" => {
            found.extend(call.operands().skip(1).filter(|text| text.contains(' ')).map(code))
        }
        "make" | "gmake" => found.extend(call.value("", "--eval").map(code)),
        "vim" | "vi" | "nvim" | "ex" => {
            found.extend(
                call.texts().filter_map(|text| text.trim_start_matches(['+', ':']).strip_prefix('!')).map(code),
            );
        }
        "xargs" => found.extend(appended(call)),
        "parallel" => {
            found.extend(call.operands().take_while(|text| *text != ":::").filter(|text| text.contains(' ')).map(code))
        }
        "at" | "batch" => found.extend(call.input.text().map(code)),
        "sed" | "gsed" => {}
        _ => {}
    }
}

fn shell(call: &Call<'_>, found: &mut Vec<Nested>) {
    let mut texts = call.texts().skip_while(|text| !is_code_option(text));
    if texts.next().is_some() {
        // Options may stand between `-c` and the code.
        found.extend(texts.find(|text| !text.starts_with('-')).map(|text| Nested::Code(text.to_owned())));
        return;
    }
    let reads = call.operands().next().is_none_or(|first| matches!(first, "-" | "/dev/stdin")) || call.option('s', "");
    if reads {
        found.extend(call.input.text().map(|text| Nested::Code(text.to_owned())));
    }
}

fn interpreter(call: &Call<'_>, found: &mut Vec<Nested>) {
    if call.is(&["powershell", "pwsh"]) {
        return powershell(call, found);
    }
    if call.is(&["awk", "gawk", "mawk"]) {
        let runs = |text: &&str| text.contains("system(") || text.contains("| getline") || text.contains("| \"");
        found.extend(call.operands().take(1).filter(runs).map(|text| Nested::Foreign(text.to_owned())));
        return;
    }
    if call.is(&["perl", "ruby", "php", "irb"]) {
        // Every second part stands in backquotes.
        let quoted = call.texts().flat_map(|text| text.split('`').skip(1).step_by(2));
        found.extend(quoted.map(|code| Nested::Code(code.to_owned())));
    }
    let letters: &[char] = if call.name.starts_with("python") || call.name.starts_with("pypy") {
        &['c']
    } else if call.name == "php" {
        &['r', 'R', 'B']
    } else {
        &['e', 'E', 'p', 'r']
    };
    let mut texts = call.texts();
    while let Some(text) = texts.next() {
        let short = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let long = text == "--eval" || text == "--print" || text == "eval";
        if long || short.is_some_and(|rest| rest.ends_with(letters)) {
            found.extend(texts.next().map(|code| Nested::Foreign(code.to_owned())));
        } else if let Some(code) = short.filter(|rest| rest.len() > 3 && rest.starts_with(letters)) {
            found.push(Nested::Foreign(code[1..].to_owned()));
        } else if let Some(code) = text.strip_prefix("--eval=") {
            found.push(Nested::Foreign(code.to_owned()));
        }
    }
    if call.operands().next().is_none_or(|first| first == "-") {
        found.extend(call.input.text().map(|text| Nested::Foreign(text.to_owned())));
    }
}

fn powershell(call: &Call<'_>, found: &mut Vec<Nested>) {
    let shortened = |text: &str, name: &str, least: usize| {
        let lower = text.to_lowercase().replace('/', "-");
        lower.len() >= least && name.starts_with(&lower)
    };
    if let Some(encoded) =
        call.texts().skip_while(|text| !shortened(text, "-encodedcommand", 2) && *text != "-ec").nth(1)
    {
        found.push(output::base64_utf16(encoded).map_or(Nested::Opaque, Nested::Code));
        return;
    }
    found.extend(behind(call, |text| shortened(text, "-command", 2)).map(Nested::Code));
    if call.operands().next().is_some_and(|text| text.contains(' ')) {
        found.push(Nested::Code(call.operands().collect::<Vec<_>>().join(" ")));
    }
}

/// All that stands behind a word.
fn behind(call: &Call<'_>, word: impl Fn(&str) -> bool) -> Option<String> {
    let rest: Vec<&str> = call.texts().skip_while(|text| !word(text)).skip(1).collect();
    (!rest.is_empty()).then(|| rest.join(" "))
}

fn wrapped(call: &Call<'_>, wrapper: &Wrapper) -> Option<Nested> {
    if call.name == "command" && call.has(&["-v", "-V"]) {
        return None;
    }
    let (mut at, mut skip) = (0, wrapper.skip);
    while let Some(word) = call.arguments.get(at) {
        let text = word.text.as_str();
        let assigns = text.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        });
        if text == "--" {
            at += 1;
            continue;
        }
        if wrapper.valued.contains(&text) {
            at += 2;
        } else if text.starts_with('-') && text.len() > 1 || assigns && at < 32 {
            at += 1;
        } else if skip > 0 {
            (at, skip) = (at + 1, skip - 1);
        } else {
            break;
        }
    }
    let words = call.arguments.get(at..).filter(|words| !words.is_empty())?.to_vec();
    // `parallel` and `npx` take a whole line as one word.
    let line = matches!(call.name.as_str(), "parallel" | "time" | "npx") && words[0].text.contains(' ');
    Some(if line { Nested::Code(words[0].text.clone()) } else { Nested::Words(words) })
}

/// Behind a verb come options, names of images and machines, and then the command: each word may be
/// its first, but only a name that is known to be a command is taken for it.
fn behind_verb(call: &Call<'_>, verbs: &[&str]) -> Vec<Nested> {
    let texts: Vec<&str> = call.texts().collect();
    let Some(start) = texts.iter().position(|text| verbs.is_empty() || verbs.contains(text)) else { return Vec::new() };
    if let Some(at) = texts.iter().position(|text| *text == "--").filter(|at| *at > start) {
        let words = call.arguments[at + 1..].to_vec();
        return if words.is_empty() { Vec::new() } else { vec![Nested::Words(words)] };
    }
    let from = start + usize::from(!verbs.is_empty());
    let candidates = (from..texts.len()).take(24).filter(|at| !texts[*at].starts_with('-'));
    let known = |at: &usize| {
        let word = &call.arguments[*at];
        word.known && !word.globs && is_command(&name_of(&word.text))
    };
    candidates.filter(known).take(1).map(|at| Nested::Words(call.arguments[at..].to_vec())).collect()
}

/// Behind the options and the host.
fn remote(call: &Call<'_>) -> Option<Nested> {
    let valued = [
        "-b", "-c", "-D", "-E", "-e", "-F", "-I", "-i", "-J", "-L", "-l", "-m", "-O", "-o", "-p", "-Q", "-R", "-S",
        "-W", "-w",
    ];
    let texts: Vec<&str> = call.texts().collect();
    if let Some(command) = texts.iter().find_map(|text| text.split_once("ProxyCommand=")) {
        return Some(Nested::Code(command.1.to_owned()));
    }
    let mut at = 0;
    while let Some(text) = texts.get(at).filter(|text| text.starts_with('-')) {
        at += 1 + usize::from(valued.contains(text));
    }
    let rest = texts.get(at + 1..)?;
    if rest.is_empty() {
        return matches!(call.input, Input::Text(_))
            .then(|| Nested::Code(call.input.text().unwrap_or_default().to_owned()));
    }
    Some(Nested::Code(rest.join(" ")))
}

/// What `find` and its like run, up to `;` or `+`.
fn executed(call: &Call<'_>, options: &[&str]) -> Vec<Nested> {
    let mut found = Vec::new();
    for (at, word) in
        call.arguments.iter().enumerate().filter(|(_, word)| options.contains(&word.text.as_str())).take(16)
    {
        let _ = word;
        let words: Vec<Word> = call.arguments[at + 1..]
            .iter()
            .take_while(|word| !matches!(word.text.as_str(), ";" | "+"))
            .cloned()
            .collect();
        if !words.is_empty() {
            found.push(Nested::Words(words));
        }
    }
    found
}

/// What `xargs` puts behind its command, where the input can be told.
fn appended(call: &Call<'_>) -> Option<Nested> {
    let input = call.input.text()?;
    let wrapper = WRAPPERS.iter().find(|wrapper| wrapper.names.contains(&"xargs"))?;
    let more = input.split_whitespace().map(|text| Word::new(text.trim_matches(['"', '\''])));
    match wrapped(call, wrapper) {
        Some(Nested::Words(mut words)) => {
            words.extend(more);
            Some(Nested::Words(words))
        }
        _ => None,
    }
}

fn git(call: &Call<'_>) -> Vec<Nested> {
    let texts: Vec<&str> = call.texts().collect();
    let mut found = Vec::new();
    if texts.contains(&"foreach") {
        found.extend(behind(call, |text| text == "foreach").map(Nested::Code));
    }
    for option in [
        "--exec",
        "-x",
        "--tree-filter",
        "--index-filter",
        "--env-filter",
        "--msg-filter",
        "--upload-pack",
        "--receive-pack",
    ] {
        found.extend(call.value("", option).map(|code| Nested::Code(code.to_owned())));
    }
    found.extend(
        texts
            .iter()
            .filter_map(|text| text.split_once('='))
            .filter_map(|(_, value)| value.strip_prefix('!'))
            .map(|code| Nested::Code(code.to_owned())),
    );
    found.extend(texts.iter().filter_map(|text| text.strip_prefix('!')).map(|code| Nested::Code(code.to_owned())));
    if let Some(code) = texts.iter().find_map(|text| text.strip_prefix("ext::")) {
        found.push(Nested::Code(code.to_owned()));
    }
    found
}
