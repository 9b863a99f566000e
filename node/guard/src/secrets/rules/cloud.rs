//! Clouds, hosts and networks.

use crate::secrets::alphabet::{ALNUM, BASE64, HEX, LOWER, NAME, PADDED64, TILDED, UPPER, URL64};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new(
        "aws-access-key",
        "AWS",
        "an AWS access key id",
        &["AKIA", "ASIA", "ABIA", "ACCA"],
        &[exactly(UPPER, 16)],
    )
    .alone(),
    Rule::new("aws-bedrock", "AWS", "an Amazon Bedrock API key", &["ABSK"], &[from_to(PADDED64, 100, 400)]).apart(),
    Rule::new("aws-mws", "AWS", "an Amazon MWS token", &["amzn.mws."], &[from_to(URL64, 36, 36)]),
    Rule::new("google-api", "Google", "a Google API key", &["AIza"], &[exactly(URL64, 35)]).apart(),
    Rule::new("google-client-secret", "Google", "a Google OAuth client secret", &["GOCSPX-"], &[exactly(URL64, 28)]),
    Rule::new("google-access", "Google", "a Google OAuth access token", &["ya29."], &[from_to(URL64, 30, 512)]),
    Rule::new("google-refresh", "Google", "a Google OAuth refresh token", &["1//0"], &[from_to(URL64, 40, 120)])
        .alone(),
    Rule::new("google-hmac", "Google", "a Google storage HMAC key", &["GOOG1E"], &[exactly(UPPER, 55)]).alone(),
    Rule::new("azure-client-secret", "Azure", "an Azure client secret", &["7Q~", "8Q~"], &[from_to(TILDED, 31, 34)])
        .lead(TILDED, 3)
        .entropy(3.5),
    Rule::new(
        "azure-storage",
        "Azure",
        "an Azure storage account key",
        &["AccountKey="],
        &[from_to(BASE64, 40, 90), text("=")],
    )
    .entropy(3.5),
    Rule::new(
        "azure-shared-access",
        "Azure",
        "an Azure shared access key",
        &["SharedAccessKey="],
        &[from_to(BASE64, 40, 64), text("=")],
    )
    .entropy(3.5),
    Rule::new("azure-function", "Azure", "an Azure Functions key", &["AzFu"], &[from_to(PADDED64, 6, 12)])
        .lead(URL64, 44),
    Rule::new(
        "azure-sas",
        "Azure",
        "an Azure shared access signature",
        &["&sig=", "?sig="],
        &[from_to(TILDED, 20, 90), text("%3D")],
    ),
    Rule::new(
        "digitalocean",
        "DigitalOcean",
        "a DigitalOcean token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        &[exactly(HEX, 64)],
    ),
    Rule::new("fly-io", "Fly.io", "a Fly.io access token", &["fo1_"], &[exactly(URL64, 43)]),
    Rule::new(
        "fly-io-macaroon",
        "Fly.io",
        "a Fly.io macaroon",
        &["fm1a_", "fm1r_", "fm2_"],
        &[from_to(PADDED64, 100, 512)],
    ),
    Rule::new("render", "Render", "a Render API key", &["rnd_"], &[from_to(ALNUM, 28, 40)]).entropy(3.5).alone(),
    Rule::new("netlify", "Netlify", "a Netlify token", &["nfp_", "nfc_", "nfo_", "nfu_"], &[from_to(ALNUM, 36, 48)])
        .alone(),
    Rule::new(
        "vercel",
        "Vercel",
        "a Vercel token",
        &["vcp_", "vci_", "vca_", "vcr_", "vck_"],
        &[from_to(ALNUM, 24, 64)],
    )
    .alone(),
    Rule::new(
        "vercel-blob",
        "Vercel",
        "a Vercel Blob token",
        &["vercel_blob_rw_"],
        &[from_to(ALNUM, 12, 24), text("_"), from_to(ALNUM, 24, 48)],
    ),
    Rule::new(
        "cloudflare-origin-ca",
        "Cloudflare",
        "a Cloudflare origin CA key",
        &["v1.0-"],
        &[exactly(HEX, 24), text("-"), from_to(HEX, 100, 160)],
    ),
    Rule::new("alibaba", "Alibaba Cloud", "an Alibaba Cloud access key id", &["LTAI"], &[from_to(ALNUM, 16, 24)])
        .entropy(3.2)
        .alone(),
    Rule::new("tencent", "Tencent Cloud", "a Tencent Cloud secret id", &["AKID"], &[exactly(ALNUM, 32)]).alone(),
    Rule::new("yandex-api", "Yandex Cloud", "a Yandex Cloud API key", &["AQVN"], &[from_to(URL64, 35, 38)]).alone(),
    Rule::new(
        "yandex-iam",
        "Yandex Cloud",
        "a Yandex Cloud IAM token",
        &["t1."],
        &[from_to(URL64, 20, 400), text("."), from_to(URL64, 80, 90)],
    )
    .alone(),
    Rule::new(
        "yandex-static",
        "Yandex Cloud",
        "a Yandex Cloud static key",
        &["YCAJE", "YCMME", "YCN"],
        &[from_to(URL64, 20, 40)],
    )
    .entropy(3.5)
    .alone(),
    Rule::new(
        "akamai",
        "Akamai",
        "an Akamai credential",
        &["akab-"],
        &[exactly(LOWER, 16), text("-"), exactly(LOWER, 16)],
    ),
    Rule::new("exoscale", "Exoscale", "an Exoscale API key", &["EXO"], &[from_to(HEX, 24, 32)]).alone(),
    Rule::new("scaleway", "Scaleway", "a Scaleway access key", &["SCW"], &[exactly(UPPER, 17)]).entropy(3.2).alone(),
    Rule::new("backblaze", "Backblaze", "a Backblaze application key", &["K00"], &[exactly(PADDED64, 28)])
        .entropy(3.8)
        .apart(),
    Rule::new(
        "kubernetes-bootstrap",
        "Kubernetes",
        "a kubeadm token",
        &["--token "],
        &[exactly(LOWER, 6), text("."), exactly(LOWER, 16)],
    ),
    Rule::new("maxmind", "MaxMind", "a MaxMind licence key", &["_mmk"], &[]).lead(NAME, 36),
    Rule::new(
        "mapbox",
        "Mapbox",
        "a Mapbox secret token",
        &["sk.eyJ"],
        &[from_to(URL64, 40, 200), text("."), exactly(URL64, 22)],
    ),
    Rule::new("dropbox", "Dropbox", "a Dropbox access token", &["sl.B", "sl.u."], &[from_to(URL64, 100, 2000)]).alone(),
];
