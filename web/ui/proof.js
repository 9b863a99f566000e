/**
 * The companion proves that it knows this tab's token before the token is shown to it: while it is down, anybody on this
 * machine may sit on its port.
 */

const CONTEXT = "pairwave-dashboard-proof-v1";

/**
 * @param {string} token `<id>.<secret>`
 * @returns {{id: string, nonce: string, isProof: (proof: unknown) => Promise<boolean>} | null} null: no token of this kind
 */
export function challenge(token) {
  const dot = token.indexOf(".");
  if (dot < 1 || dot === token.length - 1) return null;
  const nonce = base64url(crypto.getRandomValues(new Uint8Array(32)));
  const secret = token.slice(dot + 1);
  return { id: token.slice(0, dot), nonce, isProof: async (proof) => proof === await expected(secret, nonce) };
}

/**
 * @param {string} secret
 * @param {string} nonce
 */
async function expected(secret, nonce) {
  const text = new TextEncoder();
  // The companion keeps the hash of the secret alone, so the hash is the key.
  const raw = await crypto.subtle.digest("SHA-256", text.encode(secret));
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return base64url(new Uint8Array(await crypto.subtle.sign("HMAC", key, text.encode(CONTEXT + nonce))));
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
