import { useEffect, useEffectEvent, useRef } from "react";
import { isShortcut } from "./keys.ts";

/** How long the second key may take. */
const PATIENCE_MS = 1200;

/** Two keys one after the other, as in `g f`. */
export function useSequence(sequences: Readonly<Record<string, () => void>>): void {
  const first = useRef<{ key: string; at: number } | null>(null);
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (!isShortcut(event)) return;
    const before = first.current;
    first.current = { key: event.key, at: event.timeStamp };
    if (before === null || event.timeStamp - before.at > PATIENCE_MS) return;
    const act = sequences[`${before.key} ${event.key}`];
    if (act === undefined) return;
    first.current = null;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
