// The client with a live server whose access tokens live for one second: SERVER=http://127.0.0.1:PORT node --test
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { ApiError, createClient, memoryStore } from "../client.js";
import { Jar } from "../../../tests/recipes/jar.mjs";

const base = process.env.SERVER;
const PASSWORD = "correct horse battery staple";
/** Milliseconds after which a token has certainly expired: one second of lifetime, five of leeway, one to spare. */
const EXPIRED_AFTER = 7000;
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
let userCount = 0;
const newUser = () => ({ email: `client-${process.pid}-${(userCount += 1)}@example.com`, password: PASSWORD, name: "Ada" });

/** A client with bearer tokens or with cookies, which counts its `refreshes` and collects the codes of its `signOuts`. */
function client({ cookies = false, store = memoryStore(), jar = new Jar(base, base, fetch) } = {}) {
  const signOuts = [];
  const tab = { refreshes: 0, signOuts, store, jar };
  const countingFetch = (address, init) => {
    if (address.endsWith("/refresh")) tab.refreshes += 1;
    return cookies ? jar.fetch(address, init) : fetch(address, init);
  };
  const onSignedOut = (error) => signOuts.push(error?.code);
  tab.api = createClient({ base: cookies ? "" : base, cookies, store, fetch: countingFetch, onSignedOut });
  return tab;
}

