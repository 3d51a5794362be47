// The client with a fake fetch: what it sends, how it handles responses, what it reports to the app.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, createClient, memoryStore } from "../client.js";

const USER = { id: "u1", email: "ada@example.com", name: null };
const jsonResponse = (status, body, headers = {}) => new Response(JSON.stringify(body), { status, headers });
const problemResponse = (status, code, headers) => jsonResponse(status, { status, code, detail: `detail of ${code}` }, headers);
const portalResponse = (status) => new Response("<h1>Welcome to the hotel</h1>", { status });
const networkFailure = () => {
  throw new TypeError("fetch failed");
};
const grantResponse = (number) =>
  jsonResponse(200, { user: USER, session_id: "s1", token_type: "Bearer", expires_in: 900, access_token: `a${number}`, refresh_token: `r${number}` });

/**
 * A fake server: accepts one access token, `validToken`; a0 at first, and after each refresh the new one.
 * `refreshes` are the responses to the next refreshes, in order; after them, each refresh gets new tokens.
 */
function fakeServer({ refreshes = [] } = {}) {
  const fake = { calls: [], validToken: "a0", issued: 0, refreshes };
  fake.count = (path) => fake.calls.filter((call) => call.path === path).length;
  fake.fetch = async (address, { method, headers, body, credentials }) => {
    const path = address.replace(/\?.*/, "");
    fake.calls.push({ method, path, address, headers, body: body && JSON.parse(body), credentials });
    await null;
    if (path === "/api/auth/login") return grantResponse(0);
    if (path === "/api/auth/logout") return jsonResponse(200, { success: true, revoked: 1 });
    if (path === "/api/auth/refresh") {
      const response = fake.refreshes.shift();
      if (response) return response(fake);
      fake.validToken = `a${(fake.issued += 1)}`;
      return grantResponse(fake.issued);
    }
    return headers.Authorization === `Bearer ${fake.validToken}` ? jsonResponse(200, []) : problemResponse(401, "TOKEN_EXPIRED");
  };
  return fake;
}

/** Signs in a user whose access token the server no longer accepts. `signOuts` collects the calls of `onSignedOut`. */
async function signInWithExpiredToken(fake, options = {}) {
  const signOuts = [];
  const store = options.store ?? memoryStore();
  const api = createClient({ fetch: fake.fetch, store, onSignedOut: (error) => signOuts.push(error), ...options });
  await api.signIn({ email: USER.email, password: "correct horse" });
  fake.validToken = "none";
  return { api, signOuts, store };
}

/** Replaces a global of browsers for one test. */
function fakeGlobal(t, name, get) {
  const before = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { get, configurable: true });
  t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
}

const REFRESH = "/api/auth/refresh";
const isApiError = (code, status) => (error) => error instanceof ApiError && error.code === code && error.status === status;

test("five requests with an expired token refresh once, and all succeed", async () => {
  const fake = fakeServer();
  const { api } = await signInWithExpiredToken(fake);
  await Promise.all(Array.from({ length: 5 }, () => api.sessions()));
  assert.equal(fake.count(REFRESH), 1);
  assert.equal(fake.calls.at(-1).headers.Authorization, "Bearer a1");
});

test("a path that may lead to another host is a TypeError and no request", async () => {
  for (const base of ["", "https://api.example.com", "https://api.example.com/"]) {
    const fake = fakeServer();
    const api = createClient({ base, fetch: fake.fetch, store: memoryStore() });
    const paths = ["", "x", "//evil.com/x", "///evil.com", "/\\evil.com", "\\\\evil.com", "https://evil.com", "@evil.com/x"];
    const dropped = ["/\t/evil.com", "/\n/evil.com", "/\r\\evil.com", " //evil.com", "\t//evil.com", ".evil.com", ":80@evil.com/x"];
    for (const path of [...paths, ...dropped, undefined]) {
      await assert.rejects(api.request("GET", path), TypeError, JSON.stringify(path));
    }
    assert.deepEqual(fake.calls, []);
  }
});

