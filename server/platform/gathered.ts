import { turn } from "./turn.ts";

/** Most keys that are asked for in one go. */
const AT_ONCE = 256;

/**
 * Answers single questions by asking for many at once: those that come in one turn, or while an earlier one is under way, go together.
 * A question is never answered by what was asked before it came. `undefined` for a key that has no answer.
 */
export function gathered<Key, Answer>(
  ask: (keys: Key[]) => Promise<ReadonlyMap<Key, Answer>>,
): (key: Key) => Promise<Answer | undefined> {
  let waiting: {
    key: Key;
    resolve: (answer: Answer | undefined) => void;
    reject: (error: unknown) => void;
  }[] = [];
  let running = false;
  const drain = async (): Promise<void> => {
    running = true;
    while (waiting.length > 0) {
      await turn();
      const now = waiting.slice(0, AT_ONCE);
      waiting = waiting.slice(AT_ONCE);
      try {
        const answers = await ask([...new Set(now.map(({ key }) => key))]);
        for (const { key, resolve } of now) resolve(answers.get(key));
      } catch (error) {
        for (const { reject } of now) reject(error);
      }
    }
    running = false;
  };
  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      if (!running) void drain();
    });
}
