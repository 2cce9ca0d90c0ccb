import { startBalancer } from "../../e2e/stage/balancer.ts";

/** The balancer of the `nodes` benchmark in a process of its own, so that what it costs is not counted for the servers. */
const balancer = startBalancer(process.argv.slice(2).map(Number));
console.log(`balances on ${balancer.port}`);
// It ends with its parent.
for await (const _ of Bun.stdin.stream());
process.exit(0);
