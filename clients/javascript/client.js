/**
 * Client of api-server: signs users up and in, refreshes their session, and calls the API.
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
 * @property {number} refreshAt When to refresh, in milliseconds of this device's clock; a wrong clock does no harm.
 * @property {number} mark A random number that differs after every refresh.
 * @property {string} [access]
 * @property {string} [refresh]
 */

/**
 * Stores one session. Both functions may be asynchronous; `save` finishes once the session is stored.
 *
 * @typedef {object} Store
 * @property {() => Session | null | Promise<Session | null>} load
 * @property {(session: Session | null) => void | Promise<void>} save
 * @property {(changed: (session: Session | null) => void) => void} [watch] Reports changes made elsewhere, such as in another tab.
 */

/**
 * @typedef {object} Options
 * @property {string} [base] URL of the server, such as `https://api.example.com`; the origin of the page by default.
 * @property {boolean} [cookies] Whether the browser keeps the tokens as HttpOnly cookies; by default they are in `store`.
 * @property {Store} [store] Defaults to memory with bearer tokens, and to `localStorage` (without tokens) with cookies.
 * @property {(error?: ApiError) => void} [onSignedOut] Called once when a session is over: with the server's 401, or
 *   without an argument after `signOut`, here or in another tab.
 * @property {number} [retries] How often to retry after a 503, each time after its `Retry-After`; 2 by default.
 * @property {number} [timeout] Milliseconds until a response counts as lost; 30 000 by default.
 * @property {typeof globalThis.fetch} [fetch] Sends the requests; the global `fetch` by default.
 */

/**
 * @typedef {object} Call
 * @property {unknown} [body] Sent as JSON.
 * @property {Record<string, string | number | boolean | null | undefined>} [query] Values that are null or undefined are left out.
 * @property {AbortSignal} [signal]
 */

/** The longest wait for a busy server, in seconds. */
const LONGEST_WAIT = 30;
/** The delay, in milliseconds, until other tabs see what one tab has written to `localStorage`. */
const STORAGE_DELAY = 100;
/** The share of a token's lifetime after which it is refreshed. */
const REFRESH_AFTER = 0.9;

/** The error of every method: an error response of the server, or no response. */
export class ApiError extends Error {
  /**
   * @param {Partial<Schemas["Problem"]> | null} problem
   * @param {{ status?: number, retryAfter?: number, cause?: unknown }} [more]
   */
  constructor(problem, { status = 0, retryAfter, cause } = {}) {
    super(problem?.detail ?? (status ? `The server responded with ${status}` : "The server cannot be reached"), { cause });
    this.name = "ApiError";
    /** The HTTP status; 0 without a response of this server. */
    this.status = status;
    /** Stable code for programs: a `code` of the API, or `NETWORK_ERROR`. @type {Schemas["Code"] | "NETWORK_ERROR"} */
    this.code = problem?.code ?? "NETWORK_ERROR";
    /** The invalid fields, each with a message for the user. @type {FieldError[]} */
    this.errors = problem?.errors ?? [];
    /** Seconds after which to try again, if the server sent `Retry-After`. */
    this.retryAfter = retryAfter;
  }
}

/** @returns {Store} Keeps the session in memory, until the process or the page ends. */
export function memoryStore() {
  /** @type {Session | null} */
  let kept = null;
  return { load: () => kept, save: (session) => void (kept = session) };
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
  const read = (/** @type {string | null} */ text) => {
    try {
      return JSON.parse(text ?? "null");
    } catch {
      return null;
    }
  };
  return {
    load: () => read(localStorage.getItem(key)),
    save: (session) => (session ? localStorage.setItem(key, JSON.stringify(session)) : localStorage.removeItem(key)),
    watch: (changed) =>
      // Node has localStorage, but no storage events.
      globalThis.addEventListener?.("storage", (event) => {
        if (event.key === key || event.key === null) changed(read(localStorage.getItem(key)));
      }),
  };
}

