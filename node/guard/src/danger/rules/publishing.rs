//! Publishing and deploying.

use super::{Rule, Seen, inner};
use crate::danger::Risk;
use crate::danger::call::Call;

pub const RULES: &[Rule] = &[
    Rule {
        id: "publish",
        risk: Risk::High,
        reason: "It publishes something to the world, or takes it back.",
        seen: Seen::Call(publishes),
        dangerous: &[
            "npm publish",
            "npm --access public publish",
            "yarn npm publish",
            "pnpm -r publish",
            "npm unpublish x@1",
            "cargo publish",
            "cargo +nightly publish -p x",
            "cargo yank --version 1.0.0 x",
            "twine upload dist/*",
            "python -m twine upload dist/*",
            "poetry publish --build",
            "gem push x.gem",
            "mvn -B deploy",
            "./gradlew publishToMavenCentral",
            "docker push alice/x",
            "docker buildx build --push -t x .",
            "dotnet nuget push x.nupkg",
            "gh release create v1",
            "goreleaser release",
            "npx semantic-release",
            "npm run publish",
            "make publish",
        ],
        harmless: &[
            "npm ci",
            "npm run build",
            "npm pack",
            "npm publish --dry-run",
            "cargo publish --dry-run",
            "cargo build",
            "cargo test --workspace",
            "poetry install",
            "gem install x",
            "mvn test",
            "docker pull x",
            "gh release list",
            "echo npm publish",
            "npm install publish-helper",
        ],
    },
    Rule {
        id: "deploy",
        risk: Risk::High,
        reason: "It changes what runs elsewhere.",
        seen: Seen::Call(deploys),
        dangerous: &[
            "terraform apply",
            "pulumi up",
            "kubectl apply -f x.yaml",
            "kubectl -n prod rollout restart deploy/x",
            "helm upgrade --install x .",
            "vercel --prod",
            "vercel deploy",
            "netlify deploy --prod",
            "firebase deploy",
            "fly deploy",
            "gcloud run deploy x",
            "aws cloudformation deploy --stack-name x",
            "aws lambda update-function-code --function-name x",
            "ansible-playbook site.yml",
            "cdk deploy",
            "sls deploy",
            "wrangler deploy",
            "git push heroku main",
            "npm run deploy",
            "make deploy",
            "./deploy.sh prod",
            "cap production deploy",
            "gh workflow run release.yml",
        ],
        harmless: &[
            "terraform validate",
            "kubectl rollout status deploy/x",
            "kubectl apply --dry-run=client -f x.yaml",
            "helm template .",
            "ansible-playbook --check site.yml",
            "cat deploy.sh",
            "make build",
            "make test",
            "vercel ls",
            "pulumi preview",
            "gh workflow list",
        ],
    },
];

fn publishes(call: &Call<'_>) -> bool {
    if call.texts().any(|text| matches!(text, "--dry-run" | "--dry-run=true" | "--snapshot" | "--help")) {
        return false;
    }
    let verb = inner(
        call,
        &[
            "--access",
            "--registry",
            "-w",
            "--workspace",
            "-C",
            "--prefix",
            "--filter",
            "--color",
            "-F",
            "--config",
            "-f",
            "--tag",
        ],
    );
    let verb = |names: &[&str]| verb.as_ref().is_some_and(|verb| names.contains(&verb.name.as_str()));
    let second = |names: &[&str]| names.contains(&call.operand(1));
    match call.name.as_str() {
        "npm" | "yarn" | "pnpm" | "bun" | "lerna" | "changeset" | "jsr" | "deno" => {
            verb(&["publish", "unpublish", "deprecate", "dist-tag", "owner"])
                || (verb(&["npm", "run", "run-script", "changeset", "lerna"]) && second_starts(call, "publish"))
        }
        "make" | "just" | "task" | "rake" => call.operands().any(|text| text.starts_with("publish")),
        "cargo" => verb(&["publish", "yank", "owner", "release"]),
        "twine" | "anaconda" | "conan" | "cabal" | "stack" => verb(&["upload"]),
        "python" | "python3" | "py" => call.has(&["twine"]) && call.has(&["upload"]),
        "setup.py" => call.has(&["upload"]),
        "poetry" | "uv" | "flit" | "hatch" | "pdm" | "maturin" | "vsce" | "ovsx" | "dart" | "flutter"
        | "charmcraft" => verb(&["publish", "upload"]) || (verb(&["pub"]) && second(&["publish"])),
        "gem" => verb(&["push", "yank", "owner"]),
        "mvn" | "mvnw" => {
            call.operands().any(|text| text == "deploy" || text.starts_with("release:") || text.starts_with("deploy:"))
        }
        "gradle" | "gradlew" => call.operands().any(|text| {
            text.rsplit(':').next().is_some_and(|task| task.starts_with("publish") && !task.ends_with("Local"))
        }),
        "docker" | "podman" | "buildah" | "nerdctl" | "helm" | "crane" | "oras" | "cosign" => {
            verb(&["push"]) || call.has(&["--push"]) || (verb(&["image", "manifest", "compose"]) && second(&["push"]))
        }
        "skopeo" => verb(&["copy", "sync", "delete"]),
        "dotnet" | "nuget" => call.operands().take(2).any(|text| text == "push") || verb(&["delete"]),
        "pod" => verb(&["trunk"]) && second(&["push", "delete", "deprecate"]),
        "mix" => call.operands().any(|text| text.starts_with("hex.publish")),
        "gh" | "glab" => verb(&["release", "gist"]) && second(&["create", "upload", "edit", "delete"]),
        "goreleaser" => verb(&["release", "publish"]),
        "semantic-release" | "release-it" | "np" => true,
        _ => false,
    }
}

