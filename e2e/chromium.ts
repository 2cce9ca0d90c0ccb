/** What a browser test starts: the browser that `script/setup` found. */
export const CHROMIUM = process.env["RM_TEST_CHROMIUM"] ?? "/usr/bin/chromium";

/** As root, without a display, and without a word to anybody outside. */
export const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** The rules of accessibility that every page keeps. */
export const AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