test("a path with one slash at its start is called, with any text after the slash", async () => {
  const fake = fakeServer();
  const { api } = await signInWithExpiredToken(fake);
  fake.validToken = "a0";
  for (const path of ["/", "/api/auth/session", "/api//x", "/@x", "/a:b/\\c?next=//evil.com"]) {
    await api.request("GET", path);
    assert.equal(fake.calls.at(-1).address, path);
  }
});

/** A fake of Web Locks with a single lock. */
function webLocks(t) {
  let last = Promise.resolve();
  let waiting = 0;
  const request = (_name, ...optionsAndAction) => {
    const [action, { ifAvailable } = {}] = optionsAndAction.reverse();
    if (ifAvailable && waiting > 0) return Promise.resolve(action(null));
    waiting += 1;
    return (last = last.catch(() => {}).then(() => action({})).finally(() => (waiting -= 1)));
  };
  fakeGlobal(t, "navigator", () => ({ locks: { request } }));
}

test("two tabs that share a store refresh once in all", async (t) => {
  webLocks(t);
  const fake = fakeServer();
  const { api, store } = await signInWithExpiredToken(fake);
  const other = createClient({ fetch: fake.fetch, store });
  await Promise.all([api.sessions(), other.sessions(), api.tasks(), other.tasks()]);
  assert.equal(fake.count(REFRESH), 1);
});

for (const [when, delay] of [["at the same time", 0], ["just after the other is done", 5]]) {
  test(`a tab that refreshes ${when}, and sees the new tokens later than it gets the lock, does not refresh again`, async (t) => {
    webLocks(t);
    const fake = fakeServer();
    const { api, store } = await signInWithExpiredToken(fake);
    let visible = await store.load();
    const delayedStore = { load: () => visible, save: async (session) => void (visible = session) };
    const save = store.save;
    store.save = (session) => {
      save(session);
      setTimeout(() => (visible = session), 40);
    };
    const other = createClient({ fetch: fake.fetch, store: delayedStore });
    const first = api.sessions();
    if (delay) await first;
    await Promise.all([first, other.sessions()]);
    assert.equal(fake.count(REFRESH), 1);
    assert.equal(fake.calls.at(-1).headers.Authorization, "Bearer a1");
  });
}

test("a tab that waited for another whose refresh failed refreshes by itself", async (t) => {
  webLocks(t);
  const fake = fakeServer({ refreshes: [networkFailure] });
  const { api, store } = await signInWithExpiredToken(fake);
  const other = createClient({ fetch: fake.fetch, store });
  const [failed, succeeded] = await Promise.allSettled([api.sessions(), other.sessions()]);
  assert.deepEqual([failed.reason?.code, succeeded.value], ["NETWORK_ERROR", []]);
});

test("a session is refreshed before its token expires, by this device's clock", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 5_000_000 });
  const fake = fakeServer();
  const api = createClient({ fetch: fake.fetch });
  await api.signIn({ email: USER.email, password: "correct horse" });
  t.mock.timers.tick(800_000);
  await api.sessions();
  assert.equal(fake.count(REFRESH), 0);
  t.mock.timers.tick(20_000);
  await api.sessions();
  assert.equal(fake.count(REFRESH), 1);
  assert(!fake.calls.some(({ path, headers }) => path === "/api/auth/sessions" && headers.Authorization === "Bearer none"));
});

test("a clock that is set back an hour costs one more request", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 10_000_000 });
  const fake = fakeServer();
  const { api } = await signInWithExpiredToken(fake);
  t.mock.timers.setTime(10_000_000 - 3_600_000);
  await api.sessions();
  await api.sessions();
  assert.equal(fake.count(REFRESH), 1);
});

test("after an early refresh fails, the token that is still valid is used", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 5_000_000 });
  const fake = fakeServer({ refreshes: [networkFailure] });
  const api = createClient({ fetch: fake.fetch });
  await api.signIn({ email: USER.email, password: "correct horse" });
  t.mock.timers.tick(850_000);
  assert.deepEqual(await api.sessions(), []);
  assert.equal(fake.count(REFRESH), 1);
});