describe("a live server", { skip: base ? false : "SERVER is not set", concurrency: true }, () => {
  before(async () => assert.equal((await fetch(`${base}/readyz`)).status, 200));

  for (const cookies of [false, true]) {
    const mode = cookies ? "with cookies" : "with bearer tokens";

    test(`a user signs up, uses every method and deletes the account, ${mode}`, async () => {
      const { api, signOuts, store } = client({ cookies });
      const ada = newUser();
      assert.equal((await api.signUp(ada)).email, ada.email);
      const ids = [];
      for (const title of ["Milk", "Bread", "Eggs"]) ids.push((await api.addTask({ title })).id);
      const first = await api.tasks({ limit: 2 });
      assert.deepEqual(first.tasks.map((task) => task.title), ["Eggs", "Bread"]);
      const second = await api.tasks({ limit: 2, cursor: first.next });
      assert.deepEqual([second.tasks[0].title, second.next], ["Milk", null]);
      await api.changeTask(ids[0], { completed: true });
      assert.deepEqual((await api.tasks({ completed: true })).tasks.map((task) => task.id), [ids[0]]);
      assert.equal((await api.tasks({ q: "bRe" })).tasks.length, 1);
      await api.deleteTask(ids[1]);
      assert.equal((await api.tasks()).tasks.length, 2);
      assert.equal((await api.changeAccount({ name: "Ada Lovelace" })).name, "Ada Lovelace");
      assert.equal((await api.user()).name, "Ada Lovelace");
      await api.changePassword({ current_password: PASSWORD, new_password: `${PASSWORD} 2` });
      assert.equal((await api.account()).email, ada.email);
      await assert.rejects(api.deleteAccount("wrong password"), { code: "INVALID_PASSWORD", status: 403 });
      await api.deleteAccount(`${PASSWORD} 2`);
      assert.deepEqual([signOuts, await store.load()], [[undefined], null]);
      await assert.rejects(api.signIn({ ...ada, password: `${PASSWORD} 2` }), { code: "INVALID_EMAIL_OR_PASSWORD" });
    });

    test(`a request for a new password says the same for every address, and no wrong code ends a session, ${mode}`, async () => {
      const { api, signOuts } = client({ cookies });
      const ada = newUser();
      await api.signUp(ada);
      for (const email of [ada.email, newUser().email]) {
        const { challengeId, expiresIn } = await api.requestPasswordReset(email);
        assert.equal(expiresIn, 3600);
        for (const proof of [{ challengeId, code: "22222222" }, { challengeId: "unknown", code: "22222222" }, { token: "unknown" }]) {
          await assert.rejects(api.confirmPasswordReset(proof, `${PASSWORD} 2`), { code: "INVALID_OR_EXPIRED_TOKEN", status: 400 });
        }
      }
      await assert.rejects(api.requestPasswordReset("ada"), { code: "VALIDATION_ERROR", status: 422 });
      assert.equal((await api.account()).email, ada.email);
      assert.deepEqual(signOuts, []);
    });

    test(`the requests for mails of a user's address succeed, and no wrong proof changes it, ${mode}`, async () => {
      const { api, signOuts } = client({ cookies });
      const ada = newUser();
      assert.equal((await api.signUp(ada)).email_verified, false);
      const verification = await api.requestEmailVerification();
      assert.equal(verification.expiresIn, 86400);
      const change = await api.requestEmailChange({ password: PASSWORD, new_email: newUser().email });
      assert.equal(change.expiresIn, 3600);
      const invalid = { code: "INVALID_OR_EXPIRED_TOKEN", status: 400 };
      for (const { challengeId } of [verification, change, { challengeId: "unknown" }]) {
        await assert.rejects(api.confirmEmailVerification({ challengeId, code: "22222222" }, PASSWORD), invalid);
        await assert.rejects(api.confirmEmailChange({ challengeId, code: "22222222" }), invalid);
      }
      await assert.rejects(api.confirmEmailVerification({ token: "unknown" }), invalid);
      await assert.rejects(api.undoEmailChange("unknown"), invalid);
      await assert.rejects(api.requestEmailChange({ password: "wrong password", new_email: newUser().email }), { code: "INVALID_PASSWORD", status: 403 });
      assert.equal((await api.changeAccount({ language: "de" })).language, "de");
      const { email, email_verified, language } = await api.account();
      assert.deepEqual([email, email_verified, language, signOuts], [ada.email, false, "de", []]);
      const guest = client({ cookies }).api;
      assert.equal((await guest.requestEmailVerification(newUser().email)).expiresIn, 86400);
      await assert.rejects(guest.requestEmailVerification(), { code: "VALIDATION_ERROR", status: 422 });
    });

    test(`a session outlives its access token, ${mode}, with one refresh for all requests and tabs`, async () => {
      const one = client({ cookies });
      const ada = newUser();
      await one.api.signUp(ada);
      const { user } = await one.store.load();
      // Another tab has the same cookies and storage. Without Web Locks, the server sends both the same tokens.
      const other = client({ cookies, store: one.store, jar: one.jar });
      await pause(EXPIRED_AFTER);
      const lists = await Promise.all([one, one, one, other, other].map(({ api }) => api.tasks()));
      assert.equal(lists.length, 5);
      assert(one.refreshes <= 1 && other.refreshes <= 1 && one.refreshes + other.refreshes >= 1);
      assert.deepEqual([(await one.store.load()).user, one.signOuts, other.signOuts], [user, [], []]);
    });

    test(`a session that another client has ended is reported as over once, ${mode}`, async () => {
      const one = client({ cookies });
      const ada = newUser();
      await one.api.signUp(ada);
      const other = client({ cookies });
      await other.api.signIn(ada);
      const sessions = await other.api.sessions();
      await other.api.endSession(sessions.find((session) => !session.current).id);
      const outcomes = await Promise.allSettled([one.api.tasks(), one.api.account(), one.api.sessions()]);
      assert(outcomes.every(({ reason }) => reason instanceof ApiError && reason.status === 401));
      assert.equal(one.signOuts.length, 1);
      assert.equal((await other.api.sessions()).length, 1);
    });

    test(`signing out others keeps this session, ${mode}`, async () => {
      const one = client({ cookies });
      const ada = newUser();
      await one.api.signUp(ada);
      await client({ cookies }).api.signIn(ada);
      assert.equal(await one.api.signOut("others"), 1);
      assert.equal((await one.api.sessions()).length, 1);
      assert.equal(await one.api.signOut(), 1);
      await assert.rejects(one.api.sessions(), { status: 401 });
      assert.deepEqual(one.signOuts, [undefined]);
    });
  }

  test("an invalid form has one error per field", async () => {
    const error = await client().api.signUp({ email: "ada", password: "short" }).catch((thrown) => thrown);
    assert.deepEqual(error.errors.map(({ field }) => field), ["email", "password"]);
  });
});
