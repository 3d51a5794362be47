// Fails if the module is too large, minified and gzipped.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** The largest size, in bytes. */
const MAX_BYTES = 3 * 1024;
const built = await build({ entryPoints: ["client.js"], minify: true, format: "esm", write: false });
const size = gzipSync(built.outputFiles[0].contents, { level: 9 }).length;
assert(size <= MAX_BYTES, `client.js has ${size} bytes minified and gzipped, over ${MAX_BYTES}`);
console.log(`client.js: ${size} bytes minified and gzipped`);
