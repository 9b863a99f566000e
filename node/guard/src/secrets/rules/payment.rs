//! Money and shops.

use crate::secrets::alphabet::{ALNUM, BASE64, HEX, NAME, URL64, UUID};
use crate::secrets::rule::{Rule, exactly, from_to, text};

pub const RULES: &[Rule] = &[
    Rule::new("stripe", "Stripe", "a Stripe secret key", &["sk_live_", "sk_test_"], &[from_to(ALNUM, 24, 120)]),
    Rule::new(
        "stripe-restricted",
        "Stripe",
        "a restricted Stripe key",
        &["rk_live_", "rk_test_"],
        &[from_to(ALNUM, 24, 120)],
    ),
    Rule::new("stripe-webhook", "Stripe", "a Stripe webhook secret", &["whsec_"], &[from_to(BASE64, 32, 64)]),
    Rule::new("square-access", "Square", "a Square access token", &["sq0atp-"], &[from_to(URL64, 22, 44)]),
    Rule::new("square-secret", "Square", "a Square OAuth secret", &["sq0csp-"], &[from_to(URL64, 40, 48)]),
    Rule::new("square-long", "Square", "a Square access token", &["EAAA"], &[exactly(URL64, 60)]).apart(),
    Rule::new(
        "braintree",
        "PayPal",
        "a Braintree access token",
        &["access_token$production$", "access_token$sandbox$"],
        &[from_to(ALNUM, 16, 16), text("$"), exactly(HEX, 32)],
    ),
    Rule::new(
        "adyen",
        "Adyen",
        "an Adyen API key",
        &["AQE"],
        &[from_to(ALNUM, 20, 64), text("."), from_to(ALNUM, 1, 40)],
    )
    .entropy(4.0)
    .alone(),
    Rule::new("razorpay", "Razorpay", "a Razorpay key id", &["rzp_live_"], &[exactly(ALNUM, 14)]),
    Rule::new(
        "flutterwave",
        "Flutterwave",
        "a Flutterwave secret key",
        &["FLWSECK-", "FLWSECK_TEST-"],
        &[from_to(ALNUM, 12, 40), text("-X")],
    ),
    Rule::new(
        "plaid",
        "Plaid",
        "a Plaid access token",
        &["access-production-", "access-sandbox-", "access-development-"],
        &[exactly(UUID, 36)],
    ),
    Rule::new("mollie", "Mollie", "a Mollie API key", &["live_"], &[from_to(ALNUM, 30, 35)]).entropy(3.6).alone(),
    Rule::new("gocardless", "GoCardless", "a GoCardless token", &["live_"], &[exactly(URL64, 40)]).entropy(4.0).alone(),
    Rule::new("easypost", "EasyPost", "an EasyPost API key", &["EZAK", "EZTK"], &[exactly(ALNUM, 54)]).apart(),
    Rule::new("shippo", "Shippo", "a Shippo token", &["shippo_live_", "shippo_test_"], &[exactly(HEX, 40)]),
    Rule::new("duffel", "Duffel", "a Duffel token", &["duffel_live_", "duffel_test_"], &[exactly(URL64, 43)]),
    Rule::new(
        "paddle",
        "Paddle",
        "a Paddle API key",
        &["pdl_live_apikey_", "pdl_sdbx_apikey_"],
        &[from_to(NAME, 40, 80)],
    ),
    Rule::new(
        "polar",
        "Polar",
        "a Polar token",
        &["polar_oat_", "polar_pat_", "polar_whs_"],
        &[from_to(ALNUM, 32, 64)],
    ),
    Rule::new("revenuecat", "RevenueCat", "a RevenueCat secret key", &["sk_"], &[exactly(ALNUM, 28)])
        .entropy(3.8)
        .alone(),
    Rule::new(
        "xendit",
        "Xendit",
        "a Xendit secret key",
        &["xnd_production_", "xnd_development_"],
        &[from_to(ALNUM, 40, 80)],
    ),
    Rule::new("midtrans", "Midtrans", "a Midtrans server key", &["Mid-server-"], &[from_to(URL64, 20, 40)]),
    Rule::new("checkout", "Checkout.com", "a Checkout.com secret key", &["sk_sbox_"], &[from_to(ALNUM, 24, 40)]),
    Rule::new("shopify", "Shopify", "a Shopify secret", &["shpat_", "shpca_", "shppa_", "shpss_"], &[exactly(HEX, 32)]),
    Rule::new("shopify-partner", "Shopify", "a Shopify partner token", &["prtapi_", "atkn_"], &[from_to(HEX, 32, 64)]),
    Rule::new("klaviyo", "Klaviyo", "a Klaviyo private key", &["pk_"], &[exactly(HEX, 34)]).alone(),
    Rule::new("lob", "Lob", "a Lob API key", &["live_"], &[exactly(HEX, 35)]).alone(),
];
