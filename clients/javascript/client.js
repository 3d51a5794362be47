/**
 * The client of api-server: signs users up and in, refreshes their session, and calls the API.
 *
 * One module without dependencies, for browsers, Node 20 and later, React Native and bundlers.
 * @module
 */

/** @typedef {import("./openapi.js").components["schemas"]} Schemas */
/** @typedef {Schemas["User"]} User */
/** @typedef {Schemas["Task"]} Task */
/** @typedef {Schemas["Grant"]} Grant */
/** @typedef {Schemas["SessionSummary"]} SessionSummary */
/** @typedef {Schemas["FieldError"]} FieldError */

/**
 * A session as it is stored between requests. It has no tokens if the browser keeps them as cookies.
 *
 * @typedef {object} Session
 * @property {User} user
 * @property {string} id
 * @property {number} refreshAt The time of the next refresh, in milliseconds of this device's clock. If the clock is
 *   wrong, the client sends one request more.
 * @property {number} mark A random number, new after every refresh: a tab compares it to see whether another tab has
 *   refreshed.
 * @property {string} [access] The access token.
 * @property {string} [refresh] The refresh token.
 */

/**
 * Stores one session. Both functions may be asynchronous; `save` finishes once the session is stored.
 *
 * @typedef {object} Store
 * @property {() => Session | null | Promise<Session | null>} load
 * @property {(session: Session | null) => void | Promise<void>} save
 * @property {(changed: (session: Session | null) => void) => void} [watch] Calls `changed` after a change by
 *   other code, such as another tab.
 */

/**
 * @typedef {object} Options
 * @property {string} [base] The URL of the server, such as `https://api.example.com`; by default the page's origin.
 * @property {boolean} [cookies] Whether the browser keeps the tokens in HttpOnly cookies; they are in `store` if not.
 * @property {Store} [store] The store of the session. By default: memory; with `cookies`, `localStorage`, without
 *   tokens.
 * @property {(error?: ApiError) => void} [onSignedOut] Called once when a session is over: with the server's 401, or
 *   without an argument after `signOut`, here or in another tab.
 * @property {number} [retries] The most retries after a 503, each after its `Retry-After`; 2 by default.
 * @property {number} [timeout] Milliseconds until a response counts as lost; 30 000 by default.
 * @property {typeof globalThis.fetch} [fetch] Sends the requests; the global `fetch` by default.
 */

/**
 * The body and the query of a request.
 *
 * @typedef {object} Call
 * @property {unknown} [body] Sent as JSON.
 * @property {Record<string, string | number | boolean | null | undefined>} [query] Values that are null or
 *   undefined are left out.
 * @property {AbortSignal} [signal] Aborts the request.
 */

/**
 * A request for a mail with a code. The code is valid only together with this id.
 *
 * @typedef {object} Challenge
 * @property {string} challengeId
 * @property {number} expiresIn The seconds until the code and the link expire.
 */

/**
 * The proof that the user has read a mail: the token, which follows `#` in the link, or the code.
 *
 * @typedef {{ token: string } | { challengeId: string, code: string }} MailProof
 */

/** The longest `Retry-After` that the client waits for, in seconds. */
const MAX_RETRY_AFTER = 30;
/** The expected delay, in milliseconds, until another tab sees what this tab has written to `localStorage`. */
const STORAGE_DELAY = 100;
/** The fraction of a token's lifetime after which it is refreshed. */
const REFRESH_AFTER = 0.9;

/** The error of every method: an error response of the server, or no response. */
export class ApiError extends Error {
  /**
   * @param {Partial<Schemas["Problem"]> | null} problem
   * @param {{ status?: number, retryAfter?: number, cause?: unknown }} [details]
   */
  constructor(problem, { status = 0, retryAfter, cause } = {}) {
    super(problem?.detail ?? (status ? `The server responded with ${status}` : "The server cannot be reached"), { cause });
    this.name = "ApiError";
    /** The HTTP status; 0 without a response of this server. */
    this.status = status;
    /** A stable code for programs: that of the API, or `NETWORK_ERROR`. @type {Schemas["Code"] | "NETWORK_ERROR"} */
    this.code = problem?.code ?? "NETWORK_ERROR";
    /** The invalid fields, each with a message for the user. @type {FieldError[]} */
    this.errors = problem?.errors ?? [];
    /** The seconds after which to try again, if the server sent `Retry-After`. */
    this.retryAfter = retryAfter;
  }
}

