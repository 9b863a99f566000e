//! Paths that should make a human look: those that leave the project, and those whose files are
//! secret, run by themselves, or tell an agent what to do.

/// Folders; whatever is in them is protected.
const FOLDERS: &[&str] = &[
    ".git",
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".claude",
    ".cursor",
    ".codex",
    ".gemini",
    ".husky",
    ".githooks",
    ".circleci",
    ".buildkite",
    ".woodpecker",
    ".teamcity",
    ".semaphore",
    ".devcontainer",
    ".github/workflows",
    ".github/actions",
    ".gitea/workflows",
    ".forgejo/workflows",
    ".gitlab/ci",
    ".config/fish",
    ".config/systemd",
    ".config/autostart",
    ".config/gh",
    ".config/gcloud",
    ".config/git",
    ".config/nushell",
    ".config/powershell",
    "library/launchagents",
    "library/launchdaemons",
];

/// Names of files.
const FILES: &[&str] = &[
    // Instructions for agents, and the tools they get.
    ".mcp.json",
    "mcp.json",
    "claude.md",
    "claude.local.md",
    "agents.md",
    "gemini.md",
    ".cursorrules",
    ".windsurfrules",
    ".clinerules",
    "copilot-instructions.md",
    ".claude.json",
    // Continuous integration.
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    "jenkinsfile",
    ".travis.yml",
    "azure-pipelines.yml",
    "azure-pipelines.yaml",
    "bitbucket-pipelines.yml",
    ".drone.yml",
    ".woodpecker.yml",
    ".appveyor.yml",
    "appveyor.yml",
    ".cirrus.yml",
    "cloudbuild.yaml",
    "buildspec.yml",
    "codeowners",
    // What runs by itself.
    ".pre-commit-config.yaml",
    "lefthook.yml",
    ".lefthook.yml",
    ".envrc",
    ".gitattributes",
    ".gitmodules",
    ".gitconfig",
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".bash_aliases",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".zlogout",
    ".kshrc",
    ".cshrc",
    ".tcshrc",
    ".login",
    ".xprofile",
    ".xinitrc",
    ".inputrc",
    ".vimrc",
    ".tmux.conf",
    "config.fish",
    "config.nu",
    "microsoft.powershell_profile.ps1",
    "profile.ps1",
    // Where packages come from, and who one is there.
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pypirc",
    "pip.conf",
    ".netrc",
    "_netrc",
    ".git-credentials",
    ".pgpass",
    ".my.cnf",
    ".htpasswd",
    ".vault-token",
    "authorized_keys",
    "authorized_keys2",
    "known_hosts",
    "credentials.json",
    "service-account.json",
];

/// Ends of paths, where the name alone says nothing.
const ENDS: &[&str] = &[
    ".cargo/config.toml",
    ".cargo/config",
    ".cargo/credentials.toml",
    ".cargo/credentials",
    ".vscode/tasks.json",
    ".vscode/settings.json",
    ".vscode/launch.json",
    ".vscode/mcp.json",
    ".vscode/extensions.json",
    ".git",
    ".ssh",
    ".claude",
    ".gem/credentials",
    ".m2/settings.xml",
    ".gradle/init.gradle",
];

/// Endings of files that hold keys.
const KEYS: &[&str] = &[".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk", ".p8", ".kdbx", ".asc.key"];

/// Places of the system: what is written there changes more than the project.
const SYSTEM: &[&str] = &[
    "etc",
    "usr",
    "bin",
    "sbin",
    "lib",
    "lib64",
    "boot",
    "sys",
    "proc",
    "root",
    "opt",
    "var/spool",
    "var/lib",
    "system",
    "library",
    "private/etc",
    "windows",
    "program files",
    "program files (x86)",
];

/// Whether a path leads out of the folder that it is relative to, or cannot be told to stay in it.
pub fn leaves_project(path: &str) -> bool {
    let odd = path.is_empty() || path.chars().any(hides);
    let absolute = path.starts_with(['/', '\\', '~', '$', '%']);
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    odd || absolute || drive || climbs(path)
}

/// Whether what a symbolic link at `link` points to is outside.
pub fn link_leaves_project(link: &str, target: &str) -> bool {
    let folder = link.rfind(['/', '\\']).map_or("", |at| &link[..=at]);
    let absolute = leaves_project(target) && !target.starts_with("..");
    absolute || leaves_project(&format!("{folder}{target}"))
}

/// Whether a file is secret, runs by itself, or tells an agent what to do. Names are read as the
/// laxest file system does: whatever their case, with dots and spaces behind them.
pub fn protected(path: &str) -> bool {
    let parts = parts(path);
    let joined = format!("/{}/", parts.join("/"));
    let Some(name) = parts.last().map(String::as_str) else { return false };
    let key = KEYS.iter().any(|end| name.ends_with(end))
        || (name.starts_with("id_") && !name.ends_with(".pub") && ssh_key(name));
    let environment =
        name == ".env" || name.starts_with(".env.") || name.starts_with(".env-") || name.starts_with(".env_");
    key || environment
        || FILES.contains(&name)
        || FOLDERS.iter().any(|folder| joined.contains(&format!("/{folder}/")))
        || ENDS.iter().any(|end| joined.ends_with(&format!("/{end}/")))
        || parts.iter().any(|part| part == "git~1" || part == "claude~1")
        || (joined.contains("/hooks/") && GIT_HOOKS.contains(&name))
}

const GIT_HOOKS: &[&str] = &[
    "pre-commit",
    "post-commit",
    "pre-push",
    "pre-receive",
    "post-receive",
    "update",
    "post-checkout",
    "post-merge",
    "commit-msg",
    "prepare-commit-msg",
    "pre-rebase",
    "post-rewrite",
    "applypatch-msg",
    "pre-applypatch",
];

