// A simulated browser: sends real requests with the origin and the cookies of a page, and enforces CORS.
import { CookieJar } from "jsdom";

export const SERVER = process.env.SERVER;
/// The origin of a frontend on another port of the same host. The server has it in ALLOWED_ORIGINS.
export const APP = process.env.APP_ORIGIN;
export const UNTRUSTED = "http://untrusted.example";
export const PASSWORD = "correct horse battery staple";

let users = 0;
const run = Date.now();
/// Returns an unused email address.
export const address = () => `p${(users += 1)}.${process.pid}.${run}@example.com`;

export class Browser {
  jar = new CookieJar();
  /// Each request that got a response, with the status, in order. Preflights are left out.
  log = [];

  constructor(page = SERVER) {
    this.page = page;
    this.fetch = this.fetch.bind(this);
  }

  /// The value of a cookie, decoded.
  cookie(name) {
    const found = this.jar.getCookiesSync(SERVER).find((cookie) => cookie.key === name);
    return found && decodeURIComponent(found.value);
  }

  isCrossOrigin() {
    return this.page !== SERVER;
  }

  isCrossSite() {
    return new URL(this.page).hostname !== new URL(SERVER).hostname;
  }

  async fetch(input, init = {}) {
    const request = new Request(input, init);
    const headers = new Headers(request.headers);
    const isSimple = request.method === "GET";
    if (this.isCrossOrigin() && (!isSimple || headers.has("authorization"))) await this.preflight(request, headers);
    if (this.isCrossOrigin() || !isSimple) headers.set("origin", this.page);
    const site = this.isCrossSite() ? "cross-site" : this.isCrossOrigin() ? "same-site" : "same-origin";
    headers.set("sec-fetch-site", site);
    // The server's cookies are SameSite=Lax: a fetch from another site neither sends nor stores them.
    const keepsCookies = init.credentials === "include" && !this.isCrossSite();
    const cookies = keepsCookies ? this.jar.getCookieStringSync(request.url) : "";
    if (cookies) headers.set("cookie", cookies);
    const body = isSimple ? undefined : await request.text();
    const response = await fetch(request.url, { method: request.method, headers, body, redirect: "manual" });
    this.log.push({ method: request.method, path: new URL(request.url).pathname, status: response.status });
    if (keepsCookies) for (const cookie of response.headers.getSetCookie()) this.jar.setCookieSync(cookie, request.url);
    if (this.isCrossOrigin()) this.requireReadable(response, "a response");
    return response;
  }

  async preflight(request, headers) {
    const requested = [...headers.keys()].filter((name) => !["accept"].includes(name)).sort().join(",");
    const response = await fetch(request.url, {
      method: "OPTIONS",
      headers: { origin: this.page, "access-control-request-method": request.method, "access-control-request-headers": requested },
    });
    this.requireReadable(response, "a preflight");
    const list = (name) => (response.headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim());
    const allowed = list("access-control-allow-headers");
    if (!requested.split(",").filter(Boolean).every((name) => allowed.includes(name))) throw new TypeError("CORS: headers");
    if (!list("access-control-allow-methods").includes(request.method.toLowerCase())) throw new TypeError("CORS: method");
  }

  requireReadable(response, what) {
    const isNamed = response.headers.get("access-control-allow-origin") === this.page;
    if (isNamed && response.headers.get("access-control-allow-credentials") === "true") return;
    throw new TypeError(`CORS: ${what} to ${this.page}`);
  }
}
