import { useQuery } from "@tanstack/react-query";
import type { Job } from "@restic-manager/protocol/api/jobs";
import { hostQuery } from "../queries.ts";
import { Facts, type Fact } from "../ui/facts.tsx";
import { StateIcon } from "../ui/state-icon.tsx";
import { adviceFor } from "./advice.ts";
import styles from "./job.module.css";
import { JobSurvived } from "./kinds.tsx";

/** Why a job failed, before its log: what happened and what survived, what to do, the code. */
export function JobFailed({ job }: { job: Extract<Job, { state: "failed" }> }) {
  const { error } = job;
  const { data: host } = useQuery(hostQuery(job.host.id));
  const details: Fact[] = [
    { label: "Code", value: error.code, mono: true },
    ...(host?.credentials ? [{ label: "Repository", value: host.credentials.url, mono: true }] : []),
  ];
  return (
    <section className={styles.cause} aria-labelledby="cause">
      <div className={styles.happened}>
        <StateIcon state="fail" icon="failed" size={20} />
        <h2 id="cause">{error.message}</h2>
        <p className={styles.survived}>
          <JobSurvived job={job} />
        </p>
      </div>
      <div className={styles.parts}>
        <div className={styles.part}>
          <h3>What to do</h3>
          <p>{error.hint ?? adviceFor(error.code)}</p>
        </div>
        <div className={styles.part}>
          <h3>Details</h3>
          <Facts items={details} />
        </div>
      </div>
    </section>
  );
}
