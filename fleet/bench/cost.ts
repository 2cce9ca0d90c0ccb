/** What some work takes of the machine, and the longest for which nobody else had a turn. */
export interface Cost {
  wall: number;
  blocked: number;
}

/** Runs the work beside a timer that notices how long it was kept waiting. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  let blocked = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    blocked = Math.max(blocked, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  const began = performance.now();
  await work();
  const wall = performance.now() - began;
  look();
  clearInterval(timer);
  return { wall, blocked };
}
