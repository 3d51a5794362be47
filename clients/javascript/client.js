/**
 * Client of api-server: signs people up and in, keeps their session alive, and calls the API.
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
 * What is kept of a session between requests. Without tokens if they are cookies.
 *
 * @typedef {object} Session
 * @property {User} user
 * @property {string} id
 * @property {number} refreshAt By this device's clock, in milliseconds, so that a clock that is wrong does no harm.
 * @property {number} mark Tells it from the one before.
 * @property {string} [access]
 * @property {string} [refresh]
 */

/**
 * Where a session is kept. Both functions may be asynchronous; `save` must have kept it when it is done.
 *
 * @typedef {object} Store
 * @property {() => Session | null | Promise<Session | null>} load
 * @property {(session: Session | null) => void | Promise<void>} save
 * @property {(changed: (session: Session | null) => void) => void} [watch] Tells of changes by others, such as other tabs.
 */

/**
 * @typedef {object} Options
 * @property {string} [base] Where the server is, such as `https://api.example.com`. Left out: where the page came from.
 * @property {boolean} [cookies] Lets the browser keep the tokens as HttpOnly cookies. Left out: bearer tokens, in `store`.
 * @property {Store} [store] Left out: memory with bearer tokens, `localStorage` (which then holds no tokens) with cookies.
 * @property {(error?: ApiError) => void} [onSignedOut] Called once when a session is over: with the server's 401, or with
 *   nothing after `signOut`, here or in another tab.
 * @property {number} [retries] How often a 503 is tried again after the time it names; 2 if left out.
 * @property {number} [timeout] Milliseconds until an answer counts as lost; 30 000 if left out.
 * @property {typeof globalThis.fetch} [fetch]
 */

/**
 * @typedef {object} Call
 * @property {unknown} [body] Sent as JSON.
 * @property {Record<string, string | number | boolean | null | undefined>} [query] What is null or undefined is left out.
 * @property {AbortSignal} [signal]
 */

/** Longer than this nobody is kept waiting for a busy server, in seconds. */
const LONGEST_WAIT = 30;
/** What one tab writes to `localStorage` others read a little later, in milliseconds, though they hold the lock already. */
const NEWS = 100;
/** The share of a token's lifetime after which it is renewed. */
const FRESH = 0.9;

/** Whatever goes wrong: a refusal of the server, or no answer from it. */
export class ApiError extends Error {
  /**
   * @param {Partial<Schemas["Problem"]> | null} problem
   * @param {{ status?: number, retryAfter?: number, cause?: unknown }} [more]
   */
  constructor(problem, { status = 0, retryAfter, cause } = {}) {
    super(problem?.detail ?? (status ? `The server answered ${status}` : "The server cannot be reached"), { cause });
    this.name = "ApiError";
    /** The HTTP status; 0 if there was no answer, or none of this server. */
    this.status = status;
    /** Stable, for programs: a `code` of the API, or `NETWORK_ERROR`. @type {Schemas["Code"] | "NETWORK_ERROR"} */
    this.code = problem?.code ?? "NETWORK_ERROR";
    /** The fields at fault, with words for people. @type {FieldError[]} */
    this.errors = problem?.errors ?? [];
    /** Seconds after which to try again, if the server named them. */
    this.retryAfter = retryAfter;
  }
}

/** @returns {Store} Forgets with the process. */
export function memoryStore() {
  /** @type {Session | null} */
  let kept = null;
  return { load: () => kept, save: (session) => void (kept = session) };
}

