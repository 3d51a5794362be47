// Limits the size of the module, in bytes, minified and gzipped.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT = 3 * 1024;
const built = await build({ entryPoints: ["client.js"], minify: true, format: "esm", write: false });
const size = gzipSync(built.outputFiles[0].contents, { level: 9 }).length;
assert(size <= LIMIT, `client.js has ${size} bytes minified and gzipped, over ${LIMIT}`);
console.log(`client.js: ${size} bytes minified and gzipped`);
