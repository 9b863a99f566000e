//! The guard and the questions, asked as a browser or an attacker would: over a socket.

mod site;
mod streams;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use site::Site;

#[tokio::test]
async fn the_page_is_there_and_says_nothing() {
    let site = Site::open().await;
    let (status, page) = site.get("/", &[]).await;
    assert_eq!(status, 200);
    assert!(page.contains("<script type=\"module\"") && !page.contains("parser"));
    assert_eq!(site.get("/main.js", &[]).await.0, 200);
    assert_eq!(site.get("/jsconfig.json", &[]).await.0, 404);
    assert_eq!(site.get("/../Cargo.toml", &[]).await.0, 404);
}

#[tokio::test]
async fn a_foreign_name_for_this_address_gets_nothing() {
    let site = Site::open().await;
    let port = site.address.port();
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", &format!("evil.example:{port}"), ""] {
        assert_eq!(site.get("/", &[("host", host)]).await.0, 421, "{host}");
    }
    assert_eq!(site.get("/", &[("host", &format!("localhost:{port}"))]).await.0, 200);
}

#[tokio::test]
async fn a_foreign_page_may_not_ask() {
    let site = Site::open().await;
    let bearer = format!("Bearer {}", site.token().await);
    let token = ("authorization", &*bearer);
    let question = r#"{"ask":"rooms"}"#;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "https://127.0.0.1"] {
        assert_eq!(site.post("/api/ask", &[token, ("origin", origin)], question).await.0, 403, "{origin}");
    }
    assert_eq!(site.post("/api/ask", &[token, ("sec-fetch-site", "cross-site")], question).await.0, 403);
    assert_eq!(site.post("/api/ask", &[token, ("content-type", "text/plain")], question).await.0, 415);
    assert_eq!(site.post("/api/ask", &[token, ("content-type", "")], question).await.0, 415);
    let (head, _) = site.send("OPTIONS", "/api/ask", &[("host", &site.address.to_string())], "").await;
    assert!(head.starts_with("HTTP/1.1 405"), "{head}");
    let own = format!("http://{}", site.address);
    assert_eq!(site.post("/api/ask", &[token, ("origin", &own)], question).await.0, 200);
}

/// With everything that it would have to know, even a token.
#[tokio::test]
async fn a_foreign_page_may_not_approve() {
    let site = Site::open().await;
    let bearer = format!("Bearer {}", site.token().await);
    let token = ("authorization", &*bearer);
    let yes = r#"{"ask":"respond","request":"aaaa","decision":"approve","hash":"bbbb","always_allow":true}"#;
    let pass = r#"{"ask":"override","id":"aaaa"}"#;
    let accept = r#"{"ask":"accept_charter","hash":"bbbb"}"#;
    for question in [yes, pass, accept] {
        for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
            assert_eq!(site.post("/api/ask", &[token, ("origin", origin)], question).await.0, 403, "{origin}");
        }
        assert_eq!(site.post("/api/ask", &[token, ("sec-fetch-site", "same-site")], question).await.0, 403);
        assert_eq!(site.post("/api/ask", &[token, ("content-type", "text/plain")], question).await.0, 415);
        assert_eq!(site.post("/api/ask", &[], question).await.0, 401);
    }
    assert!(site.fake.asked.lock().unwrap().is_empty(), "none of it came to the companion");
}

