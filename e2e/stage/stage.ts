import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { EnrollmentToken } from "@restic-manager/protocol/api/enrolment";
import { Host, HostsPage } from "@restic-manager/protocol/api/hosts";
import { installFakeRestic, type FakeRestic } from "@restic-manager/restic/fake/install";
import type { Scenario } from "@restic-manager/restic/fake/scenario";
import { openDatabase, type OpenStore } from "@restic-manager/server/platform/db/open";
import { AgentProcess } from "./agent-process.ts";
import { HostOnStage } from "./host.ts";
import { ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

/** What a machine is added with; everything has an answer of its own. */
export interface Casting {
  name?: string;
  restic?: string;
  repositoryUrl?: string;
  username?: string;
  password?: string;
  repositoryPassword?: string;
  includes?: string[];
  stateDir?: string;
}

export interface StageOptions {
  databaseUrl?: string;
  dataDir?: string;
  /** More of the server's environment. */
  env?: Record<string, string>;
  /** A folder with the built console, if anybody will look at it. */
  console?: string;
  /** How the scripted restic behaves at first. */
  scenario?: Scenario;
  /** Where agents find the server; its own address unless told. */
  address?: string;
}

/** This machine's own name: restic writes it into its locks, so an agent that clears them must be called so. */
export const HERE = hostname().replaceAll(/[^a-zA-Z0-9.-]/g, "-");

/** A server and its agents, all real processes, in one temporary folder. */
export class Stage {
  readonly folder: string;
  readonly server: ServerProcess;
  readonly fake: FakeRestic;
  readonly #address: string | undefined;
  readonly #agents: AgentProcess[] = [];

  /** Starts a server and makes its administrator. */
  static async open(options: StageOptions = {}): Promise<Stage> {
    const stage = new Stage(options);
    try {
      await stage.server.start();
      await stage.server.setUp();
      return stage;
    } catch (error) {
      await stage.strike();
      throw error;
    }
  }

  private constructor(options: StageOptions) {
    this.#address = options.address;
    this.folder = mkdtempSync(join(tmpdir(), "rm-stage-"));
    this.server = new ServerProcess({ folder: this.folder, ...options });
    this.fake = installFakeRestic(join(this.folder, "restic"), options.scenario);
  }

  /** Ends every process and removes the folder. */
  async strike(): Promise<void> {
    for (const agent of this.#agents) await agent.end();
    await this.server.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a test's body; when it fails, the ends of all logs follow its words. */
  async tell<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      const logs = [this.server, ...this.#agents].map((process) => process.tail()).join("");
      if (error instanceof Error) error.message += logs;
      throw error;
    }
  }

  /** A token as the console's form makes it. */
  async token(casting: Casting = {}): Promise<EnrollmentToken> {
    return await this.server.api.call("POST", "/api/enrollment-tokens", EnrollmentToken, {
      host_name: casting.name ?? HERE,
      repository_url: casting.repositoryUrl ?? join(this.folder, "repository"),
      ...(casting.username === undefined ? {} : { username: casting.username }),
      ...(casting.password === undefined ? {} : { password: casting.password }),
      ...(casting.repositoryPassword === undefined
        ? {}
        : { repository_password: casting.repositoryPassword }),
      includes: casting.includes ?? ["/srv/data"],
    });
  }

  /** An agent with folders of its own that is not enrolled yet. */
  agent(name: string, options: { stateDir?: string; prefix?: string[] } = {}): AgentProcess {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    const agent = new AgentProcess({ name, folder, ...options });
    this.#agents.push(agent);
    return agent;
  }

  /** Adds a machine the way a user does: token, enrolment, agent. Comes back when it is connected. */
  async addHost(casting: Casting = {}): Promise<HostOnStage> {
    const name = casting.name ?? HERE;
    const { stateDir } = casting;
    const agent = this.agent(`agent-${name}`, stateDir === undefined ? {} : { stateDir });
    const { token } = await this.token(casting);
    const enrolled = await agent.enroll(
      this.#address ?? this.server.origin,
      token,
      casting.restic ?? this.fake.path,
    );
    if (enrolled.code !== 0) throw new Error(`enrolling ended with ${enrolled.code}${enrolled.said}`);
    agent.start();
    const id = await until(`${name} is connected`, async () => {
      const { items } = await this.server.api.call("GET", `/api/hosts?search=${name}`, HostsPage);
      return items.find((host) => host.online)?.id;
    });
    return new HostOnStage(this.server, agent, id, name);
  }

  /** Adds a machine and waits until its repository is open. */
  async addReadyHost(casting: Casting = {}): Promise<HostOnStage> {
    const host = await this.addHost(casting);
    await until("the repository is ready", async () => {
      const { repository } = await this.server.api.call("GET", `/api/hosts/${host.id}`, Host);
      if (repository.state === "failed") throw new Error(repository.error.message);
      return repository.state === "ready";
    });
    return host;
  }

  /** Looks into the server's store, beside the server. */
  async store<T>(look: (db: OpenStore["db"]) => Promise<T>): Promise<T> {
    const store = await openDatabase(this.server.databaseUrl);
    try {
      return await look(store.db);
    } finally {
      await store.close();
    }
  }
}
