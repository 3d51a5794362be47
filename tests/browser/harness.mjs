// Helpers of the tests: a server, a browser, new users, and what they do on the pages.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { chromium } from "playwright-core";

export const PASSWORD = "correct horse battery staple";
const PROGRAM = process.env.API_SERVER;
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/** A server with its own database, which can be stopped and started again at the same address. */
export class Server {
  static async start(settings = {}) {
    const it = new Server();
    it.folder = await mkdtemp(join(tmpdir(), "pages-"));
    it.host = `127.0.0.1:${await freePort()}`;
    it.base = `http://${it.host}`;
    it.settings = {
      BIND_ADDR: it.host,
      DATABASE_URL: `sqlite://${it.folder}/auth.db`,
      BCRYPT_COST: "4",
      ALLOW_WEAK_HASHING: "true",
      ...settings,
    };
    await it.run();
    return it;
  }

  async run(settings = {}) {
    const env = { ...process.env, ...this.settings, ...settings };
    this.process = spawn(PROGRAM, { cwd: this.folder, env, stdio: "ignore" });
    for (let left = 400; ; left -= 1) {
      if (await fetch(`${this.base}/readyz`).then((response) => response.ok, () => false)) return;
      assert(left > 0 && this.process.exitCode === null, "the server does not get ready");
      await new Promise((go) => setTimeout(go, 25));
    }
  }

  async stop() {
    this.process.kill("SIGKILL");
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, "exit");
  }

  async end() {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Calls the API directly, without the browser. */
  async call(method, path, body, token) {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(this.base + path, { method, headers, body: body && JSON.stringify(body) });
    assert(response.ok, `${method} ${path}: ${response.status}`);
    return response.json();
  }

  /** Waits for the next mail of this kind to this address, and returns its text. A mail is returned only once. */
  async mail(kind, email) {
    const folder = join(this.folder, "mail");
    let found;
    await eventually(async () => {
      const names = (await readdir(folder).catch(() => [])).filter((name) => name.includes(`-${kind}-`) && !this.readMails.has(name));
      for (const name of names) {
        const raw = await readFile(join(folder, name), "latin1");
        if (!/^To: .*/im.exec(raw)?.[0].includes(email)) continue;
        this.readMails.add(name);
        found = plainText(raw);
        return true;
      }
      return false;
    }, `a mail ${kind} for ${email}`);
    return found;
  }

  readMails = new Set();

  login = ({ email, password }) => this.call("POST", "/api/auth/login", { email, password });
}

/** The link in a mail, its token, and the code in a mail. */
export const linkIn = (mail) => /https?:\/\/\S+#\S+/.exec(mail)[0];
export const tokenIn = (mail) => new URL(linkIn(mail)).hash.slice(1);
export const codeIn = (mail) => /^[2-9A-HJ-NP-Z]{8}\s*$/m.exec(mail)[0].trim();

/** The plain text of a mail with several parts, decoded. */
function plainText(raw) {
  const [, boundary] = /boundary="?([^"\r\n;]+)/i.exec(raw);
  const parts = raw.split(`--${boundary}`).slice(1);
  const part = parts.find((text) => /content-type: text\/plain/i.test(text)) ?? parts[0];
  const end = part.indexOf("\r\n\r\n");
  const [head, body] = [part.slice(0, end), part.slice(end + 4)];
  if (/base64/i.test(head)) return Buffer.from(body, "base64").toString();
  if (!/quoted-printable/i.test(head)) return Buffer.from(body, "latin1").toString();
  const joined = body.replace(/=\r?\n/g, "");
  const bytes = joined.replace(/=([0-9A-F]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString();
}

/**
 * Starts a browser, and a server with these settings, before the tests of a file, and passes both to `ready`. Returns a
 * function that opens a browser context. After each test its contexts are closed, and must have no `pageErrors`.
 */
export function inBrowser(ready, settings) {
  const contexts = [];
  let browser, server;
  before(async () => {
    browser = await launch();
    server = await Server.start(settings);
    ready({ browser, server });
  });
  after(async () => {
    await browser.close();
    await server.end();
  });
  afterEach(async () => {
    const pageErrors = contexts.flatMap((context) => context.pageErrors);
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    assert.deepEqual(pageErrors, []);
  });
  return async (how, ...rest) => {
    const it = await how(browser, ...rest);
    contexts.push(it.context ?? it);
    return it;
  };
}

export const launch = () =>
  chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });

let users = 0;
export const newUser = (name = "Ada Lovelace") => ({ name, email: `person${(users += 1)}@example.com`, password: PASSWORD });

/**
 * A new browser context. `pageErrors` collects the exceptions of its pages and the errors in their consoles, such as
 * violations of the content security policy, but not failed requests.
 */
export async function newContext(browser, server, options = {}) {
  const context = await browser.newContext({ baseURL: server.base, locale: "en-GB", timezoneId: "UTC", ...options });
  context.setDefaultTimeout(10_000);
  context.pageErrors = [];
  context.on("page", (page) => {
    page.on("pageerror", (error) => context.pageErrors.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/Failed to load resource|ERR_/.test(message.text())) context.pageErrors.push(message.text());
    });
  });
  return context;
}

/** Signs up a new user in a new context. Returns the context, the user, and the page, which shows the tasks. */
export async function signedIn(browser, server, options) {
  const context = await newContext(browser, server, options);
  const user = newUser();
  const page = await context.newPage();
  await signUp(page, user);
  return { context, page, user };
}

export async function signUp(page, { name, email, password }) {
  await page.goto("/sign-up");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Your tasks" }).waitFor();
}

export async function signIn(page, { email, password }, address = "/sign-in") {
  if (address) await page.goto(address);
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function add(page, title) {
  await page.getByRole("textbox", { name: "New task" }).fill(title);
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("listitem").filter({ hasText: title }).waitFor();
}

/** A task in the list. */
export const task = (page, title) => page.getByRole("listitem").filter({ hasText: title });

export const heading = (page, name) => page.getByRole("heading", { name, level: 1 }).waitFor();

export const alertText = (scope) => scope.getByRole("alert").first().innerText();

/** Counts the requests to an address from now on, without preflight requests. */
export function counting(context, path) {
  const seen = { count: 0 };
  context.on("request", (request) => (seen.count += new URL(request.url()).pathname === path && request.method() !== "OPTIONS" ? 1 : 0));
  return seen;
}

/** The name, id or text of the element that has the focus. */
export const focused = (page) => page.evaluate(() => document.activeElement.name || document.activeElement.id || document.activeElement.textContent.trim());

/** Presses Tab until the element of this name, id or text has the focus. */
export async function tabTo(page, name) {
  for (let left = 40; (await focused(page)) !== name; left -= 1) {
    assert(left > 0, `Tab does not reach ${name}`);
    await page.keyboard.press("Tab");
  }
}

/** Handlers for `page.route` that respond instead of the server. */
export const respond = (status, body, headers = {}) => (route) => route.fulfill({ status, headers, contentType: "application/json", body: JSON.stringify(body) });
export const problem = (status, code, { errors, ...headers } = {}) =>
  respond(status, { status, title: "", code, detail: `The server said ${code}`, message: "", errors }, headers);
export const accepted = (id = "c1") => respond(202, { challenge_id: id, expires_in: 3600 });

/** Repeats a check every 50 ms until it holds. Fails after 100 repetitions. */
export async function eventually(check, what) {
  for (let left = 100; !(await check()); left -= 1) {
    assert(left > 0, what);
    await new Promise((go) => setTimeout(go, 50));
  }
}
