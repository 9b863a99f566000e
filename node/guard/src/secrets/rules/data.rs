//! Databases, search and what carries data between them.

use crate::secrets::alphabet::{ALNUM, BASE64, DOTTED, HEX, LOWER, URL64};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new("supabase-pat", "Supabase", "a Supabase access token", &["sbp_"], &[from_to(LOWER, 40, 64)]).alone(),
    Rule::new("supabase-secret", "Supabase", "a Supabase secret key", &["sb_secret_"], &[from_to(URL64, 28, 48)]),
    Rule::new("neon", "Neon", "a Neon API key", &["napi_"], &[from_to(LOWER, 40, 80)]).alone(),
    Rule::new(
        "planetscale",
        "PlanetScale",
        "a PlanetScale secret",
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        &[from_to(DOTTED, 32, 64)],
    ),
    Rule::new(
        "mongodb-atlas",
        "MongoDB",
        "a MongoDB Atlas service account secret",
        &["mdb_sa_sk_"],
        &[from_to(URL64, 40, 48)],
    ),
    Rule::new("databricks", "Databricks", "a Databricks token", &["dapi"], &[exactly(HEX, 32)]).apart(),
    Rule::new("confluent", "Confluent", "a Confluent API secret", &["cflt"], &[exactly(BASE64, 60)])
        .entropy(3.8)
        .apart(),
    Rule::new("aiven", "Aiven", "an Aiven password", &["AVNS_"], &[from_to(URL64, 15, 40)]),
    Rule::new("elastic", "Elastic", "an Elastic API key", &["essu_"], &[from_to(BASE64, 40, 120)]),
    Rule::new(
        "cockroachdb",
        "CockroachDB",
        "a CockroachDB Cloud key",
        &["CCDB1_"],
        &[exactly(ALNUM, 22), text("_"), exactly(ALNUM, 40)],
    ),
    Rule::new("xata", "Xata", "a Xata API key", &["xau_"], &[from_to(ALNUM, 32, 64)]).alone(),
    Rule::new("dbt-cloud", "dbt", "a dbt Cloud token", &["dbtc_", "dbtu_", "dbts_"], &[from_to(URL64, 40, 80)]),
    Rule::new(
        "tinybird",
        "Tinybird",
        "a Tinybird token",
        &["p.eyJ"],
        &[from_to(URL64, 40, 200), text("."), from_to(URL64, 40, 48)],
    )
    .alone(),
    Rule::new("clickhouse-cloud", "ClickHouse", "a ClickHouse Cloud secret", &["4b1d"], &[exactly(ALNUM, 38)])
        .entropy(4.0)
        .alone(),
    Rule::new("materialize", "Materialize", "a Materialize app password", &["mzp_"], &[exactly(HEX, 64)]),
    Rule::new(
        "prisma",
        "Prisma",
        "a Prisma Accelerate key",
        &["prisma+postgres://accelerate.prisma-data.net/?api_key="],
        &[from_to(DOTTED, 40, 400)],
    ),
    Rule::new("gel", "Gel", "a Gel secret key", &["nbwt1_", "edbt1_"], &[from_to(DOTTED, 60, 400)]),
    Rule::new(
        "airtable",
        "Airtable",
        "an Airtable access token",
        &["pat"],
        &[exactly(ALNUM, 14), text("."), exactly(HEX, 64)],
    )
    .alone(),
    Rule::new("posthog", "PostHog", "a PostHog personal API key", &["phx_", "phs_"], &[from_to(ALNUM, 40, 64)]).alone(),
    Rule::new("segment", "Segment", "a Segment API token", &["sgp_"], &[exactly(ALNUM, 64)]).entropy(4.2),
    Rule::new("contentful", "Contentful", "a Contentful token", &["CFPAT-"], &[from_to(URL64, 40, 48)]),
    Rule::new(
        "liveblocks",
        "Liveblocks",
        "a Liveblocks secret key",
        &["sk_prod_", "sk_dev_"],
        &[from_to(URL64, 44, 96)],
    ),
    Rule::new("qstash", "Upstash", "a QStash signing key", &["sig_"], &[from_to(ALNUM, 27, 32)]).entropy(3.8).alone(),
];
