// A browser as far as the client can tell: a page's origin, cookies, CORS. The network is real.
import { CookieJar } from "jsdom";

export const SERVER = process.env.SERVER;
/// A frontend of ours on another port, which ALLOWED_ORIGINS names.
export const APP = process.env.APP_ORIGIN;
export const STRANGER = "http://stranger.example";
export const PASSWORD = "correct horse battery staple";

let people = 0;
const run = Date.now();
/// Nobody else has this address.
export const address = () => `p${(people += 1)}.${process.pid}.${run}@example.com`;

export class Browser {
  jar = new CookieJar();
  /// What was sent and answered, in order.
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
    // SameSite=Lax
    const keepsCookies = init.credentials === "include" && !this.isCrossSite();
    const cookies = keepsCookies ? this.jar.getCookieStringSync(request.url) : "";
    if (cookies) headers.set("cookie", cookies);
    const body = isSimple ? undefined : await request.text();
    const answer = await fetch(request.url, { method: request.method, headers, body, redirect: "manual" });
    this.log.push({ method: request.method, path: new URL(request.url).pathname, status: answer.status });
    if (keepsCookies) for (const cookie of answer.headers.getSetCookie()) this.jar.setCookieSync(cookie, request.url);
    if (this.isCrossOrigin()) this.requireReadable(answer, "an answer");
    return answer;
  }

  async preflight(request, headers) {
    const asked = [...headers.keys()].filter((name) => !["accept"].includes(name)).sort().join(",");
    const answer = await fetch(request.url, {
      method: "OPTIONS",
      headers: { origin: this.page, "access-control-request-method": request.method, "access-control-request-headers": asked },
    });
    this.requireReadable(answer, "a preflight");
    const list = (name) => (answer.headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim());
    const allowed = list("access-control-allow-headers");
    if (!asked.split(",").filter(Boolean).every((name) => allowed.includes(name))) throw new TypeError("CORS: headers");
    if (!list("access-control-allow-methods").includes(request.method.toLowerCase())) throw new TypeError("CORS: method");
  }

  requireReadable(answer, what) {
    const isNamed = answer.headers.get("access-control-allow-origin") === this.page;
    if (isNamed && answer.headers.get("access-control-allow-credentials") === "true") return;
    throw new TypeError(`CORS: ${what} to ${this.page}`);
  }
}
