import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/closing-line.ts";
import { ReliabilityPage } from "./test/faults/page.ts";

// Four projects, from pure to real. `unit` needs no privilege and no built code; `kernel` creates
// namespaces and TUN devices; `programs` runs ./plg, as a user would, with real software, four
// files at a time, because most of a test is waiting; `faults` breaks what plg rests on, one file
// at a time.
const isForPage = process.env["PLG_FAULTS"] === "many";

// oxlint-disable-next-line import/no-default-export -- vitest wants it so
export default defineConfig({
  test: {
    reporters: ["default", new ClosingLine(), ...(isForPage ? [new ReliabilityPage()] : [])],
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "kernel",
          include: ["test/kernel/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "programs",
          include: ["test/{programs,library,network,e2e-fuzz}/**/*.test.ts"],
          pool: "forks",
          maxWorkers: 4,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "faults",
          include: ["test/faults/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
        },
      },
    ],
  },
});
