// Checks webhooks as a receiver in Node.js does: with the library of Standard Webhooks, and with
// Ed25519 for those who hold a public key. Reads JSON from its input, and says of each what it thinks.

import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

function bySecret(secret, { headers, body }) {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch (error) {
    if (error instanceof WebhookVerificationError) return false;
    throw error;
  }
}

function byPublicKey(publicKey, { headers, body }) {
  const x = Buffer.from(publicKey.replace(/^whpk_/, ""), "base64").toString("base64url");
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  return headers["webhook-signature"]
    .split(" ")
    .map((part) => part.split(","))
    .filter(([version]) => version === "v1a")
    .some(([, value]) => verify(null, Buffer.from(signed), key, Buffer.from(value, "base64")));
}

const asked = JSON.parse(readFileSync(0, "utf8"));
const answers = asked.cases.map((one) => [
  bySecret(asked.secret, one),
  byPublicKey(asked.public_key, one),
]);
process.stdout.write(JSON.stringify(answers));