for (const [name, response] of Object.entries({
  "no network": networkFailure,
  "a captive portal's page": () => portalResponse(200),
  "a captive portal's 401": () => portalResponse(401),
  "an error of the server": () => problemResponse(500, "INTERNAL_SERVER_ERROR"),
  "JSON of another server": () => jsonResponse(200, {}),
  "an untrusted origin": () => problemResponse(403, "UNTRUSTED_ORIGIN"),
})) {
  test(`${name} instead of a refresh does not sign the user out, and the next request recovers`, async () => {
    const fake = fakeServer({ refreshes: [response] });
    const { api, signOuts } = await signInWithExpiredToken(fake);
    await assert.rejects(api.sessions(), (error) => error instanceof ApiError && error.status !== 401);
    assert.deepEqual(signOuts, []);
    assert.deepEqual(await api.sessions(), []);
  });
}

test("after a 401 to the refresh, the app is told once that the session is over, and why", async () => {
  const sessionExpired = () => problemResponse(401, "SESSION_EXPIRED");
  const fake = fakeServer({ refreshes: [sessionExpired, sessionExpired, sessionExpired] });
  const { api, signOuts, store } = await signInWithExpiredToken(fake);
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => api.sessions()));
  assert(outcomes.every(({ reason }) => reason?.status === 401));
  await assert.rejects(api.sessions());
  assert.deepEqual(signOuts.map((error) => error.code), ["SESSION_EXPIRED"]);
  assert.deepEqual([await store.load(), await api.user()], [null, null]);
});

test("a wrong password is an error, and no sign-out is reported", async () => {
  const signOuts = [];
  const api = createClient({
    fetch: async (address) => (assert.equal(address, "/api/auth/login"), problemResponse(401, "INVALID_EMAIL_OR_PASSWORD")),
    onSignedOut: (error) => signOuts.push(error),
  });
  await assert.rejects(api.signIn({ email: "a@example.com", password: "no" }), isApiError("INVALID_EMAIL_OR_PASSWORD", 401));
  assert.deepEqual(signOuts, []);
});

/** A client whose server sends these responses, in order. */
function clientReceiving(...responses) {
  const calls = [];
  const fetch = async (address, { method }) => {
    calls.push(`${method} ${address}`);
    return responses.shift()();
  };
  return { calls, api: createClient({ fetch }) };
}

test("a 503 is retried after its Retry-After", async () => {
  const busy = () => problemResponse(503, "DATABASE_UNAVAILABLE", { "Retry-After": "0.05" });
  const { api, calls } = clientReceiving(busy, busy, () => jsonResponse(200, [1]));
  const started = performance.now();
  assert.deepEqual(await api.sessions(), [1]);
  assert(performance.now() - started >= 90);
  assert.equal(calls.length, 3);
});

test("a 503 with a long Retry-After is not retried, and the error has that time", async () => {
  const busy = () => problemResponse(503, "OVERLOADED", { "Retry-After": "60" });
  const { api, calls } = clientReceiving(busy, busy);
  await assert.rejects(api.sessions(), (error) => error.code === "OVERLOADED" && error.retryAfter === 60);
  assert.equal(calls.length, 1);
});

test("a request that may have been carried out is not retried; one that was rejected as overloaded is", async () => {
  const uncertain = clientReceiving(() => problemResponse(503, "DATABASE_UNAVAILABLE", { "Retry-After": "0.01" }));
  await assert.rejects(uncertain.api.addTask({ title: "Milk" }), isApiError("DATABASE_UNAVAILABLE", 503));
  const busy = clientReceiving(() => problemResponse(503, "OVERLOADED", { "Retry-After": "0.01" }), () => jsonResponse(201, { id: 1 }));
  assert.deepEqual(await busy.api.addTask({ title: "Milk" }), { id: 1 });
});

/** A server of password resets that accepts the token `t.m` and the code `ABCD2345`, and collects the requests. */
function resetServer() {
  const calls = [];
  const fetch = async (path, { headers, body }) => {
    const fields = JSON.parse(body);
    calls.push({ path, headers, fields });
    if (path === "/api/auth/password-reset") return jsonResponse(202, { challenge_id: "c1", expires_in: 3600 });
    const isValid = fields.token === "t.m" || (fields.challenge_id === "c1" && fields.code === "ABCD2345");
    return isValid ? grantResponse(7) : problemResponse(400, "INVALID_OR_EXPIRED_TOKEN");
  };
  return { calls, fetch };
}

