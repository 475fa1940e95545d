import { expect, test } from "vitest";
import { allOrNothing, UndoStack } from "../../../src/base/undo-stack.ts";

test("steps are undone in reverse order, each once, even if one cannot be undone", async () => {
  const undone: string[] = [];
  const undos = new UndoStack();
  undos.push(() => undone.push("first"));
  undos.push(() => Promise.reject(new Error("stuck")));
  undos.push(async () => {
    await Promise.resolve();
    undone.push("last");
  });
  await expect(undos.undoAll()).rejects.toThrow("stuck");
  await undos.undoAll();
  expect(undone).toEqual(["last", "first"]);
});

test("a failed build undoes its steps and fails with its own error", async () => {
  const undone: string[] = [];
  const built = allOrNothing(async (undos) => {
    undos.push(() => undone.push("network"));
    undos.push(() => Promise.reject(new Error("the engine has ended")));
    await Promise.resolve();
    throw new Error("no commands");
  });
  await expect(built).rejects.toThrow("no commands");
  expect(undone).toEqual(["network"]);
});

test("a build that succeeds undoes nothing", async () => {
  const undone: string[] = [];
  const built = await allOrNothing(async (undos) => {
    undos.push(() => undone.push("network"));
    return Promise.resolve("built");
  });
  expect([built, undone]).toEqual(["built", []]);
});