/** @param {Options} [options] */
export function createClient({ base = "", cookies = false, store, onSignedOut, retries = 2, timeout = 30_000, fetch } = {}) {
  const kept = store ?? (cookies ? localStore() : memoryStore());
  const root = base.replace(/\/$/, "");
  /** Whether the app believes that a user is signed in. */
  let live = false;
  /** @type {Promise<Session | null> | null} */
  let refreshing = null;

  async function load() {
    const session = await kept.load();
    live ||= !!session;
    return session;
  }

  function over(/** @type {ApiError | undefined} */ error) {
    if (!live) return;
    live = false;
    onSignedOut?.(error);
  }

  async function forget(/** @type {ApiError | undefined} */ error) {
    await kept.save(null);
    over(error);
  }

  async function keep(/** @type {Grant} */ grant) {
    /** @type {Session} */
    const session = {
      user: grant.user,
      id: grant.session_id,
      refreshAt: Date.now() + grant.expires_in * 1000 * REFRESH_AFTER,
      mark: Math.random(),
    };
    if (!cookies) Object.assign(session, { access: grant.access_token, refresh: grant.refresh_token });
    await kept.save(session);
    live = true;
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
    const abort = new AbortController();
    const stop = () => abort.abort(signal?.reason);
    const timer = setTimeout(() => abort.abort(), timeout);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    let response, content;
    try {
      response = await (fetch ?? globalThis.fetch)(root + path + (search && `?${search}`), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: cookies ? "include" : "omit",
        signal: abort.signal,
      });
      content = await response.json();
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new ApiError(null, { status: response?.status === 503 ? 503 : 0, cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
    if (response.ok) return { content, response };
    const isOurs = typeof content?.code === "string";
    const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
    throw new ApiError(isOurs ? content : null, { status: isOurs || response.status === 503 ? response.status : 0, retryAfter });
  }

  /**
   * Calls `attempt`, and retries after a 503. A request that the server may have carried out already is retried only if
   * `isRepeatable`.
   *
   * @type {(method: string, path: string, call: Call, token?: string, isRepeatable?: boolean) => ReturnType<typeof attempt>}
   */
  async function send(method, path, call, token, isRepeatable = method !== "POST" && !path.endsWith("/complete")) {
    for (let left = retries; ; left -= 1) {
      try {
        return await attempt(method, path, call, token);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 503 || left <= 0) throw error;
        const wait = error.retryAfter ?? 1;
        if (wait > LONGEST_WAIT || !(isRepeatable || error.code === "OVERLOADED")) throw error;
        await pause(wait * 1000, call.signal);
      }
    }
  }

  /** Refreshes once for all concurrent requests, in all tabs. Resolves to null if the user signed out meanwhile. */
  function refresh(/** @type {Session | null} */ used) {
    refreshing ??= exclusively(`refresh ${root}`, (hadToWait) => renew(used, hadToWait)).finally(() => (refreshing = null));
    return refreshing;
  }

  async function renew(/** @type {Session | null} */ used, /** @type {boolean} */ hadToWait) {
    let before = await load();
    for (let left = 20; hadToWait && left > 0 && before?.mark === used?.mark; left -= 1) {
      await pause(STORAGE_DELAY / 4);
      before = await load();
    }
    // Another tab has refreshed meanwhile, or signed out.
    if (before?.mark !== used?.mark) return before;
    try {
      const body = cookies ? undefined : { refresh_token: before?.refresh };
      const { content } = await send("POST", "/api/auth/refresh", { body }, undefined, true);
      if (!content?.user) throw new ApiError(null);
      const now = await kept.load();
      return now?.mark === before?.mark ? await keep(content) : now;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // A password change, here or in another tab, also ends the session; the new one may not be stored yet.
      await pause(STORAGE_DELAY);
      const now = await kept.load();
      if (now?.mark !== before?.mark) return now;
      await forget(error);
      throw error;
    }
  }

  /** The session, refreshed if its access token is about to expire; unchanged if that fails for a temporary reason. */
  async function current() {
    const session = await load();
    if (!session || Date.now() < session.refreshAt) return session;
    return refresh(session).catch((error) => {
      if (error.status === 401) throw error;
      return session;
    });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {Call} [call]
   */
  async function authorised(method, path, call = {}) {
    const used = await current();
    try {
      return await send(method, path, call, used?.access);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const next = used || cookies ? await refresh(used) : null;
      if (!next) {
        over(error);
        throw error;
      }
      return send(method, path, call, next.access);
    }
  }

  /**
   * Calls any address of the API as the signed-in user.
   *
   * @param {string} method
   * @param {string} path Such as `/api/auth/session`; never another host's, because the token is sent with it.
   * @param {Call} [call]
   * @returns {Promise<any>} The body of the response.
   * @throws {ApiError}
   * @throws {TypeError} Unless the path starts with exactly one `/` and has no line breaks or tabs, which URLs ignore.
   */
  async function request(method, path, call) {
    if (!/^\/(?![/\\])[^\t\n\r]*$/.test(path)) throw new TypeError(`Not a path of the API: ${path}`);
    return (await authorised(method, path, call)).content;
  }

  /** The address names the owner: if another user has signed in meanwhile, the result is a 403 and not their tasks. */
  const tasks = async (rest = "") => `/api/${encodeURIComponent((await load())?.user.id ?? "-")}/tasks${rest}`;
  const task = (/** @type {number} */ id) => tasks(`/${encodeURIComponent(id)}`);

  kept.watch?.((session) => {
    if (session) live = true;
    else over(undefined);
  });

  return {
    request,

    /** @type {() => Promise<User | null>} The signed-in user as stored here, without a request to the server. */
    user: async () => (await load())?.user ?? null,

    /** @type {(credentials: Schemas["RegisterRequest"]) => Promise<User>} */
    signUp: async (credentials) => (await keep((await send("POST", "/api/auth/register", { body: credentials })).content)).user,

    /** @type {(credentials: Schemas["LoginRequest"]) => Promise<User>} */
    signIn: async (credentials) => (await keep((await send("POST", "/api/auth/login", { body: credentials })).content)).user,

    /**
     * Ends this session, all `others`, or `all`. Fails and signs nothing out if the server cannot be reached.
     *
     * @param {Schemas["Scope"]} [scope]
     * @returns {Promise<number>} The number of sessions that were ended.
     */
    async signOut(scope = "current") {
      // The server ends other sessions only for tokens that are currently valid.
      const session = scope === "current" ? await load() : await current();
      const body = { scope, ...(session?.refresh && { refresh_token: session.refresh }) };
      const { content } = await send("POST", "/api/auth/logout", { body }, undefined, true);
      if (scope !== "others") await forget(undefined);
      return content.revoked;
    },

    /** @type {() => Promise<User>} */
    account: () => request("GET", "/api/auth/account"),

    /** @type {(change: Schemas["AccountChange"]) => Promise<User>} */
    async changeAccount(change) {
      const user = await request("PATCH", "/api/auth/account", { body: change });
      const session = await kept.load();
      if (session) await kept.save({ ...session, user });
      return user;
    },

    /** Ends every session; this client continues with a new one. @type {(change: Schemas["ChangePassword"]) => Promise<User>} */
    changePassword: async (change) => (await keep(await request("POST", "/api/auth/change-password", { body: change }))).user,

    /** @type {(password: string) => Promise<void>} */
    async deleteAccount(password) {
      await request("DELETE", "/api/auth/account", { body: { password } });
      await forget(undefined);
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
      const { content, response } = await authorised("GET", await tasks(), { query, signal });
      const next = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(response.headers.get("Link") ?? "");
      return { tasks: content, next: next && decodeURIComponent(next[1]) };
    },

    /** @type {(task: Schemas["CreateTask"]) => Promise<Task>} */
    addTask: async (body) => request("POST", await tasks(), { body }),

    /** @type {(id: number, change: Schemas["ChangeTask"]) => Promise<Task>} */
    changeTask: async (id, change) => request("PATCH", await task(id), { body: change }),

    /** @type {(id: number) => Promise<void>} */
    deleteTask: async (id) => request("DELETE", await task(id)),
  };
}

/**
 * Runs `action` in one tab at a time, if the browser has Web Locks. Without them, the server sends all tabs the same
 * tokens.
 *
 * @template T
 * @param {string} name
 * @param {(hadToWait: boolean) => Promise<T>} action
 * @returns {Promise<T>}
 */
function exclusively(name, action) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return action(false);
  return new Promise((done, failed) => {
    const hold = async (/** @type {boolean} */ hadToWait) => {
      await action(hadToWait).then(done, failed);
      // Other tabs wait for the lock until they can see the new tokens.
      await pause(STORAGE_DELAY);
    };
    const wait = () => locks.request(name, () => hold(true));
    locks.request(name, { ifAvailable: true }, (lock) => (lock ? hold(false) : void wait().catch(failed))).catch(failed);
  });
}

/** @type {(milliseconds: number, signal?: AbortSignal) => Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((done, failed) => {
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      failed(signal.reason);
    });
  });
}
