// Fills an empty database as a Better Auth project with the admin plugin does, with Better Auth's migrator and sign-up.
//
//     node make.mjs sqlite://FILE | postgres://…
//
// Prints the users, with the values that they must have after an import, as one JSON array.

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { admin } from "better-auth/plugins";
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
  ["mallory@example.com", "mallory's password", "Mallory"],
  ["trudy@example.com", "trudy's password", "Trudy"],
  ["oscar@example.com", "oscar's password", "Oscar"],
].map(([email, password, name]) => ({ email, password, name, roles: ["user"], isBanned: false }));
// The changes that an admin makes, by address: the fields in Better Auth, and what the import makes of them.
const CHANGES = {
  "ada@example.com": [{ role: "admin,editor" }, { roles: ["admin", "editor"] }],
  "mallory@example.com": [{ banned: true, banReason: "spam" }, { isBanned: true }],
  "trudy@example.com": [{ banned: true, banExpires: new Date("2199-01-01") }, { isBanned: true }],
  "oscar@example.com": [{ banned: true, banExpires: new Date("2020-01-01") }, {}],
};

const url = process.argv[2];
const file = url.startsWith("sqlite://") && url.slice("sqlite://".length);
const database = file ? new Database(file) : new pg.Pool({ connectionString: url });

const auth = betterAuth({
  database,
  secret: "only-for-this-test-0123456789-abcdefghij",
  baseURL: "http://localhost:3000",
  emailAndPassword: { enabled: true },
  plugins: [admin()],
  telemetry: { enabled: false },
  logger: { disabled: true },
});

await (await getMigrations(auth.options)).runMigrations();
const { internalAdapter } = await auth.$context;
for (const entry of USERS) {
  const { email, password, name } = entry;
  const { user } = await auth.api.signUpEmail({ body: { email, password, name } });
  entry.id = user.id;
  entry.createdAt = user.createdAt;
  const [stored, expected] = CHANGES[email] ?? [];
  if (stored) await internalAdapter.updateUser(user.id, stored);
  Object.assign(entry, expected);
}
// A user who signed in with a provider has no password.
const cleo = { email: "cleo@example.com", name: "Cleo", emailVerified: true, image: "https://cleo.example/me.png" };
const { id, createdAt } = await internalAdapter.createUser(cleo);
await internalAdapter.linkAccount({ userId: id, providerId: "google", accountId: "1234567890" });
USERS.push({ ...cleo, password: null, id, createdAt, isBanned: false });
await (file ? database.close() : database.end());
console.log(JSON.stringify(USERS));
