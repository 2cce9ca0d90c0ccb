import type { Page } from "playwright-core";

/** What is measured inside the page, by the page's own clock; milliseconds. */
export interface TreeFrames {
  /** The longest time between two frames. */
  worst: number;
  over50: number;
  frames: number;
}

/** A frame's work in the page: `move(n)` is done with each of so many frames. */
const measured = (frames: number, move: string): string => `new Promise((done) => {
  const box = document.querySelector("[data-rows]");
  const figures = { worst: 0, over50: 0, frames: 0 };
  let last = 0;
  const frame = (now) => {
    const took = now - last;
    last = now;
    figures.worst = Math.max(figures.worst, took);
    if (took > 50) figures.over50 += 1;
    figures.frames += 1;
    if (figures.frames > ${frames}) return done(figures);
    box.scrollTop = ${move};
    requestAnimationFrame(frame);
  };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
})`;

/** Scrolls on as a person who flings: most of a box's height with every frame. */
export function scrollTree(page: Page, frames: number): Promise<TreeFrames> {
  return page.evaluate<TreeFrames>(measured(frames, "box.scrollTop + box.clientHeight * 0.8"));
}

/** Drags the scroll bar from the top to the end, and waits until the last thing is there. */
export async function dragTree(page: Page, frames: number, entries: number): Promise<TreeFrames> {
  const whole = "(box.scrollHeight - box.clientHeight)";
  const figures = await page.evaluate<TreeFrames>(measured(frames, `${whole} * figures.frames / ${frames}`));
  await page.locator(`[role=treeitem][aria-posinset="${entries}"]`).waitFor();
  return figures;
}

/** Presses End. @returns how long after the key the last thing was there and painted. */
export async function jumpToEnd(page: Page, entries: number): Promise<number> {
  await page.getByRole("treeitem").first().focus();
  const arrived = page.evaluate<number>(`new Promise((done) => {
    addEventListener("keydown", () => {
      const began = performance.now();
      const look = () =>
        document.querySelector('[role=treeitem][aria-posinset="${entries}"]') === null
          ? requestAnimationFrame(look)
          : requestAnimationFrame(() => done(performance.now() - began));
      look();
    }, { capture: true, once: true });
    window.listens = true;
  })`);
  await page.waitForFunction("window.listens === true");
  await page.keyboard.press("End");
  return await arrived;
}

/** Types a name into the search. @returns how long after the last key it was found and painted. */
export async function findInTree(page: Page, name: string): Promise<number> {
  await page.getByLabel("Search this snapshot").fill(name.slice(0, -1));
  await page.getByLabel("Search this snapshot").focus();
  await page.keyboard.press("End");
  const found = page.evaluate<number>(`new Promise((done) => {
    addEventListener("keydown", () => {
      const began = performance.now();
      const look = () => {
        const rows = [...document.querySelectorAll("[role=tree] [title]")];
        if (rows.length !== 1 || !rows[0].title.endsWith(${JSON.stringify(`/${name}`)}))
          return requestAnimationFrame(look);
        requestAnimationFrame(() => done(performance.now() - began));
      };
      look();
    }, { capture: true, once: true });
    window.listensForName = true;
  })`);
  await page.waitForFunction("window.listensForName === true");
  await page.keyboard.type(name.slice(-1));
  return await found;
}
