import { ResticId } from "@restic-manager/protocol/ids";
import { prepareRepository } from "@restic-manager/restic/repository";
import { failure, type JobRunner } from "../job-runner.ts";
import { toJobError } from "../restic-access.ts";

/** Opens the repository, or creates it where there is none. "Already there" is success only if the password opens it. */
export const runInit: JobRunner<"init"> = async ({ again }, tools) => {
  const restic = tools.restic();
  if (!restic.ok) return failure(restic.error);
  tools.log("manager", `Opening the repository at ${restic.context.access.url}`);
  const outcome = await prepareRepository(
    restic.context,
    {},
    {
      cancel: tools.cancel,
      kill: tools.kill,
      onSpawn: tools.spawned,
      onLog: ({ stream, text }) => tools.log(stream, text),
    },
  );
  if (!outcome.ok) return failure(toJobError(outcome.error));
  const { id, created } = outcome.value;
  tools.log(
    "manager",
    created ? `Created repository ${id}` : `The repository ${id} was there; the password opens it`,
  );
  if (again === true && !created)
    tools.log(
      "manager",
      "It was not made anew: restic wipes nothing. Move its folder away at the repository server, or give this host another address, and run this again.",
    );
  tools.rememberRepository(id);
  return { state: "succeeded", result: { repository_id: ResticId.parse(id), created } };
};
