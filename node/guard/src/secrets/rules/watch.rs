//! What watches, measures and wakes people at night.

use crate::secrets::alphabet::{ALNUM, BASE64, DOTTED, HEX, LOWER, NAME, PADDED64, UPPER, URL64};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new("sentry-org", "Sentry", "a Sentry organisation token", &["sntrys_eyJ"], &[from_to(PADDED64, 60, 400)]),
    Rule::new("sentry-user", "Sentry", "a Sentry user token", &["sntryu_"], &[exactly(HEX, 64)]),
    Rule::new("sonarqube", "SonarQube", "a SonarQube token", &["squ_", "sqp_", "sqa_"], &[exactly(HEX, 40)]),
    Rule::new("grafana-cloud", "Grafana", "a Grafana Cloud token", &["glc_eyJ"], &[from_to(PADDED64, 32, 400)]),
    Rule::new(
        "grafana-service",
        "Grafana",
        "a Grafana service account token",
        &["glsa_"],
        &[exactly(ALNUM, 32), text("_"), from_to(ALNUM, 8, 8)],
    ),
    Rule::new("grafana-api", "Grafana", "a Grafana API key", &["eyJrIjoi"], &[from_to(BASE64, 60, 400)]),
    Rule::new("new-relic-user", "New Relic", "a New Relic user key", &["NRAK-"], &[exactly(UPPER, 27)]),
    Rule::new("new-relic-insert", "New Relic", "a New Relic insert key", &["NRII-"], &[exactly(URL64, 32)]),
    Rule::new("new-relic-licence", "New Relic", "a New Relic licence key", &["NRAL"], &[]).lead(LOWER, 36).alone(),
    Rule::new(
        "dynatrace",
        "Dynatrace",
        "a Dynatrace token",
        &["dt0c01.", "dt0s01.", "dt0s08.", "dt0s16."],
        &[from_to(UPPER, 8, 24), text("."), exactly(UPPER, 64)],
    ),
    Rule::new(
        "honeycomb",
        "Honeycomb",
        "a Honeycomb ingest key",
        &["hcaik_", "hcbik_", "hcxik_"],
        &[from_to(LOWER, 48, 64)],
    ),
    Rule::new("axiom", "Axiom", "an Axiom token", &["xaat-", "xapt-"], &[exactly(URL64, 36)]),
    Rule::new("datadog-pat", "Datadog", "a Datadog access token", &["ddpat_"], &[from_to(NAME, 30, 96)]),
    Rule::new("pagerduty", "PagerDuty", "a PagerDuty token", &["pdus+", "pdeu+"], &[from_to(URL64, 18, 64)]),
    Rule::new("logfire", "Pydantic", "a Logfire token", &["pylf_v1_us_", "pylf_v1_eu_"], &[from_to(ALNUM, 40, 64)]),
    Rule::new("snyk", "Snyk", "a Snyk token", &["snyk_uat.", "snyk_sat."], &[from_to(DOTTED, 40, 160)]),
    Rule::new("rootly", "Rootly", "a Rootly API key", &["rootly_"], &[exactly(HEX, 64)]),
];
