/** Set by `script/build`; absent when the agent runs from its sources. */
declare const RM_VERSION: string | undefined;

/** This agent's version, such as `0.1.0`; `0.0.0-dev` when it runs from its sources. */
export function agentVersion(): string {
  return typeof RM_VERSION === "string" ? RM_VERSION : "0.0.0-dev";
}
