/**
 * The whole system. Only `app` is under test; after the first run, the recording plays the others.
 */
const here = import.meta.dirname;

export const system = {
  containers: {
    db: {
      command: ["sh", `${here}/database.sh`, "scram-sha-256"],
      ready: /ready to accept connections/,
    },
    cache: {
      command: "redis-server --bind '* -::*' --protected-mode no --save '' --appendonly no",
      ready: /Ready to accept connections/,
    },
    app: {
      command: [process.execPath, `${here}/server.mjs`],
      needs: ["db:5432", "cache:6379"],
      ready: /^listening/,
    },
  },
  live: ["app"],
};