/**
 * Kept in `localStorage`, shared by all tabs; in memory where that is blocked. Any script of the page can read it.
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
      // Node has localStorage, but nobody who changes it.
      globalThis.addEventListener?.("storage", (event) => {
        if (event.key === key || event.key === null) changed(read(localStorage.getItem(key)));
      }),
  };
}

/** @param {Options} [options] */
export function createClient({ base = "", cookies = false, store, onSignedOut, retries = 2, timeout = 30_000, fetch } = {}) {
  const kept = store ?? (cookies ? localStore() : memoryStore());
  const root = base.replace(/\/$/, "");
  /** Whether the app believes that somebody is signed in. */
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
      refreshAt: Date.now() + grant.expires_in * 1000 * FRESH,
      mark: Math.random(),
    };
    if (!cookies) Object.assign(session, { access: grant.access_token, refresh: grant.refresh_token });
    await kept.save(session);
    live = true;
    return session;
  }

  /**
   * One request, one answer.
   *
   * @param {string} method
   * @param {string} path
   * @param {Call} call
   * @param {string} [token]
   */
  async function attempt(method, path, { body, query, signal }, token) {
    const asked = Object.entries(query ?? {}).filter(([, value]) => value != null);
    const search = asked.map(([name, value]) => `${name}=${encodeURIComponent(/** @type {string} */ (value))}`).join("&");
    /** @type {Record<string, string>} */
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    const abort = new AbortController();
    const stop = () => abort.abort(signal?.reason);
    const timer = setTimeout(() => abort.abort(), timeout);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    let answer, content;
    try {
      answer = await (fetch ?? globalThis.fetch)(root + path + (search && `?${search}`), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: cookies ? "include" : "omit",
        signal: abort.signal,
      });
      content = await answer.json();
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new ApiError(null, { status: answer?.status === 503 ? 503 : 0, cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
    if (answer.ok) return { content, answer };
    const isOurs = typeof content?.code === "string";
    const retryAfter = Number(answer.headers.get("Retry-After")) || undefined;
    throw new ApiError(isOurs ? content : null, { status: isOurs || answer.status === 503 ? answer.status : 0, retryAfter });
  }

  /**
   * As `attempt`, and again after a 503. What may have happened already and must not happen twice is left to the caller.
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

  /** The next tokens, once for all who ask at the same time, in all tabs; null if somebody signed out meanwhile. */
  function refresh(/** @type {Session | null} */ used) {
    refreshing ??= alone(`refresh ${root}`, (hadToWait) => renew(used, hadToWait)).finally(() => (refreshing = null));
    return refreshing;
  }

  async function renew(/** @type {Session | null} */ used, /** @type {boolean} */ hadToWait) {
    let before = await load();
    for (let left = 20; hadToWait && left > 0 && before?.mark === used?.mark; left -= 1) {
      await pause(NEWS / 4);
      before = await load();
    }
    // Another tab was faster. Or slower: it signed out.
    if (before?.mark !== used?.mark) return before;
    try {
      const body = cookies ? undefined : { refresh_token: before?.refresh };
      const { content } = await send("POST", "/api/auth/refresh", { body }, undefined, true);
      if (!content?.user) throw new ApiError(null);
      const now = await kept.load();
      return now?.mark === before?.mark ? await keep(content) : now;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      // A change of password in this tab or another ends the session too, and its new one may be on the way.
      await pause(NEWS);
      const now = await kept.load();
      if (now?.mark !== before?.mark) return now;
      await forget(error);
      throw error;
    }
  }

  /** The session with tokens that should be good; those at hand if newer ones cannot be had just now. */
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
   * Calls any address of the API for whoever is signed in.
   *
   * @param {string} method
   * @param {string} path Such as `/api/auth/session`: never another host's, for the token goes with it.
   * @param {Call} [call]
   * @returns {Promise<any>} The body of the answer.
   * @throws {ApiError}
   * @throws {TypeError} Unless the path starts with exactly one `/` and has no line breaks or tabs, which URLs drop.
   */
  async function request(method, path, call) {
    if (!/^\/(?![/\\])[^\t\n\r]*$/.test(path)) throw new TypeError(`Not a path of the API: ${path}`);
    return (await authorised(method, path, call)).content;
  }

  /** The owner's own address: should somebody else have signed in meanwhile, it is a 403 and not their list. */
  const tasks = async (rest = "") => `/api/${encodeURIComponent((await load())?.user.id ?? "-")}/tasks${rest}`;
  const task = (/** @type {number} */ id) => tasks(`/${encodeURIComponent(id)}`);

  kept.watch?.((session) => {
    if (session) live = true;
    else over(undefined);
  });

  return {
    request,

    /** @type {() => Promise<User | null>} Who is signed in as far as is known here, without asking the server. */
    user: async () => (await load())?.user ?? null,

    /** @type {(person: Schemas["RegisterRequest"]) => Promise<User>} */
    signUp: async (person) => (await keep((await send("POST", "/api/auth/register", { body: person })).content)).user,

    /** @type {(person: Schemas["LoginRequest"]) => Promise<User>} */
    signIn: async (person) => (await keep((await send("POST", "/api/auth/login", { body: person })).content)).user,

    /**
     * Ends this session, all `others`, or `all`. If the server cannot be reached it fails, and nobody is signed out.
     *
     * @param {Schemas["Scope"]} [scope]
     * @returns {Promise<number>} How many were ended.
     */
    async signOut(scope = "current") {
      // Other sessions end only by tokens that are good now.
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

    /** Ends every session; this client goes on with a new one. @type {(change: Schemas["ChangePassword"]) => Promise<User>} */
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

    /** A token for another service. @type {(audience: string) => Promise<Schemas["ServiceToken"]>} */
    tokenFor: (audience) => request("POST", "/api/auth/token", { body: { audience } }),

    /**
     * A page of tasks, newest first, and the cursor of the next page, if there is one.
     *
     * @param {{ completed?: boolean, q?: string, limit?: number, cursor?: string, signal?: AbortSignal }} [filter]
     * @returns {Promise<{ tasks: Task[], next: string | null }>}
     */
    async tasks({ signal, ...query } = {}) {
      const { content, answer } = await authorised("GET", await tasks(), { query, signal });
      const next = /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(answer.headers.get("Link") ?? "");
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
 * One at a time in all tabs, where the browser has Web Locks. Elsewhere the server sees to it that all get the same.
 *
 * @template T
 * @param {string} name
 * @param {(hadToWait: boolean) => Promise<T>} action
 * @returns {Promise<T>}
 */
function alone(name, action) {
  const locks = globalThis.navigator?.locks;
  if (!locks) return action(false);
  return new Promise((done, failed) => {
    const hold = async (/** @type {boolean} */ hadToWait) => {
      await action(hadToWait).then(done, failed);
      // Whoever comes now shall find the lock taken and wait for the news.
      await pause(NEWS);
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
