/**
 * The least that an agent in this runtime can be: connected over a WebSocket, with an SQLite file open. What it keeps of memory
 * and how long it takes to connect is what the agent is compared with. Arguments: address, path of the SQLite file.
 */
import { Database } from "bun:sqlite";

const [address = "", path = ""] = process.argv.slice(2);
const db = new Database(path, { create: true });
db.run("pragma journal_mode = wal");
db.run("create table if not exists t (id integer primary key, text text not null) strict");
const socket = new WebSocket(`${address.replace(/^http/, "ws")}/ws/agent`);
socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "hello" })));
setInterval(() => socket.send(JSON.stringify({ type: "heartbeat" })), 30_000);
