/**
 * The rooms of src/: one folder each, and what its files may import. Lint enforces this table
 * (oxlint.config.mjs). A folder that is not listed may import nothing, and nobody may import it.
 *
 * A room imports itself, the rooms listed, and packages of Node and npm as follows:
 *
 * - `pure`: no packages at all, so no clock, no files and no system calls. Such code runs in a
 *   browser as well, and tests need no privileges.
 * - otherwise: `node:*`, and the npm packages named in `packages`.
 */
const pure = true;

export const rooms = {
  base: { pure, imports: [] },
  net: { pure, imports: ["base"] },
  // koffi is for libc.ts alone: oxlint.config.mjs.
  sys: { imports: ["base"] },

  protocol: { pure, imports: ["base", "net"] },

  "dump/format": { pure, imports: ["base", "net"] },
  "dump/store": { imports: ["base", "net", "sys", "dump/format"] },

  recording: { pure, imports: ["base", "net", "dump/format"] },
  "recording/load": { imports: ["base", "sys", "dump/format", "dump/store", "recording"] },

  "switch/core": { pure, imports: ["base", "net"] },
  switch: { imports: ["base", "net", "sys", "switch/core"] },
  "pipe/core": { pure, imports: ["base"] },
  pipe: { imports: ["base", "net", "sys", "switch", "pipe/core"] },
  engine: { imports: ["base", "net", "sys", "switch", "switch/core"] },

  "determinism/core": { pure, imports: ["base", "net"] },
  determinism: { imports: ["base", "sys", "determinism/core"] },

  "sandbox/network": { imports: ["base", "net", "sys", "dump/format"] },
  "sandbox/processes": {
    imports: ["base", "sys", "determinism", "determinism/core", "sandbox/network"],
  },
  sandbox: {
    imports: [
      "base",
      "net",
      "sys",
      "switch/core",
      "engine",
      "sandbox/network",
      "sandbox/processes",
    ],
  },
  // plg.yaml: read.ts reads the file, the rest is pure.
  config: { packages: ["yaml", "valibot"], imports: ["base"] },
  doctor: {
    imports: [
      "base",
      "determinism",
      "net",
      "sys",
      "dump/format",
      "dump/store",
      "sandbox/network",
      "sandbox/processes",
    ],
  },

  record: {
    imports: [
      "base",
      "determinism/core",
      "net",
      "sys",
      "dump/format",
      "dump/store",
      "switch",
      "switch/core",
      "pipe",
      "pipe/core",
      "engine",
      "sandbox",
      "sandbox/network",
      "sandbox/processes",
    ],
  },

  "replay/progress": { pure, imports: ["base", "dump/format", "recording"] },
  "replay/findings": { pure, imports: ["base", "dump/format", "recording", "replay/progress"] },
  "replay/compare": {
    pure,
    imports: ["base", "dump/format", "protocol", "recording", "replay/findings"],
  },
  "replay/match": {
    pure,
    imports: ["base", "recording", "replay/progress", "replay/findings", "replay/compare"],
  },
  "replay/learn": { pure, imports: ["base", "replay/findings"] },
  "replay/schedule": {
    pure,
    imports: ["base", "dump/format", "recording", "replay/progress", "replay/findings"],
  },
  "replay/drive": {
    imports: [
      "base",
      "determinism/core",
      "net",
      "sys",
      "dump/format",
      "recording",
      "recording/load",
      "switch",
      "switch/core",
      "pipe",
      "pipe/core",
      "engine",
      "replay/progress",
      "replay/findings",
      "replay/compare",
      "replay/match",
      "replay/schedule",
    ],
  },
  replay: {
    imports: [
      "base",
      "determinism/core",
      "net",
      "sys",
      "dump/format",
      "recording/load",
      "switch/core",
      "engine",
      "sandbox",
      "sandbox/network",
      "sandbox/processes",
      "replay/compare",
      "replay/findings",
      "replay/schedule",
      "replay/drive",
    ],
  },

  diff: {
    pure,
    imports: [
      "base",
      "dump/format",
      "recording",
      "replay/compare",
      "replay/findings",
      "replay/learn",
    ],
  },

  export: { pure, imports: ["base", "net", "protocol", "dump/format", "recording", "report"] },
  "export/write": {
    imports: ["base", "protocol", "dump/format", "dump/store", "export", "report"],
  },

  "capture/read": { pure, imports: ["base", "net"] },
  "capture/track": { pure, imports: ["base", "net", "dump/format", "capture/read"] },
  "capture/align": { pure, imports: ["base", "net", "capture/track"] },
  "capture/import": {
    imports: [
      "base",
      "net",
      "dump/format",
      "dump/store",
      "capture/read",
      "capture/track",
      "capture/align",
    ],
  },

  report: {
    pure,
    imports: [
      "base",
      "net",
      "protocol",
      "determinism/core",
      "dump/format",
      "recording",
      "replay/findings",
      "capture/track",
      "diff",
    ],
  },
  // A folder of recordings, as a test suite.
  suite: { pure, imports: ["base", "replay/findings", "report"] },
  viewer: { pure, imports: ["base", "dump/format", "recording", "replay/findings", "report"] },

  // What programs use, and the command line.
  "api/dump": { pure, imports: ["base", "dump/format", "protocol", "report"] },
  "api/caller": { imports: ["base", "sys", "sandbox/network"] },
  api: {
    imports: [
      "base",
      "net",
      "sys",
      "determinism/core",
      "dump/store",
      "switch/core",
      "engine",
      "sandbox",
      "sandbox/network",
      "sandbox/processes",
      "record",
      "recording/load",
      "replay",
      "replay/compare",
      "replay/findings",
      "replay/schedule",
      "diff",
      "capture/import",
      "capture/track",
      "report",
      "api/caller",
      "api/dump",
    ],
  },
  "api/testing": { packages: ["vitest"], imports: ["base", "report", "api"] },

  // What the help says, for shells and for man.
  "cli/describe": { pure, imports: [] },
  "cli/errors": { pure, imports: ["base", "report"] },
  "cli/launch": { imports: ["base", "api", "cli/errors"] },
  "cli/terminal": {
    imports: [
      "base",
      "dump/format",
      "dump/store",
      "engine",
      "sandbox/network",
      "sandbox/processes",
      "report",
    ],
  },
  "cli/options": {
    packages: ["commander"],
    imports: [
      "base",
      "net",
      "dump/format",
      "dump/store",
      "switch/core",
      "sandbox/network",
      "sandbox/processes",
      "record",
      "replay/compare",
      "config",
      "api",
      "cli/launch",
      "cli/terminal",
    ],
  },
  "cli/suite": {
    imports: [
      "base",
      "config",
      "dump/store",
      "replay/findings",
      "report",
      "suite",
      "cli/errors",
      "cli/launch",
    ],
  },
  "cli/commands": {
    packages: ["commander"],
    imports: [
      "base",
      "determinism/core",
      "dump/format",
      "dump/store",
      "recording/load",
      "sandbox/network",
      "sandbox/processes",
      "doctor",
      "capture/import",
      "capture/track",
      "config",
      "diff",
      "export",
      "export/write",
      "record",
      "replay",
      "replay/compare",
      "replay/findings",
      "replay/learn",
      "replay/schedule",
      "report",
      "suite",
      "api",
      "cli/describe",
      "cli/errors",
      "cli/launch",
      "cli/options",
      "cli/suite",
      "cli/terminal",
    ],
  },
  cli: {
    packages: ["commander"],
    imports: ["base", "api", "cli/errors", "cli/launch", "cli/commands", "cli/terminal"],
  },

  // The programs that `plg demo` runs: ordinary programs that know nothing of plg.
  demo: { imports: [] },
};

/** What src/index.ts, the library's public face, may export from. */
export const publicRooms = [
  "api",
  "api/caller",
  "api/dump",
  // The shapes of results.
  "base",
  "engine",
  "sandbox/processes",
  "replay/findings",
  "diff",
  "capture/import",
  "capture/track",
];
