import { describe, expect, test } from "vitest";
import { generate } from "../../e2e-fuzz/generate.ts";
import { problemsOf } from "../../e2e-fuzz/rules.ts";
import type { Scenario } from "../../e2e-fuzz/scenario.ts";

const seeds = Array.from({ length: 400 }, (_, seed) => seed);

describe("generate", () => {
  test("makes the same scenario from the same seed, and others from others", () => {
    expect(generate(7)).toEqual(generate(7));
    expect(new Set(seeds.slice(0, 50).map((seed) => JSON.stringify(generate(seed)))).size).toBe(50);
  });

  test("keeps the rules", () => {
    for (const seed of seeds) expect(problemsOf(generate(seed)), `seed ${seed}`).toEqual([]);
  });

  test("leaves out what it is asked to", () => {
    const hows = seeds.flatMap((seed) =>
      generate(seed, ["reset", "lastWords", "cancel"]).steps.map((step) =>
        step.do === "end" ? step.ending.how : step.do,
      ),
    );
    expect(hows).toContain("leave");
    expect(hows).not.toContain("reset");
    expect(hows).not.toContain("cancel");
  });

  test("refuses to leave out what it does not know", () => {
    expect(() => generate(1, ["fax"])).toThrow(/"fax" is none of order, port/);
  });

  describe("features meet", () => {
    const scenarios = seeds.map((seed) => generate(seed));
    const has: Readonly<Record<string, (scenario: Scenario) => boolean>> = {
      "a reused port": ({ connections }) => {
        const ports = connections.flatMap(({ localPort, client }) =>
          localPort === undefined ? [] : [`${client.container} ${localPort}`],
        );
        return new Set(ports).size < ports.length;
      },
      "a reset": (scenario) => endsBy(scenario, "reset"),
      "a cancelled sender": (scenario) => endsBy(scenario, "cancel"),
      "a half-close": ({ steps }) => steps.some((step) => step.do === "halfClose"),
      "a late listener": ({ listeners }) => listeners.some(({ lateMs }) => lateMs > 0),
      "a narrow backlog": ({ listeners }) => listeners.some(({ backlog }) => backlog < 8),
      "a batch of connections": ({ steps }) =>
        steps.some((step) => step.do === "connect" && step.connections.length > 1),
      "a slow reader": ({ steps }) => steps.some((step) => step.do === "transfer" && step.read),
      "unread bytes": ({ steps }) => steps.some((step) => step.do === "write"),
      datagrams: ({ flows }) => flows.length > 0,
      links: ({ links }) => links.length > 0,
      "both families": ({ listeners }) => new Set(listeners.map(({ family }) => family)).size === 2,
      "a server that speaks first": ({ listeners }) =>
        listeners.some(({ identify }) => identify === "order" || identify === "port"),
    };
    const names = Object.keys(has);
    const pairs = names.flatMap((one, i) =>
      names.slice(i + 1).map((other) => [one, other] as const),
    );

    test("each with each, in some scenario", () => {
      const apart = pairs.filter(
        ([one, other]) =>
          !scenarios.some((scenario) => has[one]?.(scenario) && has[other]?.(scenario)),
      );
      expect(apart).toEqual([]);
    });
  });
});

function endsBy({ steps }: Scenario, how: string): boolean {
  return steps.some((step) => step.do === "end" && step.ending.how === how);
}