test("a request for a new password results in the id for the code, and in no session", async () => {
  const fake = resetServer();
  const api = createClient({ fetch: fake.fetch });
  assert.deepEqual(await api.requestPasswordReset(USER.email), { challengeId: "c1", expiresIn: 3600 });
  assert.deepEqual(fake.calls.map(({ path, fields }) => [path, fields]), [["/api/auth/password-reset", { email: USER.email }]]);
  assert.equal(await api.user(), null);
});

test("a page of a captive portal is no answer to a request for a new password", async () => {
  for (const response of [() => portalResponse(200), () => jsonResponse(200, {}), () => jsonResponse(200, null)]) {
    const { api } = clientReceiving(response);
    await assert.rejects(api.requestPasswordReset(USER.email), isApiError("NETWORK_ERROR", 0));
  }
});

for (const [name, proof, fields] of [
  ["token of a link", { token: "t.m" }, { token: "t.m" }],
  ["code", { challengeId: "c1", code: "ABCD2345" }, { challenge_id: "c1", code: "ABCD2345" }],
]) {
  test(`a new password with the ${name} signs the user in, as a login does`, async () => {
    const fake = resetServer();
    const store = memoryStore();
    const api = createClient({ fetch: fake.fetch, store });
    assert.deepEqual(await api.confirmPasswordReset(proof, "a new password"), USER);
    const [{ path, headers, fields: sent }] = fake.calls;
    assert.deepEqual([path, sent], ["/api/auth/password-reset/confirm", { ...fields, new_password: "a new password" }]);
    assert.equal(headers.Authorization, undefined);
    const { access, refresh, id } = await store.load();
    assert.deepEqual([access, refresh, id, await api.user()], ["a7", "r7", "s1", USER]);
  });
}

test("a new password replaces the session of the user who was signed in before, and reports no sign-out", async () => {
  const { api, signOuts, store } = await signInWithExpiredToken(fakeServer());
  const { fetch } = resetServer();
  const sameStore = createClient({ fetch, store, onSignedOut: (error) => signOuts.push(error) });
  await sameStore.confirmPasswordReset({ token: "t.m" }, "a new password");
  assert.deepEqual([(await store.load()).access, (await api.user()).id, signOuts], ["a7", "u1", []]);
});

test("an expired link is an error, and the session stays as it was", async () => {
  const { signOuts, store } = await signInWithExpiredToken(fakeServer());
  const before = await store.load();
  const api = createClient({ fetch: resetServer().fetch, store, onSignedOut: (error) => signOuts.push(error) });
  await assert.rejects(api.confirmPasswordReset({ token: "t.x" }, "a new password"), isApiError("INVALID_OR_EXPIRED_TOKEN", 400));
  assert.deepEqual([await store.load(), signOuts], [before, []]);
});

test("a new password is not sent again after an error that may follow its change", async () => {
  const uncertain = clientReceiving(() => problemResponse(503, "DATABASE_UNAVAILABLE", { "Retry-After": "0.01" }));
  await assert.rejects(uncertain.api.confirmPasswordReset({ token: "t.m" }, "a new password"), isApiError("DATABASE_UNAVAILABLE", 503));
  assert.equal(uncertain.calls.length, 1);
});

/** A client whose requests are collected as `[method, path, body, Authorization]`, and get these responses by their path. */
function clientOf(responses, options = {}) {
  const calls = [];
  const fetch = async (path, { method, headers, body }) => {
    calls.push([method, path, body && JSON.parse(body), headers.Authorization]);
    const response = responses[path];
    return typeof response === "function" ? response(headers) : response.clone();
  };
  return { calls, api: createClient({ fetch, ...options }) };
}

