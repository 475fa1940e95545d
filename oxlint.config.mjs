import { posix } from "node:path";
import { publicRooms, rooms } from "./rooms.mjs";

const see = "see the table in rooms.mjs";

/** Forbids every import but those that match `allowed`, which are gitignore patterns. */
function only(allowed, message) {
  const group = ["*", ...allowed.map((pattern) => `!${pattern}`)];
  return { "no-restricted-imports": ["error", { patterns: [{ group, message }] }] };
}

/** How a file of one room begins the path of an import from another. */
function towards(from, to) {
  const path = posix.relative(from, to);
  return path.startsWith(".") ? path : `./${path}`;
}

/** The lint override of one room, a folder below src/. */
function overrideFor(name, { pure = false, packages = [], imports }) {
  const folders = imports.map((room) => `${towards(name, room)}/*`);
  const external = pure ? [] : ["node:*", "node:*/**", ...packages];
  const message = `src/${name} may not import this: ${see}`;
  return {
    files: [posix.join("src", name, "*.ts")],
    rules: only(["./*", ...folders, ...external], message),
  };
}

// oxlint-disable-next-line import/no-default-export -- oxlint wants it so
export default {
  plugins: ["typescript", "import", "unicorn", "promise", "node"],
  categories: { correctness: "error", suspicious: "error", perf: "error" },
  rules: {
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-floating-promises": "error",
    "typescript/consistent-type-imports": "error",
    eqeqeq: "error",
    "prefer-const": "error",
    "max-lines": [
      "error",
      {
        max: 400,
      },
    ],
    "max-lines-per-function": [
      "error",
      {
        max: 60,
        skipComments: true,
        skipBlankLines: true,
      },
    ],
    "no-await-in-loop": "off",
    "no-underscore-dangle": "off",
    "promise/always-return": "off",
    "typescript/no-unnecessary-type-parameters": "off",
    "unicorn/require-post-message-target-origin": "off",
    "typescript/no-unsafe-type-assertion": "off",
  },
  ignorePatterns: ["dist", "node_modules"],
  overrides: [
    { files: ["src/**/*.ts"], rules: only([], `this folder is not a room yet: ${see}`) },
    {
      files: ["src/index.ts"],
      rules: only(
        publicRooms.map((room) => `./${room}/*`),
        `no part of the public face: ${see}`,
      ),
    },
    // node:test runs what a file's top level calls.
    { files: ["examples/**/*.mjs"], rules: { "typescript/no-floating-promises": "off" } },
    ...Object.entries(rooms).map(([name, room]) => overrideFor(name, room)),
    // The one file that calls the C library.
    { ...overrideFor("sys", { ...rooms.sys, packages: ["koffi"] }), files: ["src/sys/libc.ts"] },
  ],
};
