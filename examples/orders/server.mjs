import { Redis } from "ioredis";
import { Pool } from "pg";
import { buildApp } from "./app.mjs";

const pool = new Pool({
  host: "db",
  user: "postgres",
  password: "secret",
  database: "postgres",
});
const app = await buildApp({ pool, redis: new Redis({ host: "cache" }) });
console.log("listening at", await app.listen({ host: "::", port: 8080 }));
