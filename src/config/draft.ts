/** A first `plg.yaml`: what `plg init` writes. Pure. */
import { stringify } from "yaml";
import type { SystemFile } from "./schema.ts";

export interface Draft {
  readonly file: SystemFile;
  /** For the user, as comments above everything else. */
  readonly notes: readonly string[];
}

/** A system to start from, for users who have named no command. */
export const example: Draft = {
  file: {
    containers: {
      server: { command: "redis-server --bind 0.0.0.0 --protected-mode no --save ''" },
      client: { command: "redis-cli -h server incr hits", needs: "server:6379" },
    },
    until: "client",
  },
  notes: ["An example: a redis server and a client. Put your own commands in their place."],
};

/** Renders a draft. `schema` is where editors find the JSON schema. */
export function renderDraft({ file, notes }: Draft, schema: string): string {
  const comments = [
    `# yaml-language-server: $schema=${schema}`,
    "# 'plg record' and 'plg replay' without commands use this file.",
    "# All keys: docs/plg-yaml.md in the package net-playground",
    ...notes.map((note) => `# ${note}`),
  ];
  return `${comments.join("\n")}\n${stringify(file, { lineWidth: 0, flowCollectionPadding: false })}`;
}
