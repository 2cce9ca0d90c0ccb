import { Fragment, useEffect, type ReactNode } from "react";
import { AppLink } from "./app-link.tsx";
import styles from "./page-header.module.css";

export interface Crumb {
  title: string;
  /** The last one, which is this page, has none. */
  href?: string;
}

interface PageHeaderProps {
  title: ReactNode;
  crumbs?: readonly Crumb[];
  /** A state chip beside the title. */
  status?: ReactNode;
  /** One quiet line under the title. */
  note?: ReactNode;
  actions?: ReactNode;
}

/** Where this is, what it is, how it stands and what can be done with it. */
export function PageHeader({ title, crumbs, status, note, actions }: PageHeaderProps) {
  const name = typeof title === "string" ? title : crumbs?.at(-1)?.title;
  useEffect(() => {
    document.title = name === undefined ? "restic-manager" : `${name} · restic-manager`;
  }, [name]);
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        {crumbs !== undefined && (
          <nav aria-label="Breadcrumb" className={styles.crumbs}>
            {crumbs.map((crumb, index) => (
              <Fragment key={crumb.title}>
                {index > 0 && <span aria-hidden="true">/</span>}
                {crumb.href === undefined ? (
                  <span aria-current="page">{crumb.title}</span>
                ) : (
                  <AppLink className="link" href={crumb.href}>
                    {crumb.title}
                  </AppLink>
                )}
              </Fragment>
            ))}
          </nav>
        )}
        <div className={styles.line}>
          <h1>{title}</h1>
          {status}
        </div>
        {note !== undefined && <div className={styles.note}>{note}</div>}
      </div>
      {actions !== undefined && <div className={styles.actions}>{actions}</div>}
    </header>
  );
}
