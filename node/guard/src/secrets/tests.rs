use std::collections::BTreeSet;

use proptest::prelude::*;

use super::alphabet::Alphabet;
use super::rule::{Part, Rule};
use super::{Finding, keyed, providers, rules, scan, scan_bytes, scan_name};

/// Draws the same letters each time. No token stands in this file: all are put together here.
struct Letters(u64);

impl Letters {
    fn next(&mut self, alphabet: Alphabet) -> char {
        loop {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let letter = u8::try_from((self.0 >> 40) % 128).expect("below 128");
            if alphabet.has(letter) {
                return char::from(letter);
            }
        }
    }

    fn run(&mut self, alphabet: Alphabet, count: usize) -> String {
        (0..count).map(|_| self.next(alphabet)).collect()
    }

    /// A token as the rule has it, with as little of everything as there may be.
    fn token(&mut self, rule: &Rule, start: &str) -> String {
        let mut token = rule.lead.map_or(String::new(), |(alphabet, count)| self.run(alphabet, count));
        token.push_str(start);
        for part in rule.body {
            match part {
                Part::Text(text) => token.push_str(text),
                Part::Run(alphabet, least, _) => token.push_str(&self.run(*alphabet, *least)),
            }
        }
        token
    }
}

/// A made-up token of this rule.
fn token(id: &str) -> String {
    let rule = rules::all().find(|rule| rule.id == id).expect("a rule of that id");
    Letters(7).token(rule, rule.starts[0])
}

fn github() -> String {
    token("github-pat")
}

fn rules_of(text: &str) -> Vec<&'static str> {
    scan(text).into_iter().map(|finding| finding.rule).collect()
}

#[track_caller]
fn finds(text: &str, rule: &str, secret: &str) -> Finding {
    let findings = scan(text);
    let found = findings.iter().find(|finding| finding.rule == rule && text[finding.place.clone()] == *secret);
    let found = found.unwrap_or_else(|| panic!("no {rule} `{secret}` in `{text}`: {findings:?}")).clone();
    assert!(!found.excerpt.contains(secret), "{found:?}");
    found
}

#[track_caller]
fn passes(text: &str) {
    assert_eq!(scan(text), [], "{text}");
}

#[test]
fn every_rule_finds_what_its_provider_gives_out() {
    for rule in rules::all() {
        for start in rule.starts {
            let mut letters = Letters(start.len() as u64 + 3);
            // Random letters have little variety now and then.
            let found = (0..8).any(|_| {
                let token = letters.token(rule, start);
                let text = format!("It is {token} since May.");
                scan(&text).iter().any(|finding| finding.rule == rule.id && text[finding.place.clone()] == token)
            });
            assert!(found, "{}: {start}", rule.id);
        }
    }
}

#[test]
fn what_is_cut_short_is_no_token() {
    for rule in rules::all().filter(|rule| matches!(rule.body.last(), Some(Part::Run(_, 8.., _)))) {
        let token = Letters(5).token(rule, rule.starts[0]);
        let text = format!("It is {}… since May.", &token[..token.len() - 1]);
        assert!(!rules_of(&text).contains(&rule.id), "{}: {text}", rule.id);
    }
}

#[test]
fn every_provider_that_is_named_beside_its_key() {
    for keyed in keyed::KEYED {
        let found = (1..9).any(|seed| {
            let key = Letters(seed).run(keyed.alphabet, keyed.lengths[0]);
            let text = format!("{}_api_token = \"{key}\"", keyed.word);
            scan(&text).iter().any(|finding| finding.rule == keyed.id && text[finding.place.clone()] == key)
        });
        assert!(found, "{}", keyed.id);
    }
}

#[test]
fn ids_are_unique_and_providers_many() {
    let ids: Vec<&str> = rules::all().map(|rule| rule.id).chain(keyed::KEYED.iter().map(|keyed| keyed.id)).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    assert!(providers().len() >= 80, "{} providers", providers().len());
}

/// Passwords that people choose. Their names here say nothing, so that this file passes its own scan.
const WEAK: &str = "hunter2";
const GOOD: &str = "Tr0ub4dor-3";
/// What a machine draws.
const DRAWN: &str = "kJ8wq2Zx7Lp0Vb3T";

