//! Where code lies, and where packages are published.

use crate::secrets::alphabet::{ALNUM, BASE64, DIGITS, DOTTED, HEX, LOWER, NAME, UPPER, URL64, UUID};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new("github-pat", "GitHub", "a GitHub personal access token", &["ghp_"], &[from_to(ALNUM, 36, 255)]),
    Rule::new(
        "github-fine-grained-pat",
        "GitHub",
        "a fine-grained GitHub personal access token",
        &["github_pat_"],
        &[from_to(NAME, 36, 255)],
    ),
    Rule::new("github-oauth", "GitHub", "a GitHub OAuth token", &["gho_"], &[from_to(ALNUM, 36, 255)]),
    Rule::new("github-app", "GitHub", "a token of a GitHub app", &["ghu_", "ghs_"], &[from_to(ALNUM, 36, 255)]),
    Rule::new("github-refresh", "GitHub", "a GitHub refresh token", &["ghr_"], &[from_to(ALNUM, 36, 255)]),
    Rule::new("gitlab-pat", "GitLab", "a GitLab personal access token", &["glpat-"], &[from_to(URL64, 20, 255)]),
    Rule::new("gitlab-deploy", "GitLab", "a GitLab deploy token", &["gldt-"], &[from_to(URL64, 20, 255)]),
    Rule::new("gitlab-runner", "GitLab", "a GitLab runner token", &["glrt-", "glrtr-"], &[from_to(URL64, 20, 255)]),
    Rule::new(
        "gitlab-runner-registration",
        "GitLab",
        "a GitLab runner registration token",
        &["GR1348941"],
        &[from_to(URL64, 20, 64)],
    ),
    Rule::new("gitlab-job", "GitLab", "a GitLab job token", &["glcbt-"], &[from_to(URL64, 20, 255)]),
    Rule::new("gitlab-trigger", "GitLab", "a GitLab pipeline trigger token", &["glptt-"], &[from_to(URL64, 20, 64)]),
    Rule::new("gitlab-feed", "GitLab", "a GitLab feed token", &["glft-"], &[from_to(URL64, 20, 64)]),
    Rule::new("gitlab-mail", "GitLab", "a GitLab incoming mail token", &["glimt-"], &[from_to(URL64, 20, 64)]),
    Rule::new("gitlab-agent", "GitLab", "a GitLab agent token", &["glagent-"], &[from_to(URL64, 40, 64)]),
    Rule::new("gitlab-oauth", "GitLab", "a GitLab OAuth secret", &["gloas-"], &[from_to(URL64, 40, 96)]),
    Rule::new("gitlab-scim", "GitLab", "a GitLab SCIM token", &["glsoat-"], &[from_to(URL64, 20, 64)]),
    Rule::new("gitlab-flags", "GitLab", "a GitLab feature flags token", &["glffct-"], &[from_to(URL64, 20, 64)]),
    Rule::new("bitbucket-app", "Bitbucket", "a Bitbucket app password", &["ATBB"], &[from_to(ALNUM, 28, 40)]).apart(),
    Rule::new("bitbucket-server", "Bitbucket", "a Bitbucket server token", &["BBDC-"], &[from_to(BASE64, 40, 64)]),
    Rule::new(
        "atlassian-api",
        "Atlassian",
        "an Atlassian API token",
        &["ATATT3xFfGF0", "ATCTT3xFfGN0"],
        &[from_to(URL64, 60, 255)],
    ),
    Rule::new("azure-devops-pat", "Azure DevOps", "an Azure DevOps token", &["AZDO"], &[exactly(ALNUM, 4)])
        .lead(ALNUM, 76)
        .alone(),
    Rule::new(
        "sourcegraph-access",
        "Sourcegraph",
        "a Sourcegraph access token",
        &["sgp_"],
        &[from_to(HEX, 16, 16), text("_"), exactly(HEX, 40)],
    ),
    Rule::new("npm-access", "npm", "an npm access token", &["npm_"], &[exactly(ALNUM, 36)]).alone(),
    Rule::new("pypi-upload", "PyPI", "a PyPI upload token", &["pypi-AgE"], &[from_to(URL64, 50, 400)]),
    Rule::new("rubygems-api", "RubyGems", "a RubyGems API key", &["rubygems_"], &[exactly(HEX, 48)]),
    Rule::new("crates-io", "crates.io", "a crates.io token", &["cio"], &[exactly(ALNUM, 32)]).entropy(3.8).alone(),
    Rule::new("nuget-api", "NuGet", "a NuGet API key", &["oy2"], &[exactly(LOWER, 43)]).entropy(3.8).apart(),
    Rule::new(
        "packagist",
        "Packagist",
        "a Packagist token",
        &["packagist_ort_", "packagist_ust_", "packagist_uut_"],
        &[from_to(HEX, 40, 80)],
    ),
    Rule::new("clojars", "Clojars", "a Clojars deploy token", &["CLOJARS_"], &[exactly(LOWER, 60)]),
    Rule::new("jsr", "JSR", "a JSR token", &["jsrp_", "jsrd_"], &[from_to(ALNUM, 32, 80)]),
    Rule::new("docker-hub", "Docker Hub", "a Docker Hub token", &["dckr_pat_", "dckr_oat_"], &[from_to(URL64, 27, 64)]),
    Rule::new("jfrog-api", "JFrog", "a JFrog API key", &["AKCp"], &[from_to(ALNUM, 66, 80)]).apart(),
    Rule::new("jfrog-reference", "JFrog", "a JFrog reference token", &["cmVmdGtuOjAxOj"], &[from_to(ALNUM, 48, 64)])
        .apart(),
    Rule::new("socket-dev", "Socket", "a Socket API token", &["sktsec_"], &[from_to(URL64, 32, 96)]),
    Rule::new("postman", "Postman", "a Postman API key", &["PMAK-"], &[exactly(HEX, 24), text("-"), exactly(HEX, 34)]),
    Rule::new("deno-deploy", "Deno", "a Deno Deploy token", &["ddp_", "ddw_"], &[exactly(ALNUM, 36)]).alone(),
    Rule::new(
        "localstack",
        "LocalStack",
        "a LocalStack token",
        &["ls-"],
        &[
            exactly(ALNUM, 8),
            text("-"),
            exactly(ALNUM, 4),
            text("-"),
            exactly(ALNUM, 4),
            text("-"),
            exactly(ALNUM, 4),
            text("-"),
            exactly(ALNUM, 12),
        ],
    )
    .alone(),
    Rule::new("endor-labs", "Endor Labs", "an Endor Labs key", &["endr+"], &[exactly(ALNUM, 16)]).alone(),
    Rule::new("thunderstore", "Thunderstore", "a Thunderstore token", &["tss_"], &[from_to(ALNUM, 36, 64)]).alone(),
    Rule::new(
        "roblox-cookie",
        "Roblox",
        "a Roblox session",
        &["_|WARNING:-DO-NOT-SHARE-THIS."],
        &[from_to(DOTTED, 20, 160), text("|_"), from_to(UPPER, 100, 1000)],
    ),
    Rule::new("riot-api", "Riot", "a Riot API key", &["RGAPI-"], &[exactly(UUID, 36)]),
    Rule::new("telegram-bot", "Telegram", "the token of a Telegram bot", &[":AA"], &[from_to(URL64, 32, 34)])
        .lead(DIGITS, 8)
        .entropy(3.5),
];
