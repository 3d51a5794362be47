// A server, a browser, and people with a window each.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
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
      if (await fetch(`${this.base}/readyz`).then((answer) => answer.ok, () => false)) return;
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

  /** Calls the API beside the browser. */
  async call(method, path, body, token) {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(this.base + path, { method, headers, body: body && JSON.stringify(body) });
    assert(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.json();
  }

  login = ({ email, password }) => this.call("POST", "/api/auth/login", { email, password });
}

/**
 * A browser and a server for a file of tests, handed to `ready` before the first. What the result opens is closed after each
 * test, and must have had no faults.
 */
export function inBrowser(ready) {
  const contexts = [];
  let browser, server;
  before(async () => {
    browser = await launch();
    server = await Server.start();
    ready({ browser, server });
  });
  after(async () => {
    await browser.close();
    await server.end();
  });
  afterEach(async () => {
    const faults = contexts.flatMap((context) => context.faults);
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    assert.deepEqual(faults, []);
  });
  return async (how, ...rest) => {
    const it = await how(browser, ...rest);
    contexts.push(it.context ?? it);
    return it;
  };
}

export const launch = () =>
  chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"] });

let people = 0;
export const somebody = (name = "Ada Lovelace") => ({ name, email: `person${(people += 1)}@example.com`, password: PASSWORD });

/**
 * Somebody's browser with nothing in it. Whatever a page throws, and whatever its policy forbids, ends in `faults`.
 */
export async function visitor(browser, server, options = {}) {
  const context = await browser.newContext({ baseURL: server.base, locale: "en-GB", timezoneId: "UTC", ...options });
  context.setDefaultTimeout(10_000);
  context.faults = [];
  context.on("page", (page) => {
    page.on("pageerror", (error) => context.faults.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !/Failed to load resource|ERR_/.test(message.text())) context.faults.push(message.text());
    });
  });
  return context;
}

/** The same, signed up and at their tasks. */
export async function member(browser, server, options) {
  const context = await visitor(browser, server, options);
  const person = somebody();
  const page = await context.newPage();
  await signUp(page, person);
  return { context, page, person };
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

/** A task as it stands in the list. */
export const task = (page, title) => page.getByRole("listitem").filter({ hasText: title });
