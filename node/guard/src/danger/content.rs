//! What files would run: scripts, recipes, jobs, and calls of a shell in code.

use super::rules::databases::destructive_sql;
use super::rules::{Rule, databases, places, shells};
use super::walk::Walk;
use super::{Warning, foreign, grammar, warning};
use crate::patch::{FilePatch, LineKind};

/// Lines that are looked at, and the longest of them.
const MAX_LINES: usize = 20_000;
const MAX_LINE: usize = 4_096;

/// Warnings of one file.
const MAX_WARNINGS: usize = 16;

/// Bytes of lines that are read as commands; the rest of a file is not.
const MAX_READ: usize = 256 << 10;

/// Rules whose commands are not taken for words of a sentence.
const TELLING: &[&str] = &[
    "recursive-delete",
    "force-push",
    "disk-destruction",
    "fork-bomb",
    "database-destruction",
    "cloud-teardown",
    "pipe-to-shell",
    "remote-shell",
    "metadata-address",
    "protected-path",
    "system-path",
    "destructive-code",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Each line is a command.
    Script,
    /// Lines behind a tab are commands.
    Makefile,
    /// `RUN`, `CMD` and `ENTRYPOINT` are.
    Dockerfile,
    /// What stands behind `run:` and its like, and in the blocks below.
    Yaml,
    /// Strings are; in `package.json`.
    Package,
    /// Blocks of commands in a text for humans.
    Prose,
    /// Nobody says what it is: a text, a script, code.
    Unknown,
    Sql,
    /// Strings that are given to a shell.
    Code,
    Other,
}

/// Looks into what a file would hold.
pub fn of_text(path: &str, content: &str) -> Vec<Warning> {
    let kind = kind(path, content.lines().next().unwrap_or_default());
    let lines: Vec<&str> = content.lines().take(MAX_LINES).collect();
    if kind == Kind::Script
        && !windows(path)
        && content.len() <= grammar::MAX_BYTES
        && grammar::program(content).is_some()
    {
        return limited(Walk::of(content).into_iter().filter(|warning| warning.rule != shells::OPAQUE.id).collect());
    }
    of_lines(path, kind, &lines)
}

/// Looks into the lines that a patch adds to a file.
pub fn of_changes(file: &FilePatch) -> Vec<Warning> {
    let added = |lines: &'_ [crate::patch::Line]| {
        lines
            .iter()
            .filter(|line| line.kind != LineKind::Removed)
            .map(|line| (line.kind, line.text.clone()))
            .collect::<Vec<_>>()
    };
    let first = file.hunks.first().and_then(|hunk| hunk.lines.iter().find(|line| line.kind != LineKind::Removed));
    let kind = kind(file.path(), first.map_or("", |line| &line.text));
    let mut warnings = Vec::new();
    for hunk in &file.hunks {
        let new = added(&hunk.lines);
        let lines: Vec<&str> =
            new.iter().filter(|(kind, _)| *kind == LineKind::Added).map(|(_, text)| text.as_str()).collect();
        warnings.extend(of_lines(file.path(), kind, &lines));
        if warnings.len() >= MAX_WARNINGS {
            break;
        }
    }
    limited(warnings)
}

fn of_lines(path: &str, kind: Kind, lines: &[&str]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if kind == Kind::Sql {
        let text = lines.join("\n");
        if destructive_sql(&text) {
            warnings.push(warning(databases::SQL, text.lines().find(|line| destructive_sql(line)).unwrap_or(path)));
        }
        return warnings;
    }
    let mut read = 0;
    for command in commands(kind, lines) {
        read += command.len();
        if warnings.len() >= MAX_WARNINGS || read > MAX_READ {
            break;
        }
        warnings.extend(of_command(kind, &command));
    }
    if kind == Kind::Package {
        warnings.extend(lines.iter().filter(|line| installs(line)).map(|line| warning(places::INSTALL, line)));
    }
    limited(warnings)
}

/// A line of a file is often part of something larger; that it cannot be understood by itself says nothing.
fn of_command(kind: Kind, command: &str) -> Vec<Warning> {
    let hidden = |rule: &'static Rule| move |warning: &Warning| warning.rule != rule.id;
    let in_code = || foreign::scan(command).commands.into_iter().flat_map(|command| Walk::of(&command));
    let found: Vec<Warning> = match kind {
        Kind::Code => in_code().collect(),
        Kind::Unknown => in_code().chain(Walk::of(command)).filter(|warning| TELLING.contains(&warning.rule)).collect(),
        _ => Walk::of(command),
    };
    found.into_iter().filter(hidden(shells::OPAQUE)).filter(hidden(shells::HIDDEN)).collect()
}