const VERIFICATION = "/api/auth/email-verification";
const CHANGE = "/api/auth/email-change";
const challengeResponse = () => jsonResponse(202, { challenge_id: "c1", expires_in: 86400 });
const CHALLENGE = { challengeId: "c1", expiresIn: 86400 };
const VERIFIED = { ...USER, email_verified: true };
const PROOFS = [
  ["token of a link", { token: "t.m" }, { token: "t.m" }],
  ["code", { challengeId: "c1", code: "ABCD2345" }, { challenge_id: "c1", code: "ABCD2345" }],
];

test("a registration that must be confirmed results in the id for the code, and in no session", async () => {
  const { api } = clientOf({ "/api/auth/register": challengeResponse() });
  assert.deepEqual(await api.signUp({ email: USER.email, password: "correct horse" }), CHALLENGE);
  assert.equal(await api.user(), null);
  const portal = clientOf({ "/api/auth/register": jsonResponse(202, {}) });
  await assert.rejects(portal.api.signUp({ email: USER.email, password: "correct horse" }), isApiError("NETWORK_ERROR", 0));
});

test("a mail that confirms an address is requested for an address without a session, and for the caller with one", async () => {
  const guest = clientOf({ [VERIFICATION]: challengeResponse() });
  assert.deepEqual(await guest.api.requestEmailVerification(USER.email), CHALLENGE);
  assert.deepEqual(guest.calls, [["POST", VERIFICATION, { email: USER.email }, undefined]]);
  const user = clientOf({ "/api/auth/login": grantResponse(0), [VERIFICATION]: challengeResponse() });
  await user.api.signIn({ email: USER.email, password: "correct horse" });
  assert.deepEqual(await user.api.requestEmailVerification(), CHALLENGE);
  assert.deepEqual(user.calls.at(-1), ["POST", VERIFICATION, {}, "Bearer a0"]);
});

for (const [name, proof, fields] of PROOFS) {
  test(`the ${name} confirms an address with the session, whose user is then confirmed here too`, async () => {
    const { api, calls } = clientOf({ "/api/auth/login": grantResponse(0), [`${VERIFICATION}/confirm`]: jsonResponse(200, { user: VERIFIED }) });
    await api.signIn({ email: USER.email, password: "correct horse" });
    assert.deepEqual(await api.confirmEmailVerification(proof), VERIFIED);
    assert.deepEqual(calls.at(-1), ["POST", `${VERIFICATION}/confirm`, fields, "Bearer a0"]);
    assert.deepEqual(await api.user(), VERIFIED);
  });

  test(`the ${name} confirms an address with the password, and signs nobody in`, async () => {
    const { api, calls } = clientOf({ [`${VERIFICATION}/confirm`]: jsonResponse(200, { user: VERIFIED }) });
    assert.deepEqual(await api.confirmEmailVerification(proof, "correct horse"), VERIFIED);
    assert.deepEqual(calls, [["POST", `${VERIFICATION}/confirm`, { ...fields, password: "correct horse" }, undefined]]);
    assert.equal(await api.user(), null);
  });

  test(`the ${name} changes the address without a session`, async () => {
    const { api, calls } = clientOf({ [`${CHANGE}/confirm`]: jsonResponse(200, { user: { ...USER, email: "new@example.com" } }) });
    assert.equal((await api.confirmEmailChange(proof)).email, "new@example.com");
    assert.deepEqual(calls, [["POST", `${CHANGE}/confirm`, fields, undefined]]);
    assert.equal(await api.user(), null);
  });
}

test("a confirmation for another user changes nothing about the signed-in one", async () => {
  const { api } = clientOf({ "/api/auth/login": grantResponse(0), [`${VERIFICATION}/confirm`]: jsonResponse(200, { user: { ...VERIFIED, id: "u2" } }) });
  await api.signIn({ email: USER.email, password: "correct horse" });
  await api.confirmEmailVerification({ token: "t.m" }, "correct horse");
  assert.deepEqual(await api.user(), USER);
});

