//! What builds, deploys, configures and keeps secrets.

use crate::secrets::alphabet::{ALNUM, BASE64, DOTTED, HEX, LOWER, NAME, PADDED64, UPPER, URL64, UUID};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new(
        "circleci",
        "CircleCI",
        "a CircleCI token",
        &["CCIPAT_", "CCIPRJ_"],
        &[from_to(ALNUM, 20, 24), text("_"), exactly(HEX, 40)],
    ),
    Rule::new("buildkite", "Buildkite", "a Buildkite token", &["bkua_"], &[exactly(HEX, 40)]),
    Rule::new(
        "harness",
        "Harness",
        "a Harness token",
        &["pat.", "sat."],
        &[exactly(URL64, 22), text("."), exactly(HEX, 24), text("."), exactly(ALNUM, 20)],
    )
    .alone(),
    Rule::new("octopus-deploy", "Octopus Deploy", "an Octopus Deploy API key", &["API-"], &[exactly(UPPER, 26)])
        .entropy(3.4)
        .alone(),
    Rule::new("prefect", "Prefect", "a Prefect API key", &["pnu_", "pnb_"], &[exactly(ALNUM, 36)]).alone(),
    Rule::new("pulumi", "Pulumi", "a Pulumi token", &["pul-"], &[exactly(HEX, 40)]).alone(),
    Rule::new("terraform-cloud", "HashiCorp", "a Terraform Cloud token", &[".atlasv1."], &[from_to(URL64, 60, 72)])
        .lead(ALNUM, 14),
    Rule::new("vault-service", "HashiCorp", "a Vault service token", &["hvs."], &[from_to(URL64, 24, 255)]).alone(),
    Rule::new("vault-batch", "HashiCorp", "a Vault batch token", &["hvb."], &[from_to(URL64, 100, 400)]).alone(),
    Rule::new("vault-recovery", "HashiCorp", "a Vault recovery token", &["hvr."], &[from_to(URL64, 24, 255)]).alone(),
    Rule::new(
        "doppler",
        "Doppler",
        "a Doppler token",
        &["dp.pt.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        &[from_to(ALNUM, 40, 48)],
    ),
    Rule::new("doppler-service", "Doppler", "a Doppler service token", &["dp.st."], &[from_to(DOTTED, 40, 96)]),
    Rule::new("infracost", "Infracost", "an Infracost API key", &["ico-"], &[exactly(ALNUM, 32)]).alone(),
    Rule::new(
        "1password-service",
        "1Password",
        "a 1Password service account token",
        &["ops_eyJ"],
        &[from_to(PADDED64, 200, 1200)],
    ),
    Rule::new(
        "1password-secret-key",
        "1Password",
        "a 1Password secret key",
        &["A3-"],
        &[
            exactly(UPPER, 6),
            text("-"),
            exactly(UPPER, 6),
            text("-"),
            exactly(UPPER, 5),
            text("-"),
            exactly(UPPER, 5),
            text("-"),
            exactly(UPPER, 5),
        ],
    )
    .alone(),
    Rule::new(
        "launchdarkly-sdk",
        "LaunchDarkly",
        "a LaunchDarkly key",
        &["sdk-", "api-"],
        &[
            exactly(HEX, 8),
            text("-"),
            exactly(HEX, 4),
            text("-4"),
            exactly(HEX, 3),
            text("-"),
            exactly(HEX, 4),
            text("-"),
            exactly(HEX, 12),
        ],
    )
    .alone(),
    Rule::new(
        "configcat",
        "ConfigCat",
        "a ConfigCat SDK key",
        &["configcat-sdk-1/"],
        &[exactly(URL64, 22), text("/"), exactly(URL64, 22)],
    ),
    Rule::new(
        "inngest-signing",
        "Inngest",
        "an Inngest signing key",
        &["signkey-prod-", "signkey-test-"],
        &[from_to(HEX, 32, 64)],
    ),
    Rule::new(
        "trigger-dev",
        "Trigger.dev",
        "a Trigger.dev key",
        &["tr_prod_", "tr_stg_", "tr_pat_"],
        &[from_to(ALNUM, 20, 48)],
    ),
    Rule::new("apify", "Apify", "an Apify API token", &["apify_api_"], &[from_to(ALNUM, 30, 48)]),
    Rule::new("zuplo", "Zuplo", "a Zuplo API key", &["zpka_"], &[from_to(NAME, 32, 64)]),
    Rule::new("unkey", "Unkey", "an Unkey root key", &["unkey_"], &[from_to(ALNUM, 20, 48)]).alone(),
    Rule::new("kong", "Kong", "a Kong Konnect token", &["kpat_", "spat_"], &[from_to(ALNUM, 40, 72)]).alone(),
    Rule::new("scalingo", "Scalingo", "a Scalingo token", &["tk-us-"], &[exactly(URL64, 48)]),
    Rule::new("readme", "ReadMe", "a ReadMe API key", &["rdme_"], &[exactly(LOWER, 70)]),
    Rule::new(
        "tailscale",
        "Tailscale",
        "a Tailscale key",
        &["tskey-auth-", "tskey-api-", "tskey-client-", "tskey-scim-", "tskey-webhook-"],
        &[from_to(ALNUM, 8, 24), text("-"), from_to(ALNUM, 20, 48)],
    ),
    Rule::new(
        "defined-networking",
        "Defined Networking",
        "a Defined Networking key",
        &["dnkey-"],
        &[from_to(URL64, 60, 96)],
    ),
    Rule::new("netbird", "NetBird", "a NetBird token", &["nbp_"], &[exactly(ALNUM, 36)]).alone(),
    Rule::new("openshift", "OpenShift", "an OpenShift token", &["sha256~"], &[exactly(URL64, 43)]).entropy(3.5),
    Rule::new(
        "rancher",
        "Rancher",
        "a Rancher token",
        &["kubeconfig-u-", "token-"],
        &[exactly(LOWER, 5), text(":"), exactly(LOWER, 54)],
    ),
    Rule::new("clerk-machine", "Clerk", "a Clerk machine key", &["ak_", "oat_"], &[exactly(ALNUM, 32)])
        .entropy(3.8)
        .alone(),
    Rule::new("stytch", "Stytch", "a Stytch secret", &["secret-live-", "secret-test-"], &[from_to(URL64, 30, 48)]),
    Rule::new("workos", "WorkOS", "a WorkOS API key", &["sk_"], &[from_to(BASE64, 60, 120)]).entropy(4.2).alone(),
    Rule::new(
        "depot",
        "Depot",
        "a Depot token",
        &["depot_org_", "depot_project_", "depot_user_"],
        &[from_to(HEX, 40, 96)],
    ),
    Rule::new(
        "rapidapi",
        "RapidAPI",
        "a RapidAPI key",
        &["msh"],
        &[exactly(HEX, 15), text("p1"), exactly(HEX, 6), text("jsn"), exactly(HEX, 12)],
    )
    .lead(HEX, 10),
    Rule::new("adobe", "Adobe", "an Adobe client secret", &["p8e-"], &[exactly(URL64, 32)]).alone(),
    Rule::new("heroku", "Heroku", "a Heroku API key", &["HRKU-"], &[from_to(UUID, 36, 36)]),
    Rule::new("heroku-long", "Heroku", "a Heroku API key", &["HRKU-AA"], &[from_to(URL64, 50, 64)]),
    Rule::new("age", "age", "a secret key of age", &["AGE-SECRET-KEY-1"], &[exactly(UPPER, 58)]),
    Rule::new(
        "age-plugin",
        "age",
        "a secret key of age",
        &["AGE-PLUGIN-"],
        &[from_to(UPPER, 2, 20), text("-1"), from_to(UPPER, 20, 200)],
    ),
];
