// Pictures of the pages: API_SERVER=… node look.mjs FOLDER
import { mkdir } from "node:fs/promises";
import { Server, add, launch, member, signIn, visitor } from "./harness.mjs";

const [folder] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const server = await Server.start();
const browser = await launch();
const TASKS = ["Call the dentist", "Renew the library card", "Draft the quarterly report", "Book a table for Friday", "Water the plants", "Buy milk"];

async function look(name, options) {
  const guest = await visitor(browser, server, options);
  const front = await guest.newPage();
  const shot = (page, part) => page.screenshot({ path: `${folder}/${name}-${part}.png` });
  await front.goto("/");
  await front.getByRole("heading").waitFor();
  await shot(front, "welcome");
  await front.goto("/sign-in");
  await front.getByRole("button", { name: "Sign in" }).click();
  await front.locator(".error").first().waitFor();
  await shot(front, "sign-in");

  const { page, context, person } = await member(browser, server, options);
  await shot(page, "empty");
  for (const title of TASKS) await add(page, title);
  const [list] = [await page.evaluate(() => JSON.parse(localStorage.getItem("api-server")).user.id)];
  const { access_token: token } = await server.login(person);
  const tasks = await server.call("GET", `/api/${list}/tasks`, undefined, token);
  const id = tasks.find((task) => task.title.startsWith("Draft")).id;
  await server.call("PATCH", `/api/${list}/tasks/${id}`, { description: "Numbers from Grace, charts by Thursday.\nTwo pages at most." }, token);
  await page.reload();
  for (const title of ["Buy milk", "Book a table"]) await page.getByRole("checkbox", { name: title }).check();
  await page.mouse.move(0, 0);
  await page.waitForTimeout(300);
  await shot(page, "tasks");
  await page.getByRole("button", { name: "Edit Draft" }).click();
  await page.getByRole("button", { name: "Delete Water" }).click();
  await page.waitForTimeout(300);
  await shot(page, "editing");
  const phone = await visitor(browser, server, { ...options, userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile/15E148 Safari/604.1" });
  const other = await phone.newPage();
  await signIn(other, person);
  await other.getByRole("heading", { name: "Your tasks" }).waitFor();
  await page.getByRole("link", { name: "Sessions" }).click();
  await page.locator(".session").first().waitFor();
  await page.waitForTimeout(200);
  await shot(page, "sessions");
  await page.getByRole("link", { name: "Account" }).click();
  await page.waitForTimeout(200);
  await page.screenshot({ path: `${folder}/${name}-account.png`, fullPage: true });
  await page.getByRole("button", { name: "Delete account…" }).click();
  await page.waitForTimeout(200);
  await shot(page, "delete");
  if (guest.faults.length + context.faults.length) console.log(guest.faults, context.faults);
  await Promise.all([guest, context, phone].map((it) => it.close()));
}

try {
  const wide = { width: 1440, height: 900 };
  const narrow = { width: 360, height: 740 };
  await look("light", { viewport: wide });
  await look("dark", { viewport: wide, colorScheme: "dark" });
  await look("narrow", { viewport: narrow });
} finally {
  await browser.close();
  await server.end();
}
