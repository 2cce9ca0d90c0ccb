import type { Page } from "playwright-core";

/** What is measured inside the page, by the page's own clock; milliseconds. */
export interface ScrollFigures {
  /** The longest time between two frames, and where it was. */
  worst: number;
  worstAtRow: number;
  frames: number;
  over50: number;
  rows: number;
}

/** Notes, from the very start of the page, when the first host's row is there and painted. */
export const NOTE_FIRST_ROW = `
  const look = () => {
    if (document.querySelector("[data-row-link]") === null) return requestAnimationFrame(look);
    requestAnimationFrame(() => { window.firstRowAt = performance.now(); });
  };
  requestAnimationFrame(look);
`;

/** Waits for the first row. @returns when it was shown, counted from the start of the navigation. */
export async function firstRowAt(page: Page): Promise<number> {
  return page.evaluate<number>(`new Promise((done) => {
    const look = () => (window.firstRowAt === undefined ? requestAnimationFrame(look) : done(window.firstRowAt));
    look();
  })`);
}

/**
 * Scrolls to the end as a person who flings: most of a window's height with every frame, waiting only where no row is loaded yet.
 * @param total the rows there are.
 */
export async function scrollToEnd(page: Page, total: number): Promise<ScrollFigures> {
  return page.evaluate<ScrollFigures>(`new Promise((done) => {
    const figures = { worst: 0, worstAtRow: 0, frames: 0, over50: 0, rows: 0 };
    let last = performance.now();
    const began = last;
    const frame = (now) => {
      const took = now - last;
      last = now;
      figures.frames += 1;
      const shown = document.querySelectorAll("[data-index]");
      figures.rows = Number(shown[shown.length - 1]?.dataset.index ?? 0) + 1;
      if (took > figures.worst) { figures.worst = took; figures.worstAtRow = figures.rows; }
      if (took > 50) figures.over50 += 1;
      if (figures.rows >= ${total} || now - began > 120000) return done(figures);
      scrollBy(0, 700);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
  })`);
}

/** The longest time between two frames of a page that does nothing, over so many: what this machine adds by itself. */
export async function idleFrames(page: Page, frames: number): Promise<number> {
  return page.evaluate<number>(`new Promise((done) => {
    let last = performance.now();
    let worst = 0;
    let left = ${frames};
    const frame = (now) => {
      worst = Math.max(worst, now - last);
      last = now;
      left -= 1;
      if (left <= 0) return done(worst);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame((now) => { last = now; requestAnimationFrame(frame); });
  })`);
}

/** Types into the filter. @returns how long after the key the rows were those that match. */
export async function filterFor(page: Page, text: string): Promise<number> {
  await page.getByLabel("Filter by name").focus();
  return page.evaluate<number>(`new Promise((done) => {
    const field = document.activeElement;
    const began = performance.now();
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, ${JSON.stringify(text)});
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const look = () => {
      const names = [...document.querySelectorAll("[data-row-link]")].map((link) => link.textContent);
      if (names.length === 0 || names.some((name) => !name.includes(${JSON.stringify(text)})))
        return requestAnimationFrame(look);
      requestAnimationFrame(() => done(performance.now() - began));
    };
    requestAnimationFrame(look);
  })`);
}
