//! Tokens without a form of their own: known by the provider's name beside them, and by their length.

use std::ops::Range;

use super::alphabet::{ALNUM, Alphabet, DOTTED, HEX, Kinds, LOWER, UPPER, URL64, UUID, entropy};
use super::assigned;
use super::hit::{Hit, Rank};
use super::stop::{is_name, is_stand_in};

/// A provider, and what its keys consist of.
#[derive(Debug)]
pub struct Keyed {
    /// Its name as in the name of a variable; found in any case.
    pub word: &'static str,
    pub id: &'static str,
    pub what: &'static str,
    pub alphabet: Alphabet,
    pub lengths: &'static [usize],
}

const fn keyed(
    word: &'static str,
    id: &'static str,
    what: &'static str,
    alphabet: Alphabet,
    lengths: &'static [usize],
) -> Keyed {
    Keyed { word, id, what, alphabet, lengths }
}

pub const KEYED: &[Keyed] = &[
    keyed("alchemy", "alchemy", "an Alchemy key", URL64, &[32]),
    keyed("algolia", "algolia", "an Algolia key", HEX, &[32]),
    keyed("amplitude", "amplitude", "an Amplitude key", HEX, &[32]),
    keyed("assemblyai", "assemblyai", "an AssemblyAI key", HEX, &[32]),
    keyed("auth0", "auth0", "an Auth0 client secret", URL64, &[64]),
    keyed("azure_openai", "azure-openai", "an Azure OpenAI key", ALNUM, &[32, 84]),
    keyed("binance", "binance", "a Binance key", ALNUM, &[64]),
    keyed("bunny", "bunny", "a bunny.net key", UUID, &[36, 72]),
    keyed("cloudflare", "cloudflare", "a Cloudflare token", URL64, &[37, 40]),
    keyed("cloudinary", "cloudinary", "a Cloudinary secret", URL64, &[27]),
    keyed("codecov", "codecov", "a Codecov token", UUID, &[36]),
    keyed("cohere", "cohere", "a Cohere key", ALNUM, &[40]),
    keyed("coinbase", "coinbase", "a Coinbase secret", URL64, &[32, 64]),
    keyed("contentful", "contentful-legacy", "a Contentful token", URL64, &[43]),
    keyed("datadog", "datadog", "a Datadog key", HEX, &[32, 40]),
    keyed("deepgram", "deepgram", "a Deepgram key", HEX, &[40]),
    keyed("discord", "discord", "a Discord token", DOTTED, &[32, 59, 70, 71, 72]),
    keyed("drone", "drone", "a Drone token", ALNUM, &[32]),
    keyed("etherscan", "etherscan", "an Etherscan key", UPPER, &[34]),
    keyed("fastly", "fastly", "a Fastly token", URL64, &[32]),
    keyed("freshdesk", "freshdesk", "a Freshdesk key", ALNUM, &[20]),
    keyed("gitea", "gitea", "a Gitea token", HEX, &[40]),
    keyed("codeberg", "codeberg", "a Codeberg token", HEX, &[40]),
    keyed("hetzner", "hetzner", "a Hetzner token", ALNUM, &[64]),
    keyed("hcloud", "hetzner-cloud", "a Hetzner Cloud token", ALNUM, &[64]),
    keyed("heroku", "heroku-legacy", "a Heroku key", UUID, &[36]),
    keyed("ibm", "ibm-cloud", "an IBM Cloud key", URL64, &[44]),
    keyed("infura", "infura", "an Infura key", HEX, &[32]),
    keyed("jenkins", "jenkins", "a Jenkins token", HEX, &[32, 34]),
    keyed("kraken", "kraken", "a Kraken key", URL64, &[56]),
    keyed("linode", "linode", "a Linode token", HEX, &[64]),
    keyed("logdna", "logdna", "a LogDNA key", HEX, &[32]),
    keyed("messagebird", "messagebird", "a MessageBird key", ALNUM, &[25]),
    keyed("mistral", "mistral", "a Mistral key", ALNUM, &[32]),
    keyed("mixpanel", "mixpanel", "a Mixpanel secret", HEX, &[32]),
    keyed("netlify", "netlify-legacy", "a Netlify token", URL64, &[43, 44, 45, 46]),
    keyed("nexmo", "vonage", "a Vonage secret", ALNUM, &[16]),
    keyed("ngrok", "ngrok", "an ngrok token", URL64, &[43, 48, 49]),
    keyed("okta", "okta", "an Okta token", URL64, &[42]),
    keyed("openweather", "openweather", "an OpenWeather key", HEX, &[32]),
    keyed("ovh", "ovh", "an OVHcloud secret", ALNUM, &[32]),
    keyed("pagerduty", "pagerduty-legacy", "a PagerDuty key", URL64, &[20, 32]),
    keyed("plivo", "plivo", "a Plivo token", ALNUM, &[40]),
    keyed("postmark", "postmark", "a Postmark token", UUID, &[36]),
    keyed("pusher", "pusher", "a Pusher secret", HEX, &[20]),
    keyed("railway", "railway", "a Railway token", UUID, &[36]),
    keyed("scaleway", "scaleway-secret", "a Scaleway secret key", UUID, &[36]),
    keyed("serpapi", "serpapi", "a SerpApi key", HEX, &[64]),
    keyed("shodan", "shodan", "a Shodan key", ALNUM, &[32]),
    keyed("snyk", "snyk-legacy", "a Snyk token", UUID, &[36]),
    keyed("sparkpost", "sparkpost", "a SparkPost key", HEX, &[40]),
    keyed("splunk", "splunk", "a Splunk token", UUID, &[36]),
    keyed("spotify", "spotify", "a Spotify secret", HEX, &[32]),
    keyed("sumologic", "sumo-logic", "a Sumo Logic key", ALNUM, &[64]),
    keyed("travis", "travis", "a Travis CI token", URL64, &[22]),
    keyed("trello", "trello", "a Trello key", ALNUM, &[32, 64, 76]),
    keyed("twilio", "twilio-auth", "a Twilio auth token", HEX, &[32]),
    keyed("twitch", "twitch", "a Twitch secret", LOWER, &[30]),
    keyed("vercel", "vercel-legacy", "a Vercel token", ALNUM, &[24]),
    keyed("virustotal", "virustotal", "a VirusTotal key", HEX, &[64]),
    keyed("vultr", "vultr", "a Vultr key", UPPER, &[36]),
    keyed("wandb", "wandb", "a Weights & Biases key", HEX, &[40]),
    keyed("zendesk", "zendesk", "a Zendesk token", ALNUM, &[40]),
];

