//! Code of other languages, looked at for what it would have a shell run, and for what it deletes.

/// What code does, as far as one sees without running it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Command lines that it runs.
    pub commands: Vec<String>,
    /// It deletes folders.
    pub deletes: bool,
    /// It runs something that it puts together or decodes itself.
    pub opaque: bool,
}

const DELETES: &[&str] = &[
    "rmtree",
    "Deno.remove",
    "rm_rf",
    "rm_r(",
    "rm_r ",
    "remove_dir_all",
    "removedirs",
    "remove_tree",
    "rmdirSync",
    "rimraf",
    "deltree",
    "remove_entry_secure",
    "RemoveAll(",
    "delete_dir",
    "emptyDir",
    "FileUtils.remove",
];

const RUNS: &[&str] = &[
    "os.system",
    "os.popen",
    "os.exec",
    "os.spawn",
    "posix_spawn",
    "subprocess.",
    "pty.spawn",
    "getoutput(",
    "popen(",
    "system(",
    "system ",
    "exec(",
    "execSync(",
    "execFile",
    "spawn(",
    "spawnSync(",
    "shell_exec(",
    "passthru(",
    "proc_open(",
    "Kernel.",
    "qx",
    "%x",
    "Command::new(",
    "exec.Command(",
    "exec \"",
    "exec '",
    "getRuntime().exec",
    "ProcessBuilder",
    "do shell script",
    "IO.popen",
    "Open3.",
    "os.execute",
    "Bun.$",
    "Deno.Command",
    "execa(",
    "execaSync(",
];

const DECODES: &[&str] = &[
    "urlopen",
    ".read()",
    "requests.get",
    "b64decode",
    "fromhex",
    "atob(",
    "unhexlify",
    "base64_decode",
    "decode64",
    "'base64'",
    "\"base64\"",
    "marshal.loads",
    "codecs.decode",
];

const EVALUATES: &[&str] = &["exec(", "eval(", "eval ", "Function(", "compile(", "instance_eval", "assert("];

/// Code, once.
pub fn scan(code: &str) -> Found {
    let mut found = Found::default();
    let recursive_remove = (code.contains("rmSync(") || code.contains(".rm(")) && code.contains("recursive");
    found.deletes = recursive_remove || DELETES.iter().any(|mark| code.contains(mark));
    let evaluates = EVALUATES.iter().any(|mark| code.contains(mark));
    found.opaque = evaluates && DECODES.iter().any(|mark| code.contains(mark));
    let compact = code.contains("__import__") || code.contains("getattr(os");
    for at in starts(code) {
        let literals = literals(arguments(&code[at..]));
        if literals.is_empty() {
            found.opaque = true;
        }
        if !literals.is_empty() {
            found.commands.push(literals.join(" "));
        }
        found.commands.extend(literals.into_iter().filter(|literal| literal.contains(' ')));
        if found.commands.len() > 64 {
            found.opaque = true;
            break;
        }
    }
    if compact && found.commands.is_empty() {
        found.opaque = true;
    }
    found.commands.sort();
    found.commands.dedup();
    found
}

/// Where calls begin that run something.
fn starts(code: &str) -> Vec<usize> {
    let named = |mark: &&str| code.match_indices(mark).map(|(at, _)| at).take(64).collect::<Vec<_>>();
    let mut starts: Vec<usize> = RUNS.iter().flat_map(named).filter(|at| calls(code, *at)).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// The name is not the end of another one, nor a method that only sounds alike.
fn calls(code: &str, at: usize) -> bool {
    let before = code[..at].chars().next_back();
    let rest = &code[at..];
    let alike = rest.starts_with("exec(")
        && before == Some('.')
        && !code[..at].ends_with("child_process.")
        && !code[..at].ends_with("').")
        && !code[..at].ends_with("\").");
    let constant =
        ["subprocess.PIPE", "subprocess.DEVNULL", "subprocess.STDOUT", "subprocess.Called", "subprocess.Timeout"]
            .iter()
            .any(|name| rest.starts_with(name));
    let short = rest.starts_with("qx") || rest.starts_with("%x") || rest.starts_with("system ");
    let quoted = !short
        || rest
            .trim_start_matches(|c: char| c.is_alphabetic() || c == '%')
            .trim_start()
            .starts_with(['{', '(', '/', '"', '\'', '`', '$', '[', '!', '|']);
    !constant && !alike && quoted && before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
}

/// From a call to the end of its statement.
fn arguments(rest: &str) -> &str {
    let (mut depth, mut quote, mut escaped) = (0_usize, None, false);
    for (at, c) in rest.char_indices().take(2000) {
        match (quote, c) {
            _ if escaped => escaped = false,
            (_, '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            // `Command::new("x").args(…)` goes on.
            (None, ')' | ']' | '}') if depth > 1 || rest[at + 1..].trim_start().starts_with(".arg") => {
                depth = depth.saturating_sub(1);
            }
            (None, ')' | ']' | '}') => return &rest[..=at],
            (None, ';' | '\n') if depth == 0 => return &rest[..at],
            _ => {}
        }
    }
    let end = rest.char_indices().nth(2000).map_or(rest.len(), |(at, _)| at);
    &rest[..end]
}

/// The strings that stand in code; also what `qx{…}` and `%x(…)` hold.
fn literals(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(rest) = code.strip_prefix("qx").or_else(|| code.strip_prefix("%x"))
        && rest.len() > 2
    {
        let inner: String = rest.chars().skip(1).collect();
        found.push(inner.trim_end_matches([')', '}', '/', ']', '!', '|']).to_owned());
        return found;
    }
    let mut characters = code.chars();
    while let Some(open) = characters.next() {
        if !matches!(open, '"' | '\'' | '`') {
            continue;
        }
        let mut text = String::new();
        while let Some(c) = characters.next() {
            match c {
                '\\' => text.extend(characters.next().map(|c| if c == 'n' { '\n' } else { c })),
                c if c == open => break,
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            found.push(text);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_code_of_other_languages() {
        let cases = [
            ("import os; os.system('ls -l')", "ls -l"),
            ("subprocess.run(['ls', '-l'], check=True)", "ls -l"),
            ("require('child_process').execSync(\"ls -l\")", "ls -l"),
            ("system(\"ls -l\");", "ls -l"),
            ("print qx{ls -l}", "ls -l"),
            ("BEGIN { system(\"ls -l\") }", "ls -l"),
            ("exec.Command(\"ls\", \"-l\")", "ls -l"),
        ];
        for (code, command) in cases {
            assert!(scan(code).commands.iter().any(|found| found == command), "{code}: {:?}", scan(code));
        }
        assert!(scan("os.system(x)").opaque && scan("exec(b64decode('eA=='))").opaque);
        assert_eq!(scan("re.exec(x); console.log('system on'); subprocess.PIPE"), Found::default());
    }
}