#[tokio::test]
async fn without_a_token_there_is_nothing() {
    let site = Site::open().await;
    for headers in [&[][..], &[("authorization", "Bearer made-up")], &[("authorization", "Bearer ")]] {
        let (status, body) = site.post("/api/ask", headers, r#"{"ask":"rooms"}"#).await;
        assert_eq!(status, 401);
        assert!(body.contains("\"locked\"") && !body.contains("parser"));
        assert_eq!(site.get("/api/stream", headers).await.0, 401);
    }
    assert!(site.fake.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_code_that_was_used_opens_nothing() {
    let site = Site::open().await;
    let login = json!({ "code": site.code() }).to_string();
    assert_eq!(site.post("/api/login", &[], &login).await.0, 200);
    let (status, body) = site.post("/api/login", &[], &login).await;
    assert_eq!(status, 403);
    assert!(body.contains("pairwave dashboard"), "{body}");
}

#[tokio::test]
async fn a_question_is_answered_with_html() {
    let site = Site::open().await;
    let (status, answer) = site.ask(json!({ "ask": "read" })).await;
    assert_eq!(status, 200);
    assert_eq!(answer["events"][0]["html"], "<p><strong>hi</strong></p>\n");
    let (_, invite) = site.ask(json!({ "ask": "invite" })).await;
    assert_eq!(invite["join_command"], "pairwave join pairwave1abc");
    assert!(invite["qr"]["size"].as_u64() > Some(20));
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let site = Site::open().await;
    let (status, answer) = site.ask(json!({ "ask": "remove", "member": "bob" })).await;
    assert_eq!((status, &answer["error"]["rule"]), (409, &json!("not_above")));
    assert_eq!(site.ask(json!({ "ask": "fly" })).await.0, 400);
    for question in [json!({ "ask": "down" }), json!({ "ask": "open_dashboard" })] {
        let (status, answer) = site.ask(question).await;
        assert_eq!((status, &answer["error"]["rule"]), (400, &json!("not_for_a_page")));
    }
    let long = json!({ "ask": "send", "kind": "chat", "text": "x".repeat(600 * 1024) });
    assert_eq!(site.ask(long).await.0, 413);
}

#[tokio::test]
async fn a_transcript_is_saved_behind_the_token_and_shown_by_no_browser() {
    let site = Site::open().await;
    let bearer = format!("Bearer {}", site.token().await);
    let (token, wanted) = (("authorization", &*bearer), r#"{"room":"r","format":"md"}"#);
    let (head, body) = site.whole("/api/export", &[token], wanted).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    for header in
        ["content-type: application/octet-stream", "content-disposition: attachment", "cache-control: no-store"]
    {
        assert!(head.contains(header), "{head}");
    }
    assert_eq!(body, "8\r\none <b>,\r\n3\r\ntwo\r\n0\r\n\r\n");

    let asked = site.fake.asked.lock().unwrap().len();
    assert_eq!(site.post("/api/export", &[], wanted).await.0, 401);
    assert_eq!(site.get("/api/export", &[token]).await.0, 405);
    assert_eq!(site.post("/api/export", &[token, ("origin", "https://evil.example")], wanted).await.0, 403);
    assert_eq!(site.post("/api/export", &[token, ("content-type", "text/plain")], wanted).await.0, 415);
    assert_eq!(site.post("/api/export", &[token], r#"{"room":"r"}"#).await.0, 400);
    assert_eq!(site.fake.asked.lock().unwrap().len(), asked, "none of it came to the companion");
    let (status, refused) = site.post("/api/export", &[token], r#"{"room":"r","format":"pdf"}"#).await;
    assert!(status == 400 && refused.contains("\"no_such_format\""), "{refused}");
    let (status, refused) = site.ask(json!({ "ask": "export_part" })).await;
    assert_eq!((status, &refused["error"]["rule"]), (400, &json!("not_for_a_page")));
}

#[tokio::test]
async fn a_transcript_that_is_cut_short_does_not_end_well() {
    let site = Site::open().await;
    let bearer = format!("Bearer {}", site.token().await);
    let wanted = r#"{"room":"cut","format":"md"}"#;
    let (host, length) = (site.address.to_string(), wanted.len().to_string());
    let headers = [
        ("host", &*host),
        ("content-type", "application/json"),
        ("content-length", &length),
        ("authorization", &bearer),
    ];
    // Even its beginning may be lost where the connection ends so.
    let heard = site.heard("POST", "/api/export", &headers, wanted).await;
    assert!(!heard.ends_with("0\r\n\r\n"), "{heard}");
}

#[tokio::test]
async fn half_a_login_holds_no_connection() {
    let site = Site::open().await;
    let host = site.address.to_string();
    for path in ["/api/login", "/api/proof"] {
        let headers = [("host", &*host), ("content-type", "application/json"), ("content-length", "10")];
        let mut stream = site.connect("POST", path, &headers).await;
        // A clock that stands runs ahead when nothing else is left to do.
        tokio::time::pause();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn the_companion_proves_itself_before_a_token_is_shown() {
    let site = Site::open().await;
    let token = site.token().await;
    let id = token.split_once('.').unwrap().0;
    let (status, body) = site.post("/api/proof", &[], &json!({ "id": id, "nonce": "n" }).to_string()).await;
    assert_eq!(status, 200);
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["proof"].as_str().map(str::len), Some(43));
    let unknown = json!({ "id": "0123456789abcdef", "nonce": "n" }).to_string();
    let (status, body) = site.post("/api/proof", &[], &unknown).await;
    assert!(status == 403 && body.contains("\"unknown_token\""), "{body}");
    assert_eq!(site.post("/api/proof", &[("origin", "https://evil.example")], &unknown).await.0, 403);
    assert_eq!(site.post("/api/proof", &[("content-type", "text/plain")], &unknown).await.0, 415);
}
