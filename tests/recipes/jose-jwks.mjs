// Verifies a token of a live server with its published keys, and sends the server tokens that jose signed:
//     node jose-jwks.mjs http://127.0.0.1:PORT FOLDER PRIVATE-KEY
// FOLDER contains josejwks.js.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { SignJWT, decodeProtectedHeader, importPKCS8 } from "jose";

const [server, folder, keyFile] = process.argv.slice(2);
const { claimsOf, publicKeys } = await import(`${pathToFileURL(folder)}/josejwks.js`);
const user = { email: `${crypto.randomUUID()}@example.com`, password: "correct horse battery staple" };

const registration = await fetch(`${server}/api/auth/register`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(user),
});
assert.equal(registration.status, 201);
const { access_token: token } = await registration.json();
const header = decodeProtectedHeader(token);
const keys = publicKeys(server);
const claims = await claimsOf(token, keys);
assert.equal(claims.email, user.email);
await assert.rejects(claimsOf(token, keys, "reports"), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });

const statusOf = async (own) =>
  (await fetch(`${server}/api/auth/session`, { headers: { Authorization: `Bearer ${own}` } })).status;
const privateKey = await importPKCS8(readFileSync(keyFile, "utf8"), header.alg);
const own = await new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
assert.equal(await statusOf(own), 200);

// The `kid` is the thumbprint of the public key, so it must not serve as a secret.
const thumbprint = new TextEncoder().encode(header.kid);
const forged = await new SignJWT(claims).setProtectedHeader({ ...header, alg: "HS256" }).sign(thumbprint);
assert.equal(await statusOf(forged), 401);
await assert.rejects(claimsOf(forged, keys), { code: "ERR_JOSE_ALG_NOT_ALLOWED" });
console.log(`ok: jose verifies the server's ${header.alg} tokens without the secret, and the server those of jose`);
