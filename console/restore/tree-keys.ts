/** What a key does in a tree. */
export type TreeMove =
  | { kind: "to"; index: number }
  | { kind: "open" | "close" | "holder" | "toggle" | "enter" | "up" | "none" };

const PAGE_ROWS = 15;

/** The keys of a tree, as the ARIA practices have them; space ticks, Enter goes into a folder and Backspace out of it. */
export function treeMove(
  key: string,
  { index, count, open }: { index: number; count: number; open: boolean | undefined },
): TreeMove {
  const to = (wanted: number): TreeMove => ({ kind: "to", index: Math.max(0, Math.min(count - 1, wanted)) });
  switch (key) {
    case "ArrowDown":
      return to(index + 1);
    case "ArrowUp":
      return to(index - 1);
    case "PageDown":
      return to(index + PAGE_ROWS);
    case "PageUp":
      return to(index - PAGE_ROWS);
    case "Home":
      return to(0);
    case "End":
      return to(count - 1);
    case "ArrowRight":
      if (open === undefined) return { kind: "none" };
      return open ? to(index + 1) : { kind: "open" };
    case "ArrowLeft":
      return { kind: open === true ? "close" : "holder" };
    case " ":
      return { kind: "toggle" };
    case "Enter":
      return { kind: "enter" };
    case "Backspace":
      return { kind: "up" };
    default:
      return { kind: "none" };
  }
}
