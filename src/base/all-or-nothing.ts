/** Undoes something that was made. */
type Undo = () => unknown;

/**
 * Runs `build`, which makes several things, one after the other. Each step that succeeds registers
 * how to undo it. If a later step throws, everything is undone, last things first, and the error
 * goes on to the caller.
 */
export async function allOrNothing<T>(
  build: (onFailure: (undo: Undo) => void) => Promise<T>,
): Promise<T> {
  const undos: Undo[] = [];
  try {
    return await build((undo) => undos.unshift(undo));
  } catch (error) {
    for (const undo of undos) await undo();
    throw error;
  }
}