/// Puts the secret where `§` stands, and finds it there.
#[track_caller]
fn finds_in(text: &str, rule: &str, secret: &str) {
    finds(&text.replace('§', secret), rule, secret);
}

#[test]
fn secrets_in_json() {
    finds_in(r#"{"password": "§"}"#, "password", WEAK);
    finds_in(r#"{"user":"bob","password":"§","n":1}"#, "password", GOOD);
    finds_in(r#"{\"password\": \"§\"}"#, "password", GOOD);
    finds_in(r#"{\\\"password\\\": \\\"§\\\"}"#, "password", GOOD);
    finds_in(r#"{"password": "§"}"#, "password", "swordfish");
    finds_in(r#"{"password": "§"}"#, "password", "correct-horse-battery-staple");
    finds_in(r#"{"password": "§"}"#, "password", "correct horse battery staple");
    finds_in(r#"{"user": "bob", "password": "§", "db": "shop"}"#, "password", "swordfish");
    passes(r#"{"name": "Name", "password": "Passwort", "other": "Anderes"}"#);
    passes(r#"{"type": "object", "password": "string", "other": "string"}"#);
    finds_in(r#"{"api_key": "§"}"#, "key", DRAWN);
    finds_in(r#"{"clientSecret": "§"}"#, "key", DRAWN);
}

#[test]
fn environments() {
    finds_in("# shop\nDB_PASSWORD=§\n", "env-password", "swordfish");
    finds_in("DB_PASSWORD=§\n", "env-password", "7x!(b;Q)");
    finds_in("export STRIPE_SECRET=§\n", "env-key", DRAWN);
    finds_in("SECRET_KEY_BASE='§'\n", "env-key", DRAWN);
    finds_in("password: §\n", "password", GOOD);
    finds_in("mysql --password=§ shop", "password", GOOD);
    finds_in("mysql --password § shop", "password", GOOD);
    finds_in("machine h login bob password §\n", "password", GOOD);
}

#[test]
fn assignments_in_code() {
    finds_in(r#"let password = "§";"#, "password", GOOD);
    finds_in(r#"const SECRET: &str = "§";"#, "key", DRAWN);
    finds_in(r#"password: Some("§".into()),"#, "password", GOOD);
    finds_in(r#"config["token"] = '§'"#, "key", DRAWN);
    finds_in("<password>§</password>", "password", GOOD);
    finds_in("the password is §.", "password", WEAK);
    finds_in("GET /x?page=2&access_token=§&b=1", "key", DRAWN);
    finds_in("let x = \"§\";", "random-string", &Letters(3).run(super::alphabet::ALNUM, 48));
}

#[test]
fn headers() {
    finds_in("Authorization: Bearer §", "bearer-token", DRAWN);
    let basic = base64(format!("bob:{GOOD}").as_bytes());
    finds_in("authorization: Basic §\r\n", "basic-auth", &basic);
    finds_in(r#"{"auths":{"h":{"auth":"§"}}}"#, "basic-auth", &basic);
}

#[test]
fn urls_with_passwords() {
    finds_in("postgres://app:§@db.corp:5432/shop", "url-password", GOOD);
    finds_in("DATABASE_URL=mysql://root:§@db.internal/x", "url-password", "password");
    finds_in("see https://bob:§@intra.net/", "url-password", "x9-fish");
    finds_in("git clone https://§@git.corp/x.git", "url-token", &Letters(1).run(super::alphabet::HEX, 24));
    for url in
        ["postgres://user:pass@localhost/db", "https://${USER}:${PASS}@h/", "ssh://git@h:22/x", "http://a.b/c@d:e"]
    {
        passes(url);
    }
}

#[test]
fn private_keys() {
    let line = Letters(9).run(super::alphabet::BASE64, 64);
    for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "] {
        let key = format!("-----BEGIN {kind}PRIVATE KEY-----\n{line}\n{line}\n-----END {kind}PRIVATE KEY-----");
        finds(&format!("key:\n{key}\n"), "private-key", &key);
        let escaped = key.replace('\n', "\\n");
        finds(&format!("{{\"k\":\"{escaped}\"}}"), "private-key", &escaped);
    }
    let dashes = "-----";
    let pgp =
        format!("{dashes}BEGIN PGP PRIVATE KEY BLOCK{dashes}\n\n{line}\n{dashes}END PGP PRIVATE KEY BLOCK{dashes}");
    assert_eq!(scan(&pgp).len(), 1);
    passes("-----BEGIN PRIVATE KEY-----\n…\n-----END PRIVATE KEY-----");
    passes(&format!("-----BEGIN PUBLIC KEY-----\n{line}\n-----END PUBLIC KEY-----"));
    finds(&token("age"), "age", &token("age"));
}

#[test]
fn web_tokens() {
    let part = |length| Letters(length as u64).run(super::alphabet::ALNUM, length);
    let token = format!("eyJ{}.eyJ{}.{}", part(20), part(40), part(43));
    finds(&format!("cookie: s={token};"), "jwt", &token);
}

#[test]
fn an_aws_secret_beside_its_id() {
    let secret = Letters(11).run(super::alphabet::BASE64, 40);
    let text = format!("{} and\n{secret}", token("aws-access-key"));
    finds(&text, "aws-secret-key", &secret);
    passes(concat!("AKIAIOSFODNN7", "EXAMPLE"));
}

#[test]
fn disguises_do_not_help() {
    let token = github();
    let (left, right) = token.split_at(9);
    for disguised in [
        format!("{left}\u{200b}{right}"),
        format!("{left}\u{ad}{right}"),
        format!("{left}\\\n      {right}"),
        format!("{left}\u{1b}[1m{right}"),
        format!("g%68p_{}", &token[4..]),
        format!("g\\u0068p_{}", &token[4..]),
        format!("g\\\\u0068p_{}", &token[4..]),
        format!("g&#104;p_{}", &token[4..]),
    ] {
        let text = format!("« {disguised} »");
        finds(&text, "github-pat", &disguised);
    }
    passes(&format!("{left} {right}"));
}

#[test]
fn base64_is_looked_into() {
    let token = github();
    let text = format!("hello, {token}, bye");
    let encoded = base64(text.as_bytes());
    let line = format!("data: {encoded}");
    let findings = scan(&line);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].rule, "github-pat");
    assert_eq!(base64(token.as_bytes())[..20].len(), 20);
    assert!(encoded.contains(&line[findings[0].place.clone()]));
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(scan_bytes(&wide)[0].rule, "github-pat");
}

#[test]
fn bytes_that_are_no_text_keep_their_places() {
    let token = github();
    let bytes = [&[0xff, 0xfe, b' '][..], token.as_bytes(), &[0x80]].concat();
    let findings = scan_bytes(&bytes);
    assert_eq!(findings[0].place, 3..3 + token.len());
}

#[test]
fn names_of_files() {
    assert_eq!(scan_name("shop/.env.local")[0].rule, "file-env");
    assert_eq!(scan_name(&format!("notes-{}.txt", github()))[0].rule, "github-pat");
    assert_eq!(scan_name("src/env.rs"), []);
}

#[test]
fn ordinary_code_passes() {
    for text in [
        "token = getTokenFromEnv()",
        "let token = tokens.next()?;",
        "password = os.environ[\"DB_PASSWORD\"]",
        "password: process.env.DB_PASSWORD,",
        "const token = await getToken({ audience: 'https://api.example.com' });",
        "secret: String,",
        "pub password: Option<SecretString>,",
        "api_key = config.api_key",
        "API_KEY=${API_KEY}",
        "API_KEY=<your key>",
        "PASSWORD=changeme",
        "password = input(\"Password: \")",
        "<input type=\"password\" name=\"password2\" autocomplete=\"current-password\">",
        "if token == Token::Eof {",
        "the password is required",
        "token: v2::Token,",
        "SECRET_BACKEND=filesystem",
        "TOKEN=get_token_v2(1)",
        "API_KEY=$(pass show api-key1)",
        "\"integrity\": \"sha512-9Jh2kS0dYqZ7wq1c2v3b4n5m6Q7W8E9R0TyUiOpAsDfGhJkLzXcVbNm1Q2w3E4r5T6y7U8i9O0pAsDfGhJkLzA==\"",
        "sk_test_… and ghp_… are prefixes",
        "uses: cloudflare/wrangler-action@0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
    ] {
        passes(text);
    }
}

#[test]
fn findings_do_not_overlap_and_excerpts_show_none() {
    let (token, other) = (github(), token("stripe"));
    let text = format!("TOKEN={token} SECRET={other} https://bob:{token}@h.corp/ {other}");
    let findings = scan(&text);
    assert!(findings.len() >= 4, "{findings:?}");
    assert!(findings.windows(2).all(|pair| pair[0].place.end <= pair[1].place.start));
    for finding in &findings {
        assert!(!finding.excerpt.contains(&token[4..]) && !finding.excerpt.contains(&other[8..]), "{finding:?}");
    }
}

/// What would take minutes if the work grew with the square of the text.
#[test]
fn hostile_texts_take_their_time_once() {
    const SIZE: usize = 64 * 1024;
    for piece in [
        "sk-ant-api03-",
        "glpat-",
        "eyJ",
        "eyJa.eyJ",
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "://a:",
        "AKIA",
        "\\\n",
        "%5c",
        "A",
        "\u{200b}",
        "x:AA",
        "YWJj",
        "token: ",
        "cloudflare_key=",
        "\"",
        "pairwave1",
        "\\\\\\\\",
    ] {
        scan(&piece.repeat(SIZE / piece.len()));
        let spoiled = format!("{piece}{}", Letters(1).run(super::alphabet::BASE64, 32));
        scan(&spoiled.repeat(SIZE / spoiled.len()));
    }
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let letter = |bits: u32, index: usize| char::from(LETTERS[(bits >> (18 - 6 * index)) as usize & 63]);
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let byte = |index| u32::from(chunk.get(index).copied().unwrap_or_default());
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            (0..4).map(move |index| if index <= chunk.len() { letter(bits, index) } else { '=' })
        })
        .collect()
}

/// Texts that are near to secrets.
fn texts() -> impl Strategy<Value = String> {
    let ids: Vec<&str> = rules::all().map(|rule| rule.id).collect();
    let piece = prop_oneof![
        ".{0,12}",
        "[a-zA-Z0-9+/=_.~-]{0,48}",
        prop::sample::select(ids).prop_map(token),
        prop::sample::select(vec![
            "password",
            "token",
            "=",
            ": ",
            "\"",
            "'",
            "\\",
            "\\u",
            "%4",
            "://",
            "@",
            "-----BEGIN ",
            "PRIVATE KEY-----",
            "is ",
            "Bearer ",
            "Basic ",
            "\u{200b}",
            "\n",
            "&#x",
            ";",
            "é",
            "{",
            "(",
            "eyJ",
            ".",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn places_are_of_the_text_and_excerpts_without_the_secret(text in texts()) {
        let findings = scan(&text);
        for finding in &findings {
            let secret = text.get(finding.place.clone()).expect("on the boundaries of characters");
            prop_assert!(!secret.is_empty());
            prop_assert!(!finding.excerpt.contains(secret), "{finding:?} of {text:?}");
        }
        prop_assert!(findings.windows(2).all(|pair| pair[0].place.end <= pair[1].place.start));
    }

    #[test]
    fn bytes_of_any_kind(bytes in prop::collection::vec(any::<u8>(), 0..200), text in texts()) {
        let all = [&bytes, text.as_bytes(), &bytes].concat();
        for finding in scan_bytes(&all) {
            prop_assert!(finding.place.end <= all.len());
        }
    }

    #[test]
    fn a_token_is_found_in_any_company(before in ".{0,30}[ \n\"=]", after in "[ \n\"].{0,30}") {
        let token = github();
        let text = format!("{before}{token}{after}");
        let place = before.len()..before.len() + token.len();
        prop_assert!(scan(&text).iter().any(|found| found.place == place), "{text:?}: {:?}", scan(&text));
    }
}
