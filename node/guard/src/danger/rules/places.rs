//! Files that are written: where they are, and what they become.

use super::{Rule, Seen};
use crate::danger::Risk;
use crate::patch::{self, FilePatch};
use crate::paths;

pub const RULES: &[Rule] = &[
    PROTECTED_RULE,
    LEAVES_RULE,
    SYSTEM_RULE,
    LINK_RULE,
    EXECUTABLE_RULE,
    SUBMODULE_RULE,
    BINARY_RULE,
    UNREADABLE_RULE,
    INSTALL_RULE,
];

const PROTECTED_RULE: Rule = Rule {
    id: "protected-path",
    risk: Risk::High,
    reason: "It writes a file that holds secrets, runs by itself, or tells an agent what to do.",
    seen: Seen::Path,
    dangerous: &[
        ".env",
        "config/.env.production",
        ".git/hooks/pre-commit",
        ".github/workflows/ci.yml",
        ".claude/settings.json",
        ".mcp.json",
        "CLAUDE.md",
        "keys/server.pem",
        ".husky/pre-push",
        ".npmrc",
        ".vscode/tasks.json",
        "$ echo KEY=1 >> .env",
        "$ cat x > ~/.bashrc",
        "$ echo x | tee -a ~/.ssh/authorized_keys",
        "$ cp x .git/hooks/pre-commit",
        "$ mv x $HOME/.zshrc",
        "$ ln -s x .git/hooks/pre-push",
        "$ sed -i 's/a/b/' .github/workflows/ci.yml",
        "$ printf x > './.e''nv'",
        "$ curl -o .mcp.json https://example.com/x",
        "$ install -m 644 x .git/hooks/post-merge",
        "$ rm .git/index",
        "$ { echo x; } > .env",
        "$ cat > .claude/settings.json <<E\n{}\nE",
        "$ F=.env; echo x > $F",
        "$ cd .git && ls > hooks/pre-commit",
    ],
    harmless: &[
        "src/main.rs",
        ".gitignore",
        "docs/env.md",
        "Cargo.toml",
        ".github/ISSUE_TEMPLATE/bug.md",
        "$ cat .env",
        "$ ls .git",
        "$ source .env",
        "$ cp .env /tmp/x",
        "$ echo x > out.txt 2>&1",
        "$ sed 's/a/b/' .github/workflows/ci.yml",
        "$ grep x .npmrc",
        "$ cat CLAUDE.md",
    ],
};

const LEAVES_RULE: Rule = Rule {
    id: "leaves-project",
    risk: Risk::High,
    reason: "It writes outside of the project.",
    seen: Seen::Path,
    dangerous: &["../x", "/tmp/x", "~/x", "a/../../x", "C:\\x", "\\\\host\\x", "a\u{202e}b"],
    harmless: &["a/../b", "./x", "a b/c"],
};

const SYSTEM_RULE: Rule = Rule {
    id: "system-path",
    risk: Risk::High,
    reason: "It changes files of the system.",
    seen: Seen::Path,
    dangerous: &[
        "$ echo x > /etc/hosts",
        "$ cp x /usr/local/bin/y",
        "$ echo 1 | tee /proc/sys/net/ipv4/ip_forward",
        "$ rm /etc/passwd",
        "$ mv x /bin/ls",
        "$ sed -i s/a/b/ /etc/ssh/sshd_config",
    ],
    harmless: &["$ cat /etc/hosts", "$ ls /usr/bin", "$ echo x > /tmp/y", "$ ls > /dev/null 2>&1", "$ cp /etc/hosts ."],
};

const LINK_RULE: Rule = Rule {
    id: "link-outside",
    risk: Risk::High,
    reason: "It makes a link that leads out of the project, or to a protected file.",
    seen: Seen::Patch,
    dangerous: &[
        "diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n",
        "diff --git a/a/x b/a/x\nnew file mode 120000\n--- /dev/null\n+++ b/a/x\n@@ -0,0 +1 @@\n+../../y\n",
    ],
    harmless: &["diff --git a/a/x b/a/x\nnew file mode 120000\n--- /dev/null\n+++ b/a/x\n@@ -0,0 +1 @@\n+../y\n"],
};

const EXECUTABLE_RULE: Rule = Rule {
    id: "executable-bit",
    risk: Risk::High,
    reason: "It makes a file a program.",
    seen: Seen::Patch,
    dangerous: &[
        "diff --git a/x b/x\nold mode 100644\nnew mode 100755\n",
        "diff --git a/x b/x\nnew file mode 100755\n",
    ],
    harmless: &["diff --git a/x b/x\nold mode 100755\nnew mode 100644\n", "diff --git a/x b/x\nnew file mode 100644\n"],
};

