// Creates a database like a Better Auth project, with its own migrator and its own sign-up.
//
//     node make.mjs sqlite://FILE | postgres://…
//
// Prints the users who signed up, as one JSON array.

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import Database from "better-sqlite3";
import pg from "pg";

const USERS = [
  ["ada@example.com", "correct horse battery staple", "Ada"],
  ["Bob.Case@Example.com", "bob's own password", "Bob"],
  ["cafe@example.com", "cafe\u0301 cre\u0300me bru\u0302le\u0301e", "Zoë Ünïcode 👩‍👩‍👧"],
  ["emoji@example.com", "😀😁😂🤣", ""],
  ["long@example.com", "x".repeat(128), "x".repeat(200)],
  ["ligature@example.com", "\ufdfa".repeat(128), "ﷺ"],
  ["nul@example.com", "before\0after the NUL", "Nul"],
].map(([email, password, name]) => ({ email, password, name }));

const url = process.argv[2];
const file = url.startsWith("sqlite://") && url.slice("sqlite://".length);
const database = file ? new Database(file) : new pg.Pool({ connectionString: url });

const auth = betterAuth({
  database,
  secret: "only-for-this-test-0123456789-abcdefghij",
  baseURL: "http://localhost:3000",
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  logger: { disabled: true },
});

await (await getMigrations(auth.options)).runMigrations();
for (const entry of USERS) {
  const { user } = await auth.api.signUpEmail({ body: entry });
  entry.id = user.id;
  entry.createdAt = user.createdAt;
}
// A user who signed in with a provider has no password.
const { internalAdapter } = await auth.$context;
const cleo = { email: "cleo@example.com", name: "Cleo", emailVerified: true, image: "https://cleo.example/me.png" };
const { id, createdAt } = await internalAdapter.createUser(cleo);
await internalAdapter.linkAccount({ userId: id, providerId: "google", accountId: "1234567890" });
USERS.push({ ...cleo, password: null, id, createdAt });
await (file ? database.close() : database.end());
console.log(JSON.stringify(USERS));
