import { useSyncExternalStore } from "react";

/** Whether the window is at least `px` wide; follows it. */
export function useAtLeast(px: number): boolean {
  const query = `(min-width: ${px}px)`;
  return useSyncExternalStore(
    (onChange) => {
      const media = matchMedia(query);
      media.addEventListener("change", onChange);
      return () => media.removeEventListener("change", onChange);
    },
    () => matchMedia(query).matches,
  );
}

/** The window's width class that decides which columns show: drop columns before shrinking text. */
export function useWidthClass(): number {
  const steps = [901, 1080, 1240, 1360] as const;
  const flags = [useAtLeast(steps[0]), useAtLeast(steps[1]), useAtLeast(steps[2]), useAtLeast(steps[3])];
  return flags.reduce((width, passed, index) => (passed ? (steps[index] ?? width) : width), 0);
}
