// Adds to fetch what a browser does: stores cookies, sends them by path, and sets Origin unless the method is GET.
export class Jar {
  #cookies = new Map();
  #base;
  #origin;
  #fetch;

  constructor(base, origin, fetch) {
    [this.#base, this.#origin, this.#fetch] = [base, origin, fetch];
  }

  value(name) {
    return this.#cookies.get(name)?.value;
  }

  async fetch(path, init = {}) {
    const headers = new Headers(init.headers);
    if ((init.method ?? "GET") !== "GET") headers.set("Origin", this.#origin);
    const sent = [...this.#cookies].filter(([, cookie]) => path === cookie.path || path.startsWith(cookie.under));
    if (init.credentials === "include" && sent.length > 0) {
      headers.set("Cookie", sent.map(([name, cookie]) => `${name}=${cookie.value}`).join("; "));
    }
    const response = await this.#fetch(this.#base + path, { ...init, headers });
    if (init.credentials === "include") response.headers.getSetCookie().forEach((line) => this.#keep(line));
    return response;
  }

  #keep(line) {
    const [pair, ...attributes] = line.split("; ");
    const [name, value] = pair.split(/=(.*)/);
    const attribute = Object.fromEntries(attributes.map((text) => text.split("=")));
    if (attribute["Max-Age"] === "0") return this.#cookies.delete(name);
    const path = attribute.Path;
    this.#cookies.set(name, { value, path, under: path.endsWith("/") ? path : `${path}/` });
  }
}
