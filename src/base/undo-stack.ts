/** Undoes something that was made. */
type Undo = () => unknown;

/** How to undo the steps taken so far. */
export class UndoStack {
  readonly #undos: Undo[] = [];

  /** Call it after each step that succeeds. */
  push(undo: Undo): void {
    this.#undos.push(undo);
  }

  /**
   * Undoes all steps, the last one first. If one cannot be undone, the others still are, and the
   * first error goes to the caller.
   */
  async undoAll(): Promise<void> {
    const errors: unknown[] = [];
    for (let undo = this.#undos.pop(); undo; undo = this.#undos.pop()) {
      try {
        await undo();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  /** Undoes all steps at once, as far as possible. No undo may wait for anything. */
  undoAllNow(): void {
    for (let undo = this.#undos.pop(); undo; undo = this.#undos.pop()) {
      try {
        undo();
      } catch {
        // The error that is the reason to undo explains this one.
      }
    }
  }
}

/**
 * Runs `build`, which takes several steps and pushes how to undo each. If a step throws, the
 * earlier ones are undone, and the step's error goes to the caller.
 */
export async function allOrNothing<T>(build: (undos: UndoStack) => Promise<T>): Promise<T> {
  const undos = new UndoStack();
  try {
    return await build(undos);
  } catch (error) {
    // The first error explains the others.
    await undos.undoAll().catch(() => {});
    throw error;
  }
}

/** The same for a `build` that does not wait for anything; neither does an undo. */
export function allOrNothingNow<T>(build: (undos: UndoStack) => T): T {
  const undos = new UndoStack();
  try {
    return build(undos);
  } catch (error) {
    undos.undoAllNow();
    throw error;
  }
}