test("a confirmation that needs the password is an error, and the session stays", async () => {
  const { api, calls } = clientOf({ "/api/auth/login": grantResponse(0), [`${VERIFICATION}/confirm`]: problemResponse(403, "PASSWORD_REQUIRED") });
  await api.signIn({ email: USER.email, password: "correct horse" });
  await assert.rejects(api.confirmEmailVerification({ token: "t.m" }), isApiError("PASSWORD_REQUIRED", 403));
  assert.equal(calls.length, 2);
  assert.deepEqual(await api.user(), USER);
});

test("a confirmation refreshes an access token that has expired", async () => {
  const { api, calls } = clientOf({
    "/api/auth/login": grantResponse(0),
    [REFRESH]: grantResponse(1),
    [`${VERIFICATION}/confirm`]: ({ Authorization }) => (Authorization === "Bearer a1" ? jsonResponse(200, { user: VERIFIED }) : problemResponse(401, "TOKEN_EXPIRED")),
  });
  await api.signIn({ email: USER.email, password: "correct horse" });
  assert.deepEqual(await api.confirmEmailVerification({ token: "t.m" }), VERIFIED);
  assert.deepEqual(calls.map(([, path]) => path), ["/api/auth/login", `${VERIFICATION}/confirm`, REFRESH, `${VERIFICATION}/confirm`]);
});

test("the second use of a link refreshes the token that the first use has made stale", async () => {
  let isVerified = false;
  const { api, calls } = clientOf({
    "/api/auth/login": grantResponse(0),
    [REFRESH]: grantResponse(1),
    [`${VERIFICATION}/confirm`]: ({ Authorization }) => {
      if (isVerified && Authorization === "Bearer a0") return problemResponse(401, "TOKEN_STALE");
      isVerified = true;
      return jsonResponse(200, { user: VERIFIED });
    },
  });
  await api.signIn({ email: USER.email, password: "correct horse" });
  assert.deepEqual(await api.confirmEmailVerification({ token: "t.m" }), VERIFIED);
  assert.deepEqual(await api.confirmEmailVerification({ token: "t.m" }), VERIFIED);
  const sent = calls.slice(1).map(([, path, , token]) => [path, token]);
  const confirm = `${VERIFICATION}/confirm`;
  assert.deepEqual(sent, [[confirm, "Bearer a0"], [confirm, "Bearer a0"], [REFRESH, undefined], [confirm, "Bearer a1"]]);
});

test("a session that is over is reported once, and the confirmation goes on without it", async () => {
  const signOuts = [];
  const { api, calls } = clientOf({
    "/api/auth/login": grantResponse(0),
    [REFRESH]: problemResponse(401, "SESSION_EXPIRED"),
    [`${VERIFICATION}/confirm`]: ({ Authorization }) => (Authorization ? problemResponse(401, "TOKEN_EXPIRED") : jsonResponse(200, { user: VERIFIED })),
  }, { onSignedOut: (error) => signOuts.push(error.code) });
  await api.signIn({ email: USER.email, password: "correct horse" });
  assert.deepEqual(await api.confirmEmailVerification({ token: "t.m" }, "correct horse"), VERIFIED);
  assert.deepEqual([signOuts, await api.user(), calls.at(-1)[3]], [["SESSION_EXPIRED"], null, undefined]);
});

test("a change of the address is requested with the session, and the new address is stored once it is confirmed", async () => {
  const moved = { ...USER, email: "new@example.com" };
  const { api, calls } = clientOf({ "/api/auth/login": grantResponse(0), [CHANGE]: challengeResponse(), [`${CHANGE}/confirm`]: jsonResponse(200, { user: moved }) });
  await api.signIn({ email: USER.email, password: "correct horse" });
  assert.deepEqual(await api.requestEmailChange({ password: "correct horse", new_email: moved.email }), CHALLENGE);
  assert.deepEqual(calls.at(-1), ["POST", CHANGE, { password: "correct horse", new_email: moved.email }, "Bearer a0"]);
  assert.deepEqual(await api.user(), USER);
  await api.confirmEmailChange({ token: "t.m" });
  assert.deepEqual(await api.user(), moved);
});

