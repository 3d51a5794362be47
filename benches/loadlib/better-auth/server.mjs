// A Better Auth server as in its guide, with PostgreSQL, email and password.
// Run: node server.mjs HOST PORT PROCESSES, with DATABASE_URL for an empty database.
import cluster from "node:cluster";
import http from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import pg from "pg";

const [host, port, processes] = process.argv.slice(2);
const options = {
  baseURL: `http://${host}:${port}`,
  secret: "a7Kq0vXw2mTzR9bLs4NcYp6EhGd8JfUu",
  database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 }),
  emailAndPassword: { enabled: true },
  // Otherwise all but 100 requests in ten seconds get a 429.
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
};

if (cluster.isPrimary) {
  await (await getMigrations(options)).runMigrations();
  for (let count = 0; count < Number(processes); count += 1) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else {
  http.createServer(toNodeHandler(betterAuth(options))).listen(Number(port), host);
}
