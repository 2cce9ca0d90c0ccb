import { useQuery } from "@tanstack/react-query";
import type { Host } from "@restic-manager/protocol/api/hosts";
import { repositoryQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { PageProblem } from "../ui/page-problem.tsx";
import { Connection } from "./connection.tsx";
import { AdminCredential } from "./admin-credential.tsx";
import { Health } from "./health.tsx";
import { LockNotice } from "./lock-notice.tsx";
import { Maintenance } from "./maintenance.tsx";
import { Reinit } from "./reinit.tsx";
import styles from "./repository.module.css";
import { SizeChart } from "./size-chart.tsx";
import { TaggedList } from "./tagged-list.tsx";

/** The restic repository of a host: whether it is well, what looks after it, and who may delete in it. */
export function HostRepository({ host }: { host: Host }) {
  const may = useMay();
  const { data, error, refetch } = useQuery(repositoryQuery(host.id));
  if (data === undefined) {
    return (
      <PageProblem
        error={error}
        missing="There is no such host"
        missingText="It was removed meanwhile."
        onRetry={() => void refetch()}
      />
    );
  }
  return (
    <div className={styles.columns}>
      <div className={styles.main}>
        <LockNotice host={host} repository={data} />
        <Health repository={data} />
        <SizeChart sizes={data.sizes} />
        <Maintenance host={host} repository={data} />
        <TaggedList repository={data} />
        {may.administer && <Reinit host={host} repository={data} />}
      </div>
      <div className={styles.side}>
        <Connection host={host} repository={data} />
        <AdminCredential key={data.admin?.updated_at ?? ""} repository={data} />
      </div>
    </div>
  );
}