test("an undo sends the token alone, without the session of the browser", async () => {
  const { api, calls } = clientOf({ "/api/auth/login": grantResponse(0), [`${CHANGE}/undo`]: jsonResponse(200, { success: true }) });
  await api.signIn({ email: USER.email, password: "correct horse" });
  assert.equal(await api.undoEmailChange("t.m"), undefined);
  assert.deepEqual(calls.at(-1), ["POST", `${CHANGE}/undo`, { token: "t.m" }, undefined]);
});

test("no confirmation is sent again after an error that may follow its effect", async () => {
  const uncertain = () => problemResponse(503, "DATABASE_UNAVAILABLE", { "Retry-After": "0.01" });
  const { api, calls } = clientOf({ [`${VERIFICATION}/confirm`]: uncertain, [`${CHANGE}/confirm`]: uncertain, [`${CHANGE}/undo`]: uncertain });
  for (const confirm of [() => api.confirmEmailVerification({ token: "t.m" }), () => api.confirmEmailChange({ token: "t.m" }), () => api.undoEmailChange("t.m")]) {
    await assert.rejects(confirm, isApiError("DATABASE_UNAVAILABLE", 503));
  }
  assert.equal(calls.length, 3);
});

test("the account as the server has it replaces the stored user, and only if it differs", async () => {
  let saves = 0;
  const store = memoryStore();
  const counting = { load: store.load, save: (session) => ((saves += 1), store.save(session)) };
  const changed = { ...VERIFIED, language: "de" };
  const { api } = clientOf({ "/api/auth/login": grantResponse(0), "/api/auth/account": jsonResponse(200, changed) }, { store: counting });
  await api.signIn({ email: USER.email, password: "correct horse" });
  assert.deepEqual(await api.account(), changed);
  await api.account();
  assert.deepEqual([await api.user(), saves], [changed, 2]);
});

test("an invalid form has one error per field, with the server's message", async () => {
  const errors = [{ field: "title", code: "required", message: "is required" }];
  const { api } = clientReceiving(() => jsonResponse(422, { status: 422, code: "VALIDATION_ERROR", detail: "Some fields", errors }));
  const error = await api.addTask({ title: "" }).catch((refusal) => refusal);
  assert.deepEqual([error.status, error.code, error.errors, error.message], [422, "VALIDATION_ERROR", errors, "Some fields"]);
});

test("a response that does not arrive in time is a network error", async () => {
  const fetch = (_address, { signal }) => new Promise((_, failed) => (signal.onabort = () => failed(signal.reason)));
  await assert.rejects(createClient({ fetch, timeout: 20 }).sessions(), isApiError("NETWORK_ERROR", 0));
});

test("a request that the app aborts is aborted, also while it waits for a busy server", async () => {
  const { api } = clientReceiving(() => problemResponse(503, "OVERLOADED", { "Retry-After": "20" }));
  const abort = new AbortController();
  const request = api.request("GET", "/api/auth/account", { signal: abort.signal });
  setTimeout(() => abort.abort(), 10);
  await assert.rejects(request, { name: "AbortError" });
});

test("a sign-out during a refresh is not undone by the new tokens", async () => {
  let respond;
  const fake = fakeServer({ refreshes: [() => new Promise((done) => (respond = () => done(grantResponse(1))))] });
  const { api, signOuts, store } = await signInWithExpiredToken(fake);
  const request = api.sessions();
  const settled = assert.rejects(request, isApiError("TOKEN_EXPIRED", 401));
  while (!respond) await new Promise(setImmediate);
  await api.signOut();
  respond();
  await settled;
  assert.equal(await store.load(), null);
  assert.equal(signOuts.length, 1);
});

for (const cookies of [false, true]) {
  test(`signing out others is one logout with fresh tokens, ${cookies ? "with cookies" : "with bearer tokens"}`, async () => {
    const fake = fakeServer();
    const { api, signOuts, store } = await signInWithExpiredToken(fake, { cookies });
    await store.save({ ...(await store.load()), refreshAt: 0 });
    assert.equal(await api.signOut("others"), 1);
    const [refresh, logout, ...more] = fake.calls.slice(1);
    assert.deepEqual([refresh.path, logout.path, more], [REFRESH, "/api/auth/logout", []]);
    assert.deepEqual(logout.body, cookies ? { scope: "others" } : { scope: "others", refresh_token: "r1" });
    assert.deepEqual([(await api.user()).id, signOuts], ["u1", []]);
  });
}

