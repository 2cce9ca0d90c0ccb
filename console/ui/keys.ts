import { useEffect, useEffectEvent } from "react";

const FIELDS = "input, textarea, select, [contenteditable='true'], [role='textbox']";

/** Whether a key press is a shortcut's business: never with a modifier held, never while somebody types, never in a dialog. */
export function isShortcut(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target;
  return !(target instanceof Element && (target.closest(FIELDS) ?? target.closest("[role='dialog']")));
}

/** Listens for single keys on the whole page while the component lives. A key it knows goes no further. */
export function useShortcuts(keys: Readonly<Record<string, () => void>>): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (!isShortcut(event)) return;
    const act = keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => press(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
