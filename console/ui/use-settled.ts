import { useEffect, useRef, useState } from "react";

/**
 * The value once it has rested for `restMs`; at once when the one before had. For what is asked of the server while somebody types:
 * the first key asks, those that follow fast are gathered.
 */
export function useSettled<Value>(value: Value, restMs: number): Value {
  const [settled, setSettled] = useState(value);
  const changedAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const now = performance.now();
    const rested = now - changedAt.current >= restMs;
    changedAt.current = now;
    if (rested) {
      setSettled(value);
      return undefined;
    }
    const timer = setTimeout(() => setSettled(value), restMs);
    return () => clearTimeout(timer);
  }, [value, restMs]);
  return settled;
}
