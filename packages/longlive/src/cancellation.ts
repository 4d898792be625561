/** Giving up long work. */

/**
 * Lets the thread's other work in, messages among them, and gives up if one of them said so: the engine blocks the
 * thread while it computes, so without this an abort would be seen one step late.
 * @throws the signal's reason
 */
export async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return;
  signal.throwIfAborted();
  await new Promise((resolve) => setImmediate(resolve));
  signal.throwIfAborted();
}
