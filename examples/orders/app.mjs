/** A service that keeps orders in PostgreSQL and remembers answers in Redis. */
import Fastify from "fastify";

export async function buildApp({ pool, redis }) {
  await pool.query("CREATE TABLE IF NOT EXISTS orders (id int PRIMARY KEY, item text NOT NULL)");
  await pool.query(
    "INSERT INTO orders SELECT i, 'item ' || i FROM generate_series(1, 1000) i ON CONFLICT DO NOTHING",
  );
  const app = Fastify();
  // A date would differ in every run: leave it out, or mask it.
  app.server.on("request", (_, response) => (response.sendDate = false));
  app.get("/orders/:id", async (request, reply) => {
    const { id } = request.params;
    const known = await redis.get(`order:${id}`);
    if (known) return reply.type("application/json").send(known);
    const query = process.env.ORDER_QUERY ?? "SELECT id, item FROM orders WHERE id = $1";
    const { rows } = await pool.query(query, [id]);
    if (rows.length === 0) return reply.code(404).send({ error: "no such order" });
    await redis.set(`order:${id}`, JSON.stringify(rows[0]));
    return rows[0];
  });
  return app;
}
