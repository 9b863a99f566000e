//! Deleting many files at once.

use super::{Rule, Seen};
use crate::danger::Risk;
use crate::danger::call::{Call, name_of};

pub const RULES: &[Rule] = &[
    Rule {
        id: "recursive-delete",
        risk: Risk::High,
        reason: "It deletes a folder with all that is in it.",
        seen: Seen::Call(deletes_folders),
        dangerous: &[
            "rm -rf /",
            "rm -r build",
            "rm -fR ~/x",
            "rm --recursive target",
            "rm --rec target",
            "rm build -rf",
            "/bin/rm -rf .",
            "cd x && rm -rf *",
            "true; rm -rf y",
            "find . -name '*.o' -delete",
            "find / -type f -exec rm {} +",
            "find . -name '*.log' | xargs rm",
            "npx rimraf dist",
            "rd /s /q C:\\x",
            "del /s /q *.*",
            "Remove-Item -Recurse -Force C:\\x",
            "rsync -a --delete empty/ x/",
            "X=rm; $X -rf /",
            "r\\m -rf /",
            "'r'm -rf /",
            "$'\\x72m' -rf /",
            "{rm,-rf,/}",
            "rm${IFS}-rf${IFS}/",
            "bash -lc 'rm -rf /'",
            "eval 'rm -rf /'",
            "echo \"$(rm -rf x)\"",
            "echo `rm -rf x`",
            "cat <(rm -rf x)",
            "f() { rm -rf x; }; f",
            "if true; then rm -rf x; fi",
            "(cd x; rm -rf y)",
            "env A=b rm -rf x",
            "nohup nice -n 5 timeout 10 rm -rf x",
            "xargs -0 -n 1 rm -rf < x",
            "ssh host 'rm -rf /'",
            "docker run -v /:/host alpine sh -c 'rm -rf /host'",
            "busybox rm -rf /",
            "find . -exec sh -c 'rm -rf x' ';'",
            "alias ls='rm -rf x'",
            "trap 'rm -rf x' EXIT",
            "echo cm0gLXJmIC8= | base64 -d | sh",
            "sh <<< 'rm -rf /'",
            "bash <<E\nrm -rf /\nE",
            "cmd /c \"rd /s /q C:\\x\"",
            "echo hi # nothing\nrm -rf x",
            "$(echo rm) -rf /",
            "$(printf '\\x72\\x6d') -rf /",
            "python3 -c \"import os; os.system('rm -rf /')\"",
            "robocopy a b /mir",
            "! rm -rf x",
            "time rm -rf x",
            "rm -rf \"$DIR\"",
            "git submodule foreach 'rm -rf x'",
            "for d in a b; do rm -rf $d; done",
            "echo 'rm -rf /' > x.sh; sh x.sh",
            "cat > x.sh <<E\nrm -rf /\nE\n. ./x.sh",
            "a=(rm -rf x); \"${a[@]}\"",
            "docker compose exec db rm -rf /",
            "command -p rm -rf x",
            "tmux send-keys 'rm -rf x' Enter",
        ],
        harmless: &[
            "rm file.txt",
            "rm -f a.o b.o",
            "rmdir empty",
            "del old.txt",
            "ls -R",
            "grep -r password .",
            "echo \"rm -rf /\"",
            "echo rm -rf /",
            "printf 'rm -rf %s' x",
            "git commit -m 'rm -rf the old build'",
            "find . -name '*.rs'",
            "find . -type f -exec grep -l x {} +",
            "find . -name '*.rs' | xargs wc -l",
            "rsync -a a/ b/",
            "cp -r a b",
            "cat <<'E'\nrm -rf /\nE",
            "X=rm; echo $X",
            "rg 'rm -rf' scripts",
            "sh -c 'echo hello'",
            "man rm",
            "git commit -m \"$(cat <<'E'\nfix: rm -rf things\nE\n)\"",
            "cargo clean",
            "mkdir -p a/b && cd a/b && touch c",
            "for f in *.rs; do wc -l \"$f\"; done",
            "if [ -f x ]; then cat x; fi",
            "[ -d x ] || mkdir x",
            "while read -r line; do echo \"$line\"; done < x.txt",
            "ls -la | sort | uniq -c | head -n 5",
            "test -n \"$HOME\" && echo yes",
        ],
    },
    Rule {
        id: "shred",
        risk: Risk::High,
        reason: "It overwrites files so that nothing brings them back.",
        seen: Seen::Call(|call| call.is(&["shred", "srm", "wipe", "sdelete"])),
        dangerous: &["shred -u secrets.txt", "srm x"],
        harmless: &["ls shred"],
    },
];

fn deletes_folders(call: &Call<'_>) -> bool {
    match call.name.as_str() {
        "rm" | "grm" => call.option('r', "recursive") || call.option('R', "recursive") || slash(call, "s"),
        "rimraf" | "del-cli" | "deltree" => true,
        "rd" | "rmdir" | "del" | "erase" | "remove-item" | "ri" | "rni" => slash(call, "s") || powershell(call),
        "find" | "gfind" | "fd" | "fdfind" => {
            call.has(&["-delete"]) || call.texts().any(|text| name_of(text) == "rm") && executes(call)
        }
        "xargs" | "parallel" => {
            call.operands().any(|text| matches!(name_of(text).as_str(), "rm" | "unlink" | "remove-item"))
        }
        "rsync" => call.texts().any(|text| text.starts_with("--del") || text == "--remove-source-files"),
        "robocopy" => call.says(&["/mir", "/purge"]),
        _ => false,
    }
}

fn executes(call: &Call<'_>) -> bool {
    call.has(&["-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec", "--exec-batch"])
}

/// An option as Windows writes it.
fn slash(call: &Call<'_>, letter: &str) -> bool {
    call.texts().any(|text| text.strip_prefix('/').is_some_and(|rest| rest.eq_ignore_ascii_case(letter)))
}

/// `-Recurse`, which may be cut short.
fn powershell(call: &Call<'_>) -> bool {
    call.texts().any(|text| {
        let lower = text.to_lowercase();
        lower.len() > 1 && ("-recurse".starts_with(&lower) || lower.starts_with("-recurse:"))
    })
}
