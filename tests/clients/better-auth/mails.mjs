// Reads the mails that the server writes to files.
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";

const FOLDER = process.env.MAILS;

/** Waits for a mail of this kind to this address that is not in `earlier`, and returns its text. */
export async function nextMail(kind, email, earlier = []) {
  for (let left = 200; ; left -= 1) {
    const mail = (await mailsTo(kind, email)).find((text) => !earlier.includes(text));
    if (mail) return mail;
    assert.ok(left > 0, `no mail ${kind} to ${email}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

/** The mails of this kind to this address so far. */
export async function mailsTo(kind, email) {
  const names = (await readdir(FOLDER).catch(() => [])).filter((name) => name.endsWith(".eml") && name.includes(`-${kind}-`));
  const texts = await Promise.all(names.map((name) => readFile(join(FOLDER, name), "utf8")));
  return texts.filter((text) => text.includes(`\r\nTo: ${email}\r\n`));
}

/** The link in the plain text of a mail in English. */
export const linkIn = (mail) => new URL(/^https?:\/\/\S+#\S+(?=\r$)/m.exec(mail)[0]);