test("a refresh that fails because the password was changed continues with the new session", async () => {
  const fake = fakeServer({ refreshes: [() => problemResponse(401, "SESSION_EXPIRED")] });
  const { api, signOuts, store } = await signInWithExpiredToken(fake);
  const list = api.request("GET", "/api/x");
  while (!fake.count(REFRESH)) await new Promise((done) => setTimeout(done));
  fake.validToken = "a7";
  await store.save({ ...(await store.load()), access: "a7", refresh: "r7", mark: 7 });
  assert.deepEqual(await list, []);
  assert.deepEqual([signOuts, fake.count(REFRESH)], [[], 1]);
});

test("a sign-out without network fails, and the user stays signed in", async () => {
  const fake = fakeServer();
  const { api, signOuts } = await signInWithExpiredToken(fake);
  const offline = createClient({ fetch: networkFailure, store: { load: () => ({ user: USER, id: "s1", refreshAt: 0 }), save: assert.fail } });
  await assert.rejects(offline.signOut(), isApiError("NETWORK_ERROR", 0));
  assert.equal((await api.user()).id, "u1");
  assert.deepEqual(signOuts, []);
});

test("a sign-out in another tab is reported once", async () => {
  let changed;
  const store = { ...memoryStore(), watch: (listener) => (changed = listener) };
  const { signOuts } = await signInWithExpiredToken(fakeServer(), { store });
  changed(null);
  changed(null);
  assert.deepEqual(signOuts, [undefined]);
});

test("the store may be asynchronous and survives a restart of the app", async () => {
  let saved = "null";
  const later = () => new Promise((done) => setTimeout(done, 1));
  const store = { load: async () => (await later(), JSON.parse(saved)), save: async (session) => (await later(), void (saved = JSON.stringify(session))) };
  const fake = fakeServer();
  await signInWithExpiredToken(fake, { store });
  const api = createClient({ fetch: fake.fetch, store });
  assert.equal((await api.user()).email, "ada@example.com");
  await api.sessions();
  assert.deepEqual([JSON.parse(saved).access, JSON.parse(saved).refresh], ["a1", "r1"]);
});

test("with cookies, no token is kept or sent by the client", async () => {
  const fake = fakeServer();
  const store = memoryStore();
  const api = createClient({ cookies: true, fetch: fake.fetch, store });
  await api.signIn({ email: USER.email, password: "correct horse" });
  await assert.rejects(api.sessions());
  assert.deepEqual(Object.keys(await store.load()).sort(), ["id", "mark", "refreshAt", "user"]);
  assert(fake.calls.every(({ headers, credentials }) => !headers.Authorization && credentials === "include"));
  assert.equal(fake.calls.find(({ path }) => path === REFRESH).body, undefined);
});

test("without localStorage, a browser's client keeps the session until the page is closed", async (t) => {
  fakeGlobal(t, "localStorage", () => {
    throw new Error("blocked");
  });
  const api = createClient({ cookies: true, fetch: fakeServer().fetch });
  await api.signIn({ email: USER.email, password: "correct horse" });
  assert.equal((await api.user()).id, "u1");
});

test("a list names its owner, its filter and its next page", async () => {
  const link = '</api/u1/tasks?completed=false&q=a%26b&limit=2&cursor=7>; rel="next"';
  const calls = [];
  const fetch = async (address) => (calls.push(address), jsonResponse(200, [{ id: 9 }], { Link: link }));
  const store = { load: () => ({ user: USER, id: "s1", refreshAt: Infinity }), save() {} };
  const api = createClient({ base: "https://api.example.com/", fetch, store });
  assert.deepEqual(await api.tasks({ completed: false, q: "a&b", limit: 2 }), { tasks: [{ id: 9 }], next: "7" });
  assert.deepEqual(calls, ["https://api.example.com/api/u1/tasks?completed=false&q=a%26b&limit=2"]);
});
