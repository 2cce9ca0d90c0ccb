import { expect, test } from "bun:test";
import { agentPaths } from "./paths.ts";

test("on Linux the configuration is below /etc and the state below /var/lib", () => {
  const paths = agentPaths({ platform: "linux" });
  expect(paths.agentFile).toBe("/etc/restic-manager-agent/agent.yaml");
  expect(paths.secretsFile).toBe("/etc/restic-manager-agent/secrets.enc");
  expect(paths.database).toBe("/var/lib/restic-manager-agent/agent.db");
  expect(paths.cacheDir).toBe("/var/lib/restic-manager-agent/cache");
});

test("restic's temporary files lie in the state folder: the service's sandbox makes /tmp read-only", () => {
  expect(agentPaths({ platform: "linux" }).tmpDir).toBe("/var/lib/restic-manager-agent/tmp");
});

test("on Windows both are below ProgramData", () => {
  const paths = agentPaths({ platform: "win32", programData: "D:\\Data" });
  expect(paths.agentFile).toBe("D:\\Data\\restic-manager-agent\\agent.yaml");
  expect(paths.database).toBe("D:\\Data\\restic-manager-agent\\state\\agent.db");
});

test("each folder can be chosen, and a relative choice becomes absolute", () => {
  const paths = agentPaths({ platform: "linux", configDir: "/tmp/c", stateDir: "here" });
  expect(paths.agentFile).toBe("/tmp/c/agent.yaml");
  expect(paths.database).toBe(`${process.cwd()}/here/agent.db`);
});
