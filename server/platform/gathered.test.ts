import { expect, test } from "bun:test";
import { gathered } from "./gathered.ts";

test("those who ask together are answered by one question", async () => {
  const asked: number[][] = [];
  const double = gathered(async (keys: number[]) => {
    asked.push(keys);
    return new Map(keys.filter((key) => key !== 3).map((key) => [key, key * 2]));
  });
  expect(await Promise.all([double(1), double(2), double(1), double(3)])).toEqual([2, 4, 2, undefined]);
  expect(asked).toEqual([[1, 2, 3]]);
});

test("who asks while a question is under way gets the next answer, not that one", async () => {
  let value = 0;
  const answers: PromiseWithResolvers<void>[] = [];
  const read = gathered(async (keys: string[]) => {
    const seen = value;
    const answer = Promise.withResolvers<void>();
    answers.push(answer);
    await answer.promise;
    return new Map(keys.map((key) => [key, seen]));
  });
  const first = read("a");
  while (answers.length < 1) await new Promise((resolve) => setImmediate(resolve));
  value = 1;
  const second = read("a");
  answers[0]?.resolve();
  expect(await first).toBe(0);
  while (answers.length < 2) await new Promise((resolve) => setImmediate(resolve));
  answers[1]?.resolve();
  expect(await second).toBe(1);
});

test("a question that fails fails for those who asked it, and for nobody else", async () => {
  let failing = true;
  const read = gathered(async (keys: string[]) => {
    if (failing) throw new Error("no connection");
    return new Map(keys.map((key) => [key, 1]));
  });
  const lost = await Promise.allSettled([read("a"), read("b")]);
  expect(lost.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  failing = false;
  expect(await read("a")).toBe(1);
});
