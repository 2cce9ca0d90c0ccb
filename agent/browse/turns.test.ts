import { expect, test } from "bun:test";
import fc from "fast-check";
import { Turns } from "./turns.ts";

const tick = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("never more at once than there are turns, in order, whoever leaves or fails", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.constantFrom("ask", "leave", "end", "fail"), { maxLength: 40 }),
      async (atOnce, steps) => {
        const turns = new Turns(atOnce);
        const running: { id: number; end: PromiseWithResolvers<void> }[] = [];
        let waiting: { id: number; cancel: AbortController }[] = [];
        const begun: number[] = [];
        const done: Promise<unknown>[] = [];
        let next = 0;
        for (const step of steps) {
          if (step === "ask") {
            const id = next++;
            const cancel = new AbortController();
            waiting.push({ id, cancel });
            const work = turns.take(cancel.signal, async () => {
              const end = Promise.withResolvers<void>();
              running.push({ id, end });
              begun.push(id);
              await end.promise;
            });
            done.push(work.catch(() => {}));
          } else if (step === "leave") waiting.at(-1)?.cancel.abort();
          else if (step === "end") running.shift()?.end.resolve();
          else running.shift()?.end.reject(new Error("failed"));
          await tick();
          waiting = waiting.filter(({ id, cancel }) => !begun.includes(id) && !cancel.signal.aborted);
          expect(running.length).toBeLessThanOrEqual(atOnce);
          // Nobody waits while a turn is free.
          if (waiting.length > 0) expect(running.length).toBe(atOnce);
        }
        expect(begun).toEqual(begun.toSorted((a, b) => a - b));
        for (const { cancel } of waiting) cancel.abort();
        while (running.length > 0) {
          running.shift()?.end.resolve();
          await tick();
        }
        await Promise.all(done);
      },
    ),
    { numRuns: 60 },
  );
});
