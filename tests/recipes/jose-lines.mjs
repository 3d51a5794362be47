// Verifies the tokens on the standard input, one per line, with the published keys of a live server:
//     node jose-lines.mjs http://127.0.0.1:PORT FOLDER
// FOLDER contains josejwks.js. For each token, prints a line with its subject, or with the code or the
// message of the error.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [server, folder] = process.argv.slice(2);
const { claimsOf, publicKeys } = await import(`${pathToFileURL(folder)}/josejwks.js`);
const keys = publicKeys(server);
for await (const token of createInterface({ input: process.stdin })) {
  const answer = claimsOf(token, keys).then(({ sub }) => sub, ({ code, message }) => code ?? message);
  console.log(await answer);
}