fn limited(mut warnings: Vec<Warning>) -> Vec<Warning> {
    let mut seen = Vec::new();
    warnings.retain(|warning| {
        let new = !seen.contains(warning);
        if new {
            seen.push(warning.clone());
        }
        new
    });
    warnings.truncate(MAX_WARNINGS);
    warnings
}

/// Scripts that npm and its like run by themselves.
fn installs(line: &str) -> bool {
    ["\"preinstall\"", "\"install\"", "\"postinstall\"", "\"prepare\"", "\"preprepare\"", "\"postprepare\""].iter().any(
        |key| {
            line.split_once(key).is_some_and(|(_, rest)| {
                rest.trim_start().strip_prefix(':').is_some_and(|rest| rest.trim_start().starts_with('"'))
            })
        },
    )
}

fn windows(path: &str) -> bool {
    let lower = path.to_lowercase();
    [".ps1", ".psm1", ".bat", ".cmd"].iter().any(|end| lower.ends_with(end))
}

fn kind(path: &str, first: &str) -> Kind {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    if first.starts_with("#!") {
        let shell = ["sh", "bash", "zsh", "dash", "ksh", "fish", "ash"]
            .iter()
            .any(|shell| first.split(['/', ' ']).any(|word| word == *shell));
        return if shell { Kind::Script } else { Kind::Code };
    }
    match name.as_str() {
        "makefile" | "gnumakefile" | "justfile" | ".justfile" => return Kind::Makefile,
        "package.json" | "composer.json" | "deno.json" | "tasks.json" | ".mcp.json" => return Kind::Package,
        "procfile" | "pkgbuild" | ".envrc" | "jenkinsfile" | "vagrantfile" | ".bashrc" | ".zshrc" | ".profile"
        | ".bash_profile" => {
            return Kind::Script;
        }
        _ if name.starts_with("dockerfile") || name.starts_with("containerfile") || end == "dockerfile" => {
            return Kind::Dockerfile;
        }
        _ => {}
    }
    match end {
        "sh" | "bash" | "zsh" | "ksh" | "fish" | "command" | "ps1" | "psm1" | "bat" | "cmd" | "envrc" => Kind::Script,
        "mk" | "just" => Kind::Makefile,
        "yml" | "yaml" => Kind::Yaml,
        "sql" => Kind::Sql,
        "md" | "markdown" | "mdx" | "rst" | "txt" | "adoc" => Kind::Prose,
        "py" | "js" | "mjs" | "cjs" | "ts" | "mts" | "cts" | "tsx" | "jsx" | "rb" | "pl" | "pm" | "php" | "go"
        | "rs" | "java" | "kt" | "groovy" | "gradle" | "lua" | "awk" | "ex" | "exs" | "scala" | "cs" | "swift"
        | "c" | "cc" | "cpp" => Kind::Code,
        "" if path.is_empty() => Kind::Unknown,
        "" => Kind::Script,
        "toml" | "cfg" | "ini" | "service" | "timer" | "desktop" => Kind::Yaml,
        _ => Kind::Other,
    }
}

/// The commands in lines of this kind.
fn commands(kind: Kind, lines: &[&str]) -> Vec<String> {
    let lines = joined(lines);
    let lines = lines.iter().map(String::as_str).filter(|line| line.len() <= MAX_LINE);
    match kind {
        Kind::Script => lines.filter_map(plain).collect(),
        Kind::Makefile => lines
            .filter(|line| line.starts_with(['\t', ' ']))
            .map(|line| line.trim_start().trim_start_matches(['@', '-', '+']))
            .filter_map(plain)
            .map(|line| line.replace("$$", "$"))
            .collect(),
        Kind::Dockerfile => lines.filter_map(instruction).filter_map(|line| plain(&line)).collect(),
        Kind::Yaml => lines.filter_map(|line| plain(&keyless(line))).collect(),
        Kind::Package => lines.flat_map(strings).collect(),
        Kind::Prose => fenced(lines),
        Kind::Unknown => fenced(lines.clone()).into_iter().chain(lines.filter_map(plain)).collect(),
        Kind::Code => lines.map(str::to_owned).collect(),
        Kind::Sql | Kind::Other => Vec::new(),
    }
}