/// Whether a path is one of the system's own, or a device.
pub fn of_system(path: &str) -> bool {
    let lower = path.replace('\\', "/").to_lowercase();
    let rest = lower.strip_prefix('/').or_else(|| (lower.get(1..3) == Some(":/")).then(|| &lower[3..]));
    let Some(rest) = rest else { return false };
    let rest = rest.trim_start_matches('/');
    rest.is_empty()
        || SYSTEM
            .iter()
            .any(|place| rest == *place || rest.strip_prefix(place).is_some_and(|rest| rest.starts_with('/')))
        || device(path)
}

/// Whether a path is a disk, or memory: what is written there is not written to a file.
pub fn device(path: &str) -> bool {
    let kinds = [
        "sd", "hd", "vd", "xvd", "nvme", "disk", "rdisk", "mmcblk", "mapper", "dm-", "md", "loop", "mem", "kmem",
        "port", "block",
    ];
    let windows = path.to_lowercase().replace('\\', "/").starts_with("//./physicaldrive");
    let name = path.strip_prefix("/dev/").map(|rest| rest.trim_start_matches('/'));
    windows || name.is_some_and(|name| kinds.iter().any(|kind| name.starts_with(kind)))
}

/// Controls, and characters that change how a line is shown.
pub fn hides(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{61c}' | '\u{feff}' | '\u{180e}' | '\u{e0000}'..='\u{e007f}')
}

fn ssh_key(name: &str) -> bool {
    ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_xmss"].iter().any(|key| name.starts_with(key))
}

fn climbs(path: &str) -> bool {
    let mut depth = 0_usize;
    for part in path.split(['/', '\\']) {
        // Windows reads dots and spaces behind a name as nothing.
        match part.trim_end_matches(' ') {
            "" | "." => {}
            dots if dots.len() > 1 && dots.bytes().all(|byte| byte == b'.') => {
                let Some(up) = depth.checked_sub(1) else { return true };
                depth = up;
            }
            _ => depth += 1,
        }
    }
    false
}

/// The parts of a path, folded to what the laxest file system makes of them.
fn parts(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split(['/', '\\']) {
        let part: String = part.chars().filter(|character| !hides(*character)).flat_map(char::to_lowercase).collect();
        let part = part.split_once(':').map_or(part.as_str(), |(name, _)| if name.len() > 1 { name } else { &part });
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part.trim_end_matches(['.', ' ']).to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_out_are_seen() {
        let out = [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a\\..\\..\\x",
            "C:\\x",
            "c:x",
            "\\\\host\\share",
            "~/.bashrc",
            "~alice/x",
            "a\0b",
            "a\u{202e}b",
            "",
            "$HOME/x",
            "%APPDATA%\\x",
            "a/.. /../x",
            "\\x",
        ];
        for path in out {
            assert!(leaves_project(path), "{path:?}");
        }
        for path in ["src/main.rs", "a/../b", "./x", "a//b", "..a", "a..b/c", "...x", "Übung/ä b.txt", "a~b"] {
            assert!(!leaves_project(path), "{path:?}");
        }
        assert!(link_leaves_project("a/b", "../../x") && link_leaves_project("b", "/etc"));
        assert!(!link_leaves_project("a/b", "../x"));
    }

    #[test]
    fn protected_files_are_seen_however_they_are_written() {
        let protected_paths = [
            ".env",
            ".env.local",
            "a/.ENV",
            "./.env",
            "a//.env",
            ".env ",
            ".env.",
            ".git/config",
            ".GIT/hooks/x",
            "sub/.git",
            ".git\\config",
            ".g\u{200c}it/config",
            "git~1/config",
            ".ssh/config",
            "~/.ssh/authorized_keys",
            ".claude/settings.json",
            ".mcp.json",
            ".github/workflows/ci.yml",
            ".gitlab-ci.yml",
            "Jenkinsfile",
            ".circleci/config.yml",
            ".husky/pre-commit",
            "$HOME/.bashrc",
            ".zshrc",
            ".npmrc",
            ".cargo/config.toml",
            ".vscode/tasks.json",
            "CLAUDE.md",
            "docs/AGENTS.md",
            "server.pem",
            "tls/a.key",
            "id_rsa",
            "id_ed25519",
            ".git::$INDEX_ALLOCATION/config",
            "x/../.env",
            ".envrc",
            "hooks/pre-commit",
            ".git ./config",
        ];
        for path in protected_paths {
            assert!(protected(path), "{path:?}");
        }
        let harmless = [
            "src/main.rs",
            ".gitignore",
            "environment.ts",
            "src/env.rs",
            ".github/ISSUE_TEMPLATE/bug.md",
            "docs/git/x.md",
            "keys.rs",
            "src/key/mod.rs",
            "Makefile",
            ".editorconfig",
            "hooks/useThing.ts",
            "README.md",
            "id_rsa.pub",
            "monkey",
            "ssh/x",
            ".prettierrc",
            "envoy.yaml",
        ];
        for path in harmless {
            assert!(!protected(path), "{path:?}");
        }
    }

    #[test]
    fn the_systems_places_are_told_from_others() {
        for path in ["/etc/hosts", "/usr/bin/x", "C:\\Windows\\x", "/dev/sda", "/boot/x"] {
            assert!(of_system(path), "{path}");
        }
        for path in ["/tmp/x", "/dev/null", "/home/alice/x", "/etcetera", "usr/x", "/dev/stderr", "/dev/stdout"] {
            assert!(!of_system(path), "{path}");
        }
    }
}