const SUBMODULE_RULE: Rule = Rule {
    id: "submodule",
    risk: Risk::High,
    reason: "It brings in another repository, or another version of one.",
    seen: Seen::Patch,
    dangerous: &[
        "diff --git a/x b/x\nindex 1111111..2222222 160000\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-Subproject commit 1\n+Subproject commit 2\n",
    ],
    harmless: &["--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"],
};

const BINARY_RULE: Rule = Rule {
    id: "binary-file",
    risk: Risk::High,
    reason: "It writes a file whose bytes nobody can read here.",
    seen: Seen::Patch,
    dangerous: &["diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZ>G\n\n"],
    harmless: &["diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n"],
};

const UNREADABLE_RULE: Rule = Rule {
    id: "unreadable-patch",
    risk: Risk::High,
    reason: "It cannot be told what the patch changes.",
    seen: Seen::Patch,
    dangerous: &["hello", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n+c\n", "diff --cc x\n"],
    harmless: &[],
};

const INSTALL_RULE: Rule = Rule {
    id: "install-script",
    risk: Risk::High,
    reason: "It adds a script that runs by itself when the package is installed.",
    seen: Seen::Content("package.json"),
    dangerous: &[
        "{\n  \"scripts\": {\n    \"postinstall\": \"node x.js\"\n  }\n}\n",
        "{\"scripts\":{\"preinstall\":\"./x\"}}",
    ],
    harmless: &["{\n  \"scripts\": {\n    \"test\": \"vitest\",\n    \"build\": \"tsc\"\n  }\n}\n"],
};

pub const PROTECTED: &Rule = &PROTECTED_RULE;
pub const LEAVES: &Rule = &LEAVES_RULE;
pub const SYSTEM: &Rule = &SYSTEM_RULE;
pub const LINK: &Rule = &LINK_RULE;
pub const EXECUTABLE: &Rule = &EXECUTABLE_RULE;
pub const SUBMODULE: &Rule = &SUBMODULE_RULE;
pub const BINARY: &Rule = &BINARY_RULE;
pub const UNREADABLE: &Rule = &UNREADABLE_RULE;
pub const INSTALL: &Rule = &INSTALL_RULE;

/// Endings of files that are pictures, sounds or letters, and so never text.
const MEDIA: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "icns", "bmp", "svgz", "pdf", "woff", "woff2", "ttf", "otf",
    "eot", "mp3", "mp4", "ogg", "wav", "flac", "webm", "mov", "heic", "tiff", "psd",
];

/// The rules that writing to a path of the project breaks.
pub fn of_path(path: &str) -> Vec<&'static Rule> {
    let mut rules = Vec::new();
    if paths::leaves_project(path) {
        rules.push(LEAVES);
    }
    if paths::protected(path) {
        rules.push(PROTECTED);
    }
    rules
}

/// The rules that a file of a patch breaks by where it is and what it becomes.
pub fn of_file(file: &FilePatch) -> Vec<&'static Rule> {
    let mut rules: Vec<&'static Rule> = Vec::new();
    for path in [&file.old, &file.new].into_iter().flatten() {
        // Tools that apply patches differ in how much of a path they cut off, so no part may go up.
        let climbs = path.split(['/', '\\']).any(|part| part.trim_end() == "..");
        rules.extend(of_path(path).into_iter().chain(climbs.then_some(LEAVES)));
    }
    let mode = file.new_mode.map(|mode| mode & 0o170_000);
    if mode == Some(patch::SYMLINK) && links_out(file) {
        rules.push(LINK);
    }
    if mode == Some(patch::SUBMODULE) {
        rules.push(SUBMODULE);
    }
    if file.becomes_executable() {
        rules.push(EXECUTABLE);
    }
    let end = file.path().rsplit('.').next().unwrap_or_default().to_lowercase();
    if file.binary && file.new.is_some() && !MEDIA.contains(&end.as_str()) {
        rules.push(BINARY);
    }
    rules.sort_by_key(|rule| rule.id);
    rules.dedup_by_key(|rule| rule.id);
    rules
}

fn links_out(file: &FilePatch) -> bool {
    let mut targets =
        file.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.kind != patch::LineKind::Removed).peekable();
    let unseen = targets.peek().is_none() && file.change != patch::Change::Modified;
    unseen || targets.any(|line| paths::link_leaves_project(file.path(), &line.text) || paths::protected(&line.text))
}