/// Lines that a backslash continues are one.
fn joined(lines: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines {
        match all.last_mut().filter(|_| open) {
            Some(last) => last.push_str(line),
            None => all.push((*line).to_owned()),
        }
        let last = all.last_mut().expect("a line was put");
        open = last.ends_with('\\');
        if open {
            last.pop();
        }
    }
    all
}

/// A line without what ties it to the lines around it: `if x; then`, `do x`.
fn plain(line: &str) -> Option<String> {
    let mut rest = line.trim();
    let mut before = "";
    while rest != before {
        before = rest;
        for word in ["if ", "elif ", "then ", "else ", "do ", "while ", "until ", "! ", "&& ", "|| ", "{ "] {
            rest = rest.strip_prefix(word).unwrap_or(rest).trim_start();
        }
        for word in ["; then", ";then", "; do", ";do", "&&", "||", "|", ";;", "; fi", "; done", "{"] {
            rest = rest.strip_suffix(word).unwrap_or(rest).trim_end();
        }
    }
    (!rest.is_empty() && !rest.starts_with('#') && !rest.starts_with("//")).then(|| rest.to_owned())
}

fn instruction(line: &str) -> Option<String> {
    let line = line.trim();
    let rest = ["RUN ", "CMD ", "ENTRYPOINT ", "HEALTHCHECK CMD ", "ONBUILD RUN ", "run ", "cmd "]
        .iter()
        .find_map(|word| line.strip_prefix(word))
        .unwrap_or(line);
    let mut rest = rest.trim_start();
    while let Some((_, behind)) = rest.strip_prefix("--").and_then(|flag| flag.split_once(' ')) {
        rest = behind.trim_start();
    }
    if rest.starts_with('[') {
        return Some(strings(rest).join(" "));
    }
    Some(rest.to_owned())
}

/// `- run: x`, `script: "x"`, `ExecStart=x`: only the value.
fn keyless(line: &str) -> String {
    let mut rest = line.trim().trim_start_matches("- ").trim_start();
    let keys = [
        "run",
        "script",
        "command",
        "cmd",
        "cmds",
        "entrypoint",
        "args",
        "shell",
        "before_script",
        "after_script",
        "build",
        "exec",
        "execstart",
        "execstartpre",
        "execstop",
        "sh",
    ];
    if let Some((key, value)) = rest.split_once([':', '='])
        && keys.contains(&key.trim().trim_matches('"').to_lowercase().as_str())
    {
        rest = value.trim();
    }
    let rest = rest.trim_start_matches(['|', '>']).trim_start();
    let quoted = ['"', '\''].iter().find_map(|quote| rest.strip_prefix(*quote)?.strip_suffix(*quote));
    quoted.unwrap_or(rest).to_owned()
}

/// Strings of JSON on a line.
fn strings(line: &str) -> Vec<String> {
    let (mut found, mut current, mut escaped): (Vec<String>, Option<String>, bool) = (Vec::new(), None, false);
    for c in line.chars() {
        match (&mut current, c) {
            (Some(text), c) if escaped => {
                text.push(if c == 'n' { '\n' } else { c });
                escaped = false;
            }
            (Some(_), '\\') => escaped = true,
            (Some(_), '"') => found.extend(current.take()),
            (Some(text), c) => text.push(c),
            (None, '"') => current = Some(String::new()),
            (None, _) => {}
        }
    }
    found
}

/// Blocks between fences for a shell, and lines behind a prompt.
fn fenced<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let (mut found, mut fence) = (Vec::new(), None);
    for line in lines {
        let trimmed = line.trim();
        if let Some(language) = trimmed.strip_prefix("```").or_else(|| trimmed.strip_prefix("~~~")) {
            let shell = [
                "",
                "sh",
                "bash",
                "shell",
                "zsh",
                "console",
                "shellsession",
                "powershell",
                "ps1",
                "cmd",
                "bat",
                "terminal",
            ]
            .contains(&language.trim().to_lowercase().as_str());
            fence = if fence.is_some() { None } else { Some(shell) };
        } else if let Some(command) =
            trimmed.strip_prefix("$ ").or_else(|| trimmed.strip_prefix("> ").filter(|_| fence == Some(true)))
        {
            found.push(command.to_owned());
        } else if fence == Some(true) {
            found.extend(plain(trimmed));
        }
    }
    found
}
