// Tests useSession of Better Auth's client for React, in the simulated page of jsdom.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { JSDOM } from "jsdom";
import { Browser, PASSWORD, SERVER, address } from "./browser.mjs";

const browser = new Browser();
const dom = new JSDOM("<!doctype html><body></body>", { url: SERVER, pretendToBeVisual: true });
let client, React, root;
const seen = [];

before(async () => {
  // These globals are defined before the client is imported, because the client checks whether it runs in a browser.
  for (const name of ["window", "document", "navigator", "localStorage", "StorageEvent", "Event"]) {
    Object.defineProperty(globalThis, name, { value: name === "window" ? dom.window : dom.window[name], configurable: true });
  }
  globalThis.IS_REACT_ACT_ENVIRONMENT = false;
  const { createAuthClient } = await import("better-auth/react");
  const { createRoot } = await import("react-dom/client");
  React = await import("react");
  client = createAuthClient({ fetchOptions: { customFetchImpl: browser.fetch } });
  function Page() {
    const { data, error, isPending } = client.useSession();
    seen.push({ data, error, isPending });
    return React.createElement("p", null, isPending ? "…" : data ? `Hello ${data.user.name}` : "signed out");
  }
  root = createRoot(document.body.appendChild(document.createElement("main")));
  root.render(React.createElement(Page));
});

after(() => {
  root.unmount();
  dom.window.close();
  // The client keeps listening for other tabs, which would keep the process alive.
  setTimeout(() => process.exit(), 100).unref();
});

async function shows(text) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (document.body.textContent === text) return;
    await new Promise((go) => setTimeout(go, 20));
  }
  assert.equal(document.body.textContent, text);
}

test("the page follows sign-up, update, revocation, sign-in and sign-out", async () => {
  const email = address();
  await shows("signed out");
  assert.equal(seen[0].isPending, true);
  await client.signUp.email({ email, password: PASSWORD, name: "Ada" });
  await shows("Hello Ada");
  const { session, user } = seen.at(-1).data;
  for (const date of [session.expiresAt, session.createdAt, session.updatedAt, user.createdAt, user.updatedAt]) {
    assert.ok(date instanceof Date && !Number.isNaN(date.valueOf()));
  }
  assert.ok(session.expiresAt > new Date());
  await client.updateUser({ name: "Ada L." });
  await shows("Hello Ada L.");
  await client.revokeSessions();
  await shows("signed out");
  await client.signIn.email({ email, password: PASSWORD });
  await shows("Hello Ada L.");
  const wrong = await client.signIn.email({ email, password: "wrong password" });
  assert.equal(wrong.error.status, 401);
  await shows("Hello Ada L.");
  await client.changePassword({ currentPassword: PASSWORD, newPassword: "another password", revokeOtherSessions: true });
  await shows("Hello Ada L.");
  await client.signOut();
  await shows("signed out");
  assert.ok(seen.every(({ error }) => error === null));
});
