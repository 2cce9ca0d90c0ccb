import type { Order, Reply } from "./orders.ts";
import { Simulator } from "./simulator.ts";

/** One simulator as a process: it is told over its parent's channel what to do, and ends with its parent. */
async function obey(order: Order): Promise<unknown> {
  if (order.name === "begin") {
    simulator = await Simulator.begin(order.asks);
    return null;
  }
  if (simulator === undefined) throw new Error("the simulator has not begun");
  switch (order.name) {
    case "connect":
      return await simulator.connect(order.asks);
    case "disconnect":
      await simulator.disconnect();
      return null;
    case "aim":
      simulator.servers = order.asks;
      return null;
    case "script":
      simulator.script = order.asks;
      return null;
    case "look":
      return simulator.look();
    case "spawns":
      return simulator.takeSpawns();
    case "schedules":
      return simulator.takeSchedules();
    case "collect":
      Bun.gc(true);
      return null;
    case "stop":
      await simulator.stop();
      return null;
  }
}

let simulator: Simulator | undefined;

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  // Whoever started this program writes `Order`s and nothing else.
  const order = message as Order;
  const reply = (text: Reply): void => void process.send?.(text);
  obey(order)
    .then((answer) => reply({ id: order.id, answer }))
    .catch((error: unknown) =>
      reply({ id: order.id, error: error instanceof Error ? error.message : String(error) }),
    );
});
