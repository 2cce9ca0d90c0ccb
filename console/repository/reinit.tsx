import { useMutation } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { ConfirmByTyping } from "../ui/confirm-by-typing.tsx";
import { Panel } from "../ui/panel.tsx";
import styles from "./repository.module.css";

/** Makes the repository anew where it was wiped or moved. */
export function Reinit({ host, repository }: { host: Host; repository: RepositoryPage }) {
  const router = useRouter();
  const reinit = useMutation({
    mutationFn: () => api.reinit(host.id, { confirm_host_name: host.name }),
    onSuccess: ({ job }) => router.history.push(`/jobs/${job.id}`),
  });
  if (repository.credentials === null) return null;
  async function confirmed() {
    try {
      await reinit.mutateAsync();
    } catch (error) {
      const { message, hint } = asProblem(error);
      throw new Error(hint === undefined ? message : `${message}. ${hint}`, { cause: error });
    }
  }
  return (
    <Panel title="Danger zone" state="danger">
      <div className={styles.danger}>
        <div>
          <h3>Initialise the repository again</h3>
          <p className="quiet">
            For a repository that was wiped or moved. restic never overwrites: if data is there, nothing is
            deleted and the job says what to do.
          </p>
        </div>
        <ConfirmByTyping word={host.name} action="Initialise again" onConfirm={confirmed} />
      </div>
    </Panel>
  );
}
