import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { api } from "../api.ts";
import { countOf } from "../format/numbers.ts";
import { followingQuery, templatesQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { CallProblem } from "../ui/call-problem.tsx";
import { Notice } from "../ui/notice.tsx";
import { ChangeList } from "./change-list.tsx";
import styles from "./policies.module.css";

/** Which template a host follows, and how it differs from that. Nothing where it follows none. */
export function FollowingNotice({ host }: { host: Host }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const { operate } = useMay();
  const { data } = useQuery(followingQuery(host.id));
  const leave = useMutation({
    mutationFn: () => api.leaveTemplate(host.id),
    onSuccess: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: followingQuery(host.id).queryKey }),
        queryClient.invalidateQueries({ queryKey: templatesQuery.queryKey }),
      ]),
  });
  const following = data?.following ?? null;
  if (following === null) return null;
  const { template, changes } = following;
  const differs = changes.length > 0;
  return (
    <Notice
      state={differs ? "warn" : "idle"}
      icon={differs ? "issues" : "done"}
      title={
        <>
          Follows the template{" "}
          <AppLink className="link" href={`/policies/${template.id}`}>
            {template.name}
          </AppLink>
          {differs ? `, and differs from it in ${countOf(changes.length, "thing")}` : ""}
        </>
      }
      {...(operate
        ? {
            actions: (
              <>
                {differs && (
                  <Button
                    size="xs"
                    variant="default"
                    onClick={() =>
                      router.history.push(`/policies/${template.id}/apply`, { hostIds: [host.id] })
                    }
                  >
                    Look and apply again…
                  </Button>
                )}
                <Button size="xs" variant="default" loading={leave.isPending} onClick={() => leave.mutate()}>
                  Stop following
                </Button>
              </>
            ),
          }
        : {})}
    >
      {differs ? (
        <details>
          <summary className={styles.open}>What applying it again would do</summary>
          <ChangeList changes={changes} />
        </details>
      ) : (
        "What is changed here is shown there as a difference."
      )}
      <CallProblem error={leave.error} />
    </Notice>
  );
}
