// Verifies tokens of a live server with the recipe for jose:
//     node jose.mjs http://127.0.0.1:PORT FOLDER PATH-OF-API-SERVER
// FOLDER contains jose.js, the database and its secret.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [server, folder, program] = process.argv.slice(2);
const { claimsOf, hasRole, hasScope } = await import(`${pathToFileURL(folder)}/jose.js`);
const secret = readFileSync(`${folder}/auth.db.secret`, "utf8").trim();
const user = { email: "jose@example.com", password: "correct horse battery staple" };

async function post(path, body, token) {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(server + path, { method: "POST", headers, body: JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

const { access_token: plain } = await post("/api/auth/register", user);
const plainClaims = await claimsOf(plain, secret);
assert.equal(plainClaims.email, user.email);
assert.ok(!hasRole(plainClaims, "admin") && hasScope(plainClaims, "tasks:write"));

const settings = { ...process.env, DATABASE_URL: `sqlite://${folder}/auth.db` };
execFileSync(program, ["users", "roles", user.email, "--add", "admin"], { env: settings });
const { access_token: token } = await post("/api/auth/login", user);
const claims = await claimsOf(token, secret);
assert.ok(hasRole(claims, "admin") && !hasRole(claims, "adm"));

const { access_token: reader } = await post("/api/auth/token", { scope: "tasks:read sessions" }, token);
const readerClaims = await claimsOf(reader, secret);
assert.ok(hasScope(readerClaims, "tasks:read") && !hasScope(readerClaims, "tasks:write"));
assert.ok(hasRole(readerClaims, "admin"));

await assert.rejects(claimsOf(token, secret, "reports"), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
await assert.rejects(claimsOf(token, `${secret}x`), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
console.log("ok: jose verifies the server's tokens, and reads their roles and scope");