fn second_starts(call: &Call<'_>, start: &str) -> bool {
    call.operand(1).starts_with(start)
}

fn deploys(call: &Call<'_>) -> bool {
    let simulated = |text: &str| {
        text.starts_with("--dry-run")
            || matches!(text, "--check" | "--syntax-check" | "--list-hosts" | "--list-tasks" | "--help")
    };
    if call.texts().any(simulated) {
        return false;
    }
    let verb = inner(
        call,
        &[
            "-n",
            "--namespace",
            "--context",
            "--profile",
            "--region",
            "--project",
            "--kube-context",
            "-C",
            "-f",
            "-a",
            "--app",
        ],
    );
    let Some(verb) = verb else {
        return matches!(call.name.as_str(), "vercel" | "surge") || call.name.starts_with("deploy");
    };
    let is = |names: &[&str]| names.contains(&verb.name.as_str());
    match call.name.as_str() {
        "terraform" | "tofu" | "terragrunt" => is(&["apply", "import", "taint"]),
        "pulumi" => is(&["up", "update"]),
        "kubectl" | "oc" | "k" => {
            is(&[
                "apply",
                "create",
                "replace",
                "patch",
                "set",
                "edit",
                "scale",
                "run",
                "expose",
                "autoscale",
                "annotate",
                "label",
                "cordon",
                "taint",
            ]) || (is(&["rollout"]) && matches!(verb.operand(0), "restart" | "undo" | "pause" | "resume"))
        }
        "helm" => is(&["install", "upgrade"]),
        "vercel" | "netlify" | "firebase" | "fly" | "flyctl" | "sls" | "serverless" | "cdk" | "sam" | "wrangler"
        | "eb" | "copilot" | "skaffold" | "sst" | "amplify" | "azd" | "cdktf" | "gh-pages" | "modal" => {
            is(&["deploy", "publish", "up", "run", "launch", "promote"]) || call.has(&["--prod"])
        }
        "railway" | "nomad" | "waypoint" => is(&["up", "deploy", "run"]),
        "gcloud" | "az" => verb.operands().take(4).any(|text| matches!(text, "deploy" | "up" | "create" | "update")),
        "aws" => {
            let action = verb.operand(0);
            action == "deploy"
                || ["create-", "update-", "put-", "run-", "invoke", "start-", "modify-"]
                    .iter()
                    .any(|start| action.starts_with(start))
        }
        "ansible-playbook" => true,
        "ansible" => call.option('m', "module-name") || call.option('a', "args"),
        "cap" | "fab" | "mina" | "kamal" | "dokku" => {
            call.operands().any(|text| text.ends_with("deploy") || text == "setup")
        }
        "docker" => is(&["stack", "service"]) && matches!(verb.operand(0), "deploy" | "update" | "create" | "scale"),
        "git" => is(&["push"]) && matches!(verb.operand(0), "heroku" | "dokku" | "production" | "prod" | "live"),
        "npm" | "yarn" | "pnpm" | "bun" => {
            verb.name.starts_with("deploy") || (is(&["run", "run-script"]) && verb.operand(0).starts_with("deploy"))
        }
        "make" | "just" | "task" | "rake" => call.operands().any(|text| text.starts_with("deploy")),
        "gh" | "glab" => (is(&["workflow"]) && verb.operand(0) == "run") || is(&["deployment"]),
        "argocd" => is(&["app"]) && matches!(verb.operand(0), "sync" | "set" | "create" | "rollback"),
        name => name.starts_with("deploy"),
    }
}
