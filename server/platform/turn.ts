/**
 * Lets sockets, requests and timers have their turn. Work that only awaits an SQLite store never gives it to them, since all of that
 * happens in microtasks; and what arrives together is only found together after a turn, since each arrival is a task of its own.
 */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
