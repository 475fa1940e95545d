/**
 * Derives the report of the public API from the sources: for each entry of the package, the
 * declarations that it exports, without comments.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { isolatedDeclarationSync } from "rolldown/experimental";
import { parseSync } from "rolldown/utils";

/** The entries by the name under which programs import them. */
const entries: Readonly<Record<string, string>> = {
  "net-playground": "src/index.ts",
  "net-playground/dump": "src/api/dump/index.ts",
  "net-playground/vitest": "src/api/testing/vitest.ts",
  "net-playground/node-test": "src/api/testing/node-test.ts",
};

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly source?: { readonly value: string } | null;
  readonly specifiers?: readonly { readonly local: { readonly name: string } }[];
  readonly declaration?: Declared | null;
}

interface Declared {
  readonly id?: { readonly name: string } | null;
  readonly declarations?: readonly { readonly id: { readonly name: string } }[];
}

/** The report as Markdown. `root` is the repository's folder. */
export function publicApi(root: string): string {
  const parts = Object.entries(entries).map(
    ([name, file]) =>
      `## ${name}\n\n\`\`\`ts\n${exportsOf(join(root, file)).join("\n\n")}\n\`\`\`\n`,
  );
  return `# The public API\n\n${about}\n\n${parts.join("\n")}`;
}

const about =
  "Generated from the sources; the gate fails when the API and this page differ. To accept a change:\n`PLG_WRITE_PAGE=1 npx vitest run --project unit test/unit/api`, and a line in the changelog.";

/** The exported declarations of a module, in the order of their names. */
function exportsOf(file: string): readonly string[] {
  const { text, body } = declarationsOf(file);
  const found = new Map<string, string>();
  for (const node of body) {
    if (node.type !== "ExportNamedDeclaration") continue;
    if (node.source) {
      const origin = join(dirname(file), node.source.value);
      for (const { local } of node.specifiers ?? [])
        found.set(local.name, declarationIn(origin, local.name));
    } else for (const name of namesOf(node)) found.set(name, textOf(text, node));
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, declaration]) => declaration);
}

function declarationIn(file: string, name: string): string {
  const { text, body } = declarationsOf(file);
  const node = body.find((one) => namesOf(one).includes(name));
  if (node) return textOf(text, node);
  throw new Error(`${relative(".", file)} declares no ${name}`);
}

function namesOf({ declaration }: Node): readonly string[] {
  if (!declaration) return [];
  return [declaration, ...(declaration.declarations ?? [])].flatMap(({ id }) =>
    id ? [id.name] : [],
  );
}

function declarationsOf(file: string): { readonly text: string; readonly body: readonly Node[] } {
  const { code } = isolatedDeclarationSync(file, readFileSync(file, "utf8"));
  const { program } = parseSync(file.replace(/\.ts$/, ".d.ts"), code);
  return { text: code, body: program.body as unknown as readonly Node[] };
}

function textOf(text: string, { start, end }: Node): string {
  return text
    .slice(start, end)
    .replaceAll(/\/\*\*?[\s\S]*?\*\//g, "")
    .replaceAll(/^\s*\n/gm, "")
    .replaceAll("\t", "  ");
}