/// The key of this provider whose name stands at `word`: in a name that says that it is one.
pub fn find(text: &str, keyed: &Keyed, word: Range<usize>) -> Option<Hit> {
    const LONGEST: usize = 48;
    const NAMES: [&str; 6] = ["key", "token", "secret", "auth", "pat", "pass"];
    let bytes = text.as_bytes();
    let rest = &bytes[word.end..bytes.len().min(word.end + LONGEST)];
    let is_name = |byte: &u8| DOTTED.has(*byte) || *byte == b' ';
    let name = rest.iter().position(|byte| !is_name(byte)).unwrap_or(rest.len());
    let lower = rest[..name].to_ascii_lowercase();
    if !NAMES.iter().any(|wanted| lower.windows(wanted.len()).any(|window| window == wanted.as_bytes())) {
        return None;
    }
    let value = assigned::value_after(bytes, word.end + rest[..name].trim_ascii_end().len(), || false)?;
    keyed.fits(text.get(value.place.clone())?).then_some(Hit {
        rule: keyed.id,
        what: keyed.what,
        place: value.place,
        rank: Rank::Provider,
    })
}

impl Keyed {
    fn fits(&self, value: &str) -> bool {
        let bytes = value.as_bytes();
        self.lengths.contains(&bytes.len())
            && bytes.iter().all(|byte| self.alphabet.has(*byte))
            && Kinds::of(bytes).digits
            && entropy(bytes) >= 2.8
            && !is_name(value)
            && !is_stand_in(value)
    }
}