/** @returns {Store} Keeps the session in memory, until the process or the page ends. */
export function memoryStore() {
  /** @type {Session | null} */
  let stored = null;
  return { load: () => stored, save: (session) => void (stored = session) };
}

/**
 * Keeps the session in `localStorage`, shared by all tabs, or in memory if that is blocked. Any script of the page can
 * read it.
 *
 * @param {string} [key]
 * @returns {Store}
 */
export function localStore(key = "api-server") {
  try {
    localStorage.getItem(key);
  } catch {
    return memoryStore();
  }
  const parse = (/** @type {string | null} */ text) => {
    try {
      return JSON.parse(text ?? "null");
    } catch {
      return null;
    }
  };
  return {
    load: () => parse(localStorage.getItem(key)),
    save: (session) => (session ? localStorage.setItem(key, JSON.stringify(session)) : localStorage.removeItem(key)),
    watch: (changed) =>
      // Node has localStorage, but no storage events.
      globalThis.addEventListener?.("storage", (event) => {
        if (event.key === key || event.key === null) changed(parse(localStorage.getItem(key)));
      }),
  };
}

/** @param {Options} [options] */
export function createClient({ base = "", cookies = false, store, onSignedOut, retries = 2, timeout = 30_000, fetch } = {}) {
  const storage = store ?? (cookies ? localStore() : memoryStore());
  const root = base.replace(/\/$/, "");
  /** True from the moment the app learns that a user is signed in until it learns that the session is over. */
  let isSignedIn = false;
  /** The refresh that runs now, shared by all requests. @type {Promise<Session | null> | null} */
  let refreshing = null;

  async function load() {
    const session = await storage.load();
    isSignedIn ||= !!session;
    return session;
  }

  /** Tells the app once that the session is over. */
  function reportSignedOut(/** @type {ApiError | undefined} */ error) {
    if (!isSignedIn) return;
    isSignedIn = false;
    onSignedOut?.(error);
  }

  async function deleteSession(/** @type {ApiError | undefined} */ error) {
    await storage.save(null);
    reportSignedOut(error);
  }

  async function saveSession(/** @type {Grant} */ grant) {
    /** @type {Session} */
    const session = {
      user: grant.user,
      id: grant.session_id,
      refreshAt: Date.now() + grant.expires_in * 1000 * REFRESH_AFTER,
      mark: Math.random(),
    };
    if (!cookies) Object.assign(session, { access: grant.access_token, refresh: grant.refresh_token });
    await storage.save(session);
    isSignedIn = true;
    return session;
  }

  /**
   * Sends one request and reads its response.
   *
   * @param {string} method
   * @param {string} path
   * @param {Call} call
   * @param {string} [token]
   */
  async function attempt(method, path, { body, query, signal }, token) {
    const parameters = Object.entries(query ?? {}).filter(([, value]) => value != null);
    const search = parameters.map(([name, value]) => `${name}=${encodeURIComponent(/** @type {string} */ (value))}`).join("&");
    /** @type {Record<string, string>} */
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const controller = new AbortController();
    const abort = () => controller.abort(signal?.reason);
    const timer = setTimeout(() => controller.abort(), timeout);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    let response, content;
    try {
      response = await (fetch ?? globalThis.fetch)(root + path + (search && `?${search}`), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: cookies ? "include" : "omit",
        signal: controller.signal,
      });
      content = await response.json();
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new ApiError(null, { status: response?.status === 503 ? 503 : 0, cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
    if (response.ok) return { content, response };
    // A captive portal or a proxy may respond instead of the server: its 401 must not end the session.
    const isProblem = typeof content?.code === "string";
    const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
    throw new ApiError(isProblem ? content : null, { status: isProblem || response.status === 503 ? response.status : 0, retryAfter });
  }

  /**
   * Calls `attempt`, and retries after a 503. Unless it `isRepeatable`, a request is retried only if the server has
   * certainly not carried it out.
   *
   * @type {(method: string, path: string, call: Call, token?: string, isRepeatable?: boolean) => ReturnType<typeof attempt>}
   */
  async function send(method, path, call, token, isRepeatable = method !== "POST" && !path.endsWith("/complete")) {
    for (let remaining = retries; ; remaining -= 1) {
      try {
        return await attempt(method, path, call, token);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 503 || remaining <= 0) throw error;
        const seconds = error.retryAfter ?? 1;
        if (seconds > MAX_RETRY_AFTER || !(isRepeatable || error.code === "OVERLOADED")) throw error;
        await pause(seconds * 1000, call.signal);
      }
    }
  }

  /**
   * Refreshes once for all concurrent requests, in all tabs. `used` is the session that a request has loaded before.
   * Resolves to null if the user has signed out meanwhile.
   */
  function refresh(/** @type {Session | null} */ used) {
    refreshing ??= exclusively(`refresh ${root}`, (hadToWait) => renew(used, hadToWait)).finally(() => (refreshing = null));
    return refreshing;
  }

  /** Refreshes the session, unless another tab has done so since `used` was loaded. */
  async function renew(/** @type {Session | null} */ used, /** @type {boolean} */ hadToWait) {
    let before = await load();
    for (let remaining = 20; hadToWait && remaining > 0 && before?.mark === used?.mark; remaining -= 1) {
      await pause(STORAGE_DELAY / 4);
      before = await load();
    }
    // Another tab has refreshed or signed out meanwhile.
    if (before?.mark !== used?.mark) return before;
    try {
      const body = cookies ? undefined : { refresh_token: before?.refresh };
      const { content } = await send("POST", "/api/auth/refresh", { body }, undefined, true);
      if (!content?.user) throw new ApiError(null);
      const after = await storage.load();
      return after?.mark === before?.mark ? await saveSession(content) : after;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // A password change, here or in another tab, also ends the session; the new one may not be stored yet.
      await pause(STORAGE_DELAY);
      const after = await storage.load();
      if (after?.mark !== before?.mark) return after;
      await deleteSession(error);
      throw error;
    }
  }

  /** Loads the session, refreshed if its access token expires soon, or unchanged if the refresh fails without a 401. */
  async function currentSession() {
    const session = await load();
    if (!session || Date.now() < session.refreshAt) return session;
    return refresh(session).catch((error) => {
      if (error.status === 401) throw error;
      return session;
    });
  }

  /**
   * Sends a request as the signed-in user; after a 401, refreshes and sends it once more.
   *
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   */
  async function sendAuthorized(method, path, call = {}) {
    const used = await currentSession();
    try {
      return await send(method, path, call, used?.access);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const next = used || cookies ? await refresh(used) : null;
      if (!next) {
        reportSignedOut(error);
        throw error;
      }
      return send(method, path, call, next.access);
    }
  }

  /**
   * Calls any address of the API as the signed-in user.
   *
   * @param {string} method
   * @param {string} path Such as `/api/auth/session`. Never a URL of another host, because the token is sent with it.
   * @param {Call} [call]
   * @returns {Promise<any>} The body of the response.
   * @throws {ApiError}
   * @throws {TypeError} Unless the path starts with exactly one `/` and has no line breaks or tabs, which URLs ignore.
   */
  async function request(method, path, call) {
    if (!/^\/(?![/\\])[^\t\n\r]*$/.test(path)) throw new TypeError(`Not a path of the API: ${path}`);
    return (await sendAuthorized(method, path, call)).content;
  }

  /**
   * Sends a request as the signed-in user, or without a user if the session is over.
   *
   * @param {string} path
   * @param {unknown} body
   */
  async function postAsUserIfSignedIn(path, body) {
    if (await load()) {
      try {
        return await sendAuthorized("POST", path, { body });
      } catch (error) {
        if (/** @type {ApiError} */ (error).status !== 401 || (await load())) throw error;
      }
    }
    return send("POST", path, { body });
  }

  /** Reads the response to a request for a mail. @returns {Challenge} */
  function challengeOf(/** @type {{ content: any }} */ { content }) {
    if (!content?.challenge_id) throw new ApiError(null);
    return { challengeId: content.challenge_id, expiresIn: content.expires_in };
  }

  const proofFields = (/** @type {MailProof} */ proof) =>
    "token" in proof ? { token: proof.token } : { challenge_id: proof.challengeId, code: proof.code };

  /** Stores the user of a response, if it is the signed-in user. @type {(user: User) => Promise<User>} */
  async function keepUser(user) {
    const session = await storage.load();
    const isChanged = session?.user.id === user.id && JSON.stringify(session.user) !== JSON.stringify(user);
    if (isChanged) await storage.save({ ...session, user });
    return user;
  }

  /** The path of the user's tasks. It contains the user's id: if another user has signed in, the response is a 403. */
  const tasksPath = async (rest = "") => `/api/${encodeURIComponent((await load())?.user.id ?? "-")}/tasks${rest}`;
  const taskPath = (/** @type {number} */ id) => tasksPath(`/${encodeURIComponent(id)}`);

  storage.watch?.((session) => {
    if (session) isSignedIn = true;
    else reportSignedOut(undefined);
  });

  return {
    request,

    /** @type {() => Promise<User | null>} The signed-in user as stored on this device, without a request. */
    user: async () => (await load())?.user ?? null,

    /**
     * Registers a user and signs in. With `EMAIL_VERIFICATION=required`, the server sends a mail instead: the result is
     * then a `Challenge`, and the user signs in after `confirmEmailVerification`.
     *
     * @type {(credentials: Schemas["RegisterRequest"]) => Promise<User | Challenge>}
     */
    async signUp(credentials) {
      const { content, response } = await send("POST", "/api/auth/register", { body: credentials });
      return response.status === 202 ? challengeOf({ content }) : (await saveSession(content)).user;
    },

    /** @type {(credentials: Schemas["LoginRequest"]) => Promise<User>} */
    signIn: async (credentials) => (await saveSession((await send("POST", "/api/auth/login", { body: credentials })).content)).user,

    /**
     * Ends this session, all `others`, or `all`. Fails and ends no session if the server cannot be reached.
     *
     * @param {Schemas["Scope"]} [scope]
     * @returns {Promise<number>} The number of sessions that were ended.
     */
    async signOut(scope = "current") {
      // The server ends other sessions only for tokens that are currently valid.
      const session = scope === "current" ? await load() : await currentSession();
      const body = { scope, ...(session?.refresh && { refresh_token: session.refresh }) };
      const { content } = await send("POST", "/api/auth/logout", { body }, undefined, true);
      if (scope !== "others") await deleteSession(undefined);
      return content.revoked;
    },

    /** @type {() => Promise<User>} */
    account: async () => keepUser(await request("GET", "/api/auth/account")),

    /** Changes the name, the picture or the language of mails. @type {(change: Schemas["AccountChange"]) => Promise<User>} */
    changeAccount: async (change) => keepUser(await request("PATCH", "/api/auth/account", { body: change })),

    /**
     * Changes the password. Ends every session; this client continues with a new one.
     *
     * @type {(change: Schemas["ChangePassword"]) => Promise<User>}
     */
    changePassword: async (change) => (await saveSession(await request("POST", "/api/auth/change-password", { body: change }))).user,

    /**
     * Requests a mail with a link and a code for a new password. The result is the same whether or not an account has
     * this address.
     *
     * @type {(email: string) => Promise<Challenge>}
     */
    requestPasswordReset: async (email) => challengeOf(await send("POST", "/api/auth/password-reset", { body: { email } })),

    /**
     * Sets a new password with the token of the link or the code of the mail, and signs the user in. Every earlier
     * session of the user ends.
     *
     * @type {(proof: MailProof, newPassword: string) => Promise<User>}
     */
    async confirmPasswordReset(proof, newPassword) {
      const body = { ...proofFields(proof), new_password: newPassword };
      return (await saveSession((await send("POST", "/api/auth/password-reset/confirm", { body })).content)).user;
    },

    /**
     * Requests a mail with a link and a code that confirm the address of the signed-in user; without a session, of
     * `email`. The result is the same whether or not an account has this address.
     *
     * @type {(email?: string) => Promise<Challenge>}
     */
    requestEmailVerification: async (email) => challengeOf(await postAsUserIfSignedIn("/api/auth/email-verification", { email })),

    /**
     * Confirms an address with the token or the code of the mail. Unless its user is signed in here, the server needs the
     * password: without it, the call throws `PASSWORD_REQUIRED` and the proof stays valid. Does not sign the user in.
     *
     * @type {(proof: MailProof, password?: string) => Promise<User>}
     */
    async confirmEmailVerification(proof, password) {
      const body = { ...proofFields(proof), password };
      return keepUser((await postAsUserIfSignedIn("/api/auth/email-verification/confirm", body)).content.user);
    },

    /**
     * Requests the change to another address. The mail to it has a link and a code; the result is the same if another
     * account has the address.
     *
     * @type {(change: { password: string, new_email: string }) => Promise<Challenge>}
     */
    requestEmailChange: async (body) => challengeOf(await sendAuthorized("POST", "/api/auth/email-change", { body })),

    /** Changes the address with the token or the code of the mail. @type {(proof: MailProof) => Promise<User>} */
    async confirmEmailChange(proof) {
      return keepUser((await send("POST", "/api/auth/email-change/confirm", { body: proofFields(proof) })).content.user);
    },

    /**
     * Restores the previous address with the token of the mail to that address. Ends every session and deletes the
     * password; a mail to choose a new one follows.
     *
     * @type {(token: string) => Promise<void>}
     */
    undoEmailChange: async (token) => void (await send("POST", "/api/auth/email-change/undo", { body: { token } })),

    /** @type {(password: string) => Promise<void>} */
    async deleteAccount(password) {
      await request("DELETE", "/api/auth/account", { body: { password } });
      await deleteSession(undefined);
    },

    /** @type {() => Promise<SessionSummary[]>} */
    sessions: () => request("GET", "/api/auth/sessions"),

    /** @type {(id: string) => Promise<void>} */
    endSession: (id) => request("DELETE", `/api/auth/sessions/${encodeURIComponent(id)}`),

    /** Requests a token for another service. @type {(audience: string) => Promise<Schemas["ServiceToken"]>} */
    tokenFor: (audience) => request("POST", "/api/auth/token", { body: { audience } }),

    /**
     * Lists a page of tasks, newest first, with the cursor of the next page or null.
     *
     * @param {{ completed?: boolean, q?: string, limit?: number, cursor?: string, signal?: AbortSignal }} [filter]
     * @returns {Promise<{ tasks: Task[], next: string | null }>}
     */
    async tasks({ signal, ...query } = {}) {
      const { content, response } = await sendAuthorized("GET", await tasksPath(), { query, signal });
      const next = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(response.headers.get("Link") ?? "");
      return { tasks: content, next: next && decodeURIComponent(next[1]) };
    },

    /** @type {(task: Schemas["CreateTask"]) => Promise<Task>} */
    addTask: async (body) => request("POST", await tasksPath(), { body }),

    /** @type {(id: number, change: Schemas["ChangeTask"]) => Promise<Task>} */
    changeTask: async (id, change) => request("PATCH", await taskPath(id), { body: change }),

    /** @type {(id: number) => Promise<void>} */
    deleteTask: async (id) => request("DELETE", await taskPath(id)),
  };
}

/**
 * Runs `action` in one tab at a time, if the browser has Web Locks. Without them, the server sends the same tokens to
 * all tabs that refresh at once.
 *
 * @template T
 * @param {string} name
 * @param {(hadToWait: boolean) => Promise<T>} action
 * @returns {Promise<T>}
 */
function exclusively(name, action) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return action(false);
  return new Promise((resolve, reject) => {
    const runWithLock = async (/** @type {boolean} */ hadToWait) => {
      await action(hadToWait).then(resolve, reject);
      // Other tabs wait for the lock until they can see the new tokens.
      await pause(STORAGE_DELAY);
    };
    const waitForLock = () => locks.request(name, () => runWithLock(true)).catch(reject);
    locks.request(name, { ifAvailable: true }, (lock) => (lock ? runWithLock(false) : void waitForLock())).catch(reject);
  });
}

/** @type {(milliseconds: number, signal?: AbortSignal) => Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
