import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import { api } from "../api.ts";
import { asProblem } from "../api-problem.ts";
import { repositoryQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { ConfirmByTyping } from "../ui/confirm-by-typing.tsx";
import { Notice } from "../ui/notice.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { lockTitle, lockWords } from "./lock-words.ts";
import styles from "./repository.module.css";
import { RunUpkeep } from "./run-upkeep.tsx";

interface LockNoticeProps {
  host: Host;
  repository: RepositoryPage;
}

/** Whose lock stands in the way, and how to be rid of it: one click where it is provably left over, else by typing the host's name. */
export function LockNotice({ host, repository }: LockNoticeProps) {
  const { operate, administer } = useMay();
  const { locks, run_now: now } = repository;
  if (locks.state !== "locked") return null;
  return (
    <Notice
      state="warn"
      icon="late"
      title={lockTitle(locks)}
      {...(operate
        ? {
            actions: (
              <RunUpkeep
                hostId={host.id}
                label={locks.stale ? "Unlock" : "Look again"}
                what={`the repository of ${host.name}`}
                hindrance={now.unlock}
                run={(when_offline) => api.runUnlock(host.id, { when_offline })}
              />
            ),
          }
        : {})}
    >
      {locks.locks.length === 0 ? (
        <p>Whose it is could not be read.</p>
      ) : (
        <ul className={styles.plain}>
          {locks.locks.map((lock) => (
            <li key={lock.id}>{lockWords(lock)}</li>
          ))}
        </ul>
      )}
      <p>
        {locks.stale
          ? "Unlock removes only what is left over. Backups go on meanwhile."
          : "It goes by itself when its job has ended. Backups go on meanwhile unless it is exclusive."}{" "}
        Seen <TimeAgo at={Date.parse(locks.at)} />.
      </p>
      {!locks.stale && operate && <RemoveLiving host={host} allowed={administer || operate} />}
    </Notice>
  );
}

/** Takes away what is in use as far as can be told. */
function RemoveLiving({ host, allowed }: { host: Host; allowed: boolean }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      api.runUnlock(host.id, { remove_all: true, confirm_host_name: host.name, when_offline: "refuse" }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: repositoryQuery(host.id).queryKey }),
  });
  async function confirmed() {
    try {
      await remove.mutateAsync();
    } catch (error) {
      const { message, hint } = asProblem(error);
      throw new Error(hint === undefined ? message : `${message}. ${hint}`, { cause: error });
    }
  }
  if (!allowed) return null;
  return (
    <details className={styles.living}>
      <summary>It is certainly nobody’s: remove it all the same</summary>
      <p>
        A job that still runs under this lock fails, and a prune under way may damage the repository. Be sure
        that no restic works on it anywhere.
      </p>
      <ConfirmByTyping word={host.name} action="Remove all locks" onConfirm={confirmed} />
    </details>
  );
}
