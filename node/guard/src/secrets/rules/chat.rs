//! Where people and bots talk, and what sends mail and messages.

use crate::secrets::alphabet::{ALNUM, BASE64, DIGITS, HEX, NAME, URL64};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new("slack-bot", "Slack", "a Slack bot token", &["xoxb-"], &[from_to(URL64, 24, 120)]),
    Rule::new(
        "slack-user",
        "Slack",
        "a Slack user token",
        &["xoxp-", "xoxe-", "xoxe.xoxb-", "xoxe.xoxp-"],
        &[from_to(URL64, 24, 400)],
    ),
    Rule::new("slack-session", "Slack", "a Slack session token", &["xoxc-", "xoxs-"], &[from_to(URL64, 24, 255)]),
    Rule::new(
        "slack-legacy",
        "Slack",
        "a Slack workspace token",
        &["xoxa-", "xoxo-", "xoxr-"],
        &[from_to(URL64, 24, 255)],
    ),
    Rule::new(
        "slack-app",
        "Slack",
        "a Slack app token",
        &["xapp-"],
        &[
            exactly(DIGITS, 1),
            text("-"),
            from_to(ALNUM, 8, 16),
            text("-"),
            from_to(DIGITS, 8, 16),
            text("-"),
            from_to(ALNUM, 40, 80),
        ],
    ),
    Rule::new(
        "slack-webhook",
        "Slack",
        "a Slack webhook",
        &["hooks.slack.com/services/", "hooks.slack.com/workflows/"],
        &[from_to(ALNUM, 8, 14), text("/"), from_to(ALNUM, 8, 14), text("/"), from_to(ALNUM, 18, 64)],
    ),
    Rule::new(
        "discord-webhook",
        "Discord",
        "a Discord webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        &[from_to(DIGITS, 16, 20), text("/"), from_to(URL64, 60, 80)],
    ),
    Rule::new(
        "teams-webhook",
        "Microsoft",
        "a Teams webhook",
        &["webhook.office.com/webhookb2/"],
        &[exactly(URL64, 36), text("@"), exactly(URL64, 36), text("/IncomingWebhook/"), exactly(ALNUM, 32)],
    ),
    Rule::new(
        "google-chat-webhook",
        "Google",
        "a Google Chat webhook",
        &["chat.googleapis.com/v1/spaces/"],
        &[from_to(URL64, 8, 24), text("/messages?key="), from_to(URL64, 30, 48)],
    ),
    Rule::new(
        "zapier-webhook",
        "Zapier",
        "a Zapier webhook",
        &["hooks.zapier.com/hooks/catch/"],
        &[from_to(DIGITS, 5, 12), text("/"), from_to(ALNUM, 6, 12)],
    )
    .entropy(2.0),
    Rule::new("matrix-access", "Matrix", "a Matrix access token", &["syt_", "mct_", "mcr_"], &[from_to(NAME, 30, 120)])
        .entropy(3.5)
        .alone(),
    Rule::new("twilio", "Twilio", "a Twilio API key", &["SK"], &[exactly(HEX, 32)]).alone(),
    Rule::new(
        "sendgrid",
        "SendGrid",
        "a SendGrid API key",
        &["SG."],
        &[exactly(URL64, 22), text("."), exactly(URL64, 43)],
    ),
    Rule::new("mailgun", "Mailgun", "a Mailgun key", &["key-"], &[exactly(HEX, 32)]).alone(),
    Rule::new("mailchimp", "Mailchimp", "a Mailchimp API key", &["-us"], &[from_to(DIGITS, 1, 2)])
        .lead(HEX, 32)
        .alone(),
    Rule::new("mandrill", "Mailchimp", "a Mandrill API key", &["md-"], &[exactly(URL64, 22)]).entropy(3.8).alone(),
    Rule::new(
        "brevo",
        "Brevo",
        "a Brevo key",
        &["xkeysib-", "xsmtpsib-"],
        &[exactly(HEX, 64), text("-"), exactly(ALNUM, 16)],
    ),
    Rule::new(
        "resend",
        "Resend",
        "a Resend API key",
        &["re_"],
        &[from_to(ALNUM, 8, 10), text("_"), from_to(ALNUM, 22, 26)],
    )
    .entropy(3.4)
    .alone(),
    Rule::new("intercom", "Intercom", "an Intercom token", &["dG9rO"], &[from_to(BASE64, 50, 60)]).apart(),
    Rule::new(
        "facebook",
        "Facebook",
        "a Facebook access token",
        &["EAAM", "EAAC", "EAAG", "EAAB"],
        &[from_to(ALNUM, 80, 400)],
    )
    .apart(),
    Rule::new("instagram", "Instagram", "an Instagram access token", &["IGQV", "IGAA"], &[from_to(URL64, 80, 400)])
        .apart(),
    Rule::new("twitter-bearer", "X", "an X bearer token", &["AAAAAAAAAAAAAAAAAAAAA"], &[from_to(ALNUM, 50, 120)])
        .apart(),
    Rule::new("linkedin", "LinkedIn", "a LinkedIn client secret", &["WPL_AP1."], &[from_to(BASE64, 16, 32)]).alone(),
    Rule::new("lark", "Lark", "a Feishu tenant token", &["t-g1"], &[from_to(ALNUM, 32, 48)]).alone(),
];
