//! Tasks, documents, designs, customers.

use crate::secrets::alphabet::{ALNUM, DIGITS, HEX, LOWER, UPPER, URL64, UUID};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new("linear", "Linear", "a Linear key", &["lin_api_", "lin_oauth_"], &[from_to(ALNUM, 40, 64)]),
    Rule::new("notion", "Notion", "a Notion token", &["ntn_"], &[from_to(ALNUM, 40, 56)]).alone(),
    Rule::new("notion-legacy", "Notion", "a Notion token", &["secret_"], &[exactly(ALNUM, 43)]).entropy(3.8).alone(),
    Rule::new("figma", "Figma", "a Figma access token", &["figd_", "figo_"], &[from_to(URL64, 36, 48)]),
    Rule::new("typeform", "Typeform", "a Typeform token", &["tfp_"], &[from_to(URL64, 40, 72)]).apart(),
    Rule::new(
        "clickup",
        "ClickUp",
        "a ClickUp token",
        &["pk_"],
        &[from_to(DIGITS, 5, 10), text("_"), exactly(UPPER, 32)],
    )
    .alone(),
    Rule::new(
        "asana",
        "Asana",
        "an Asana token",
        &["2/"],
        &[from_to(DIGITS, 12, 20), text("/"), from_to(DIGITS, 12, 20), text(":"), exactly(HEX, 32)],
    )
    .alone(),
    Rule::new(
        "hubspot",
        "HubSpot",
        "a HubSpot access token",
        &["pat-na1-", "pat-na2-", "pat-eu1-", "pat-ap1-"],
        &[exactly(UUID, 36)],
    ),
    Rule::new(
        "salesforce",
        "Salesforce",
        "a Salesforce session",
        &["00D"],
        &[exactly(ALNUM, 12), text("!"), from_to(URL64, 30, 120)],
    )
    .alone(),
    Rule::new("frame-io", "Frame.io", "a Frame.io token", &["fio-u-"], &[exactly(URL64, 64)]),
    Rule::new("canva", "Canva", "a Canva client secret", &["cnvca"], &[from_to(URL64, 40, 64)]),
    Rule::new("webflow", "Webflow", "a Webflow token", &["ws-"], &[exactly(HEX, 64)]).alone(),
    Rule::new("cal-com", "Cal.com", "a Cal.com API key", &["cal_live_"], &[from_to(LOWER, 32, 64)]),
    Rule::new("n8n", "n8n", "an n8n API key", &["n8n_api_"], &[from_to(LOWER, 40, 120)]),
    Rule::new("plain", "Plain", "a Plain API key", &["plainApiKey_"], &[from_to(ALNUM, 20, 80)]),
    Rule::new(
        "pairwave-invite",
        "pairwave",
        "an invite, which lets anybody into its room",
        &["pairwave1"],
        &[from_to(LOWER, 60, 4096)],
    ),
    Rule::new(
        "pairwave-relay-token",
        "pairwave",
        "a relay with its token",
        &["/p2p/12D3KooW"],
        &[exactly(ALNUM, 44), text("#"), from_to(URL64, 8, 64)],
    ),
];
