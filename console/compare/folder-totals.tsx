import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import type { Job } from "@restic-manager/protocol/api/jobs";
import type { DiffFolder } from "@restic-manager/protocol/jobs/diff";
import { useState } from "react";
import { countOf, formatCount } from "../format/numbers.ts";
import { changesQuery } from "../queries.ts";
import { useMay } from "../session/may.ts";
import { AppLink } from "../ui/app-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { growth } from "./change-words.ts";
import { compareHref, type CompareSearch } from "./compare-search.ts";
import styles from "./compare.module.css";

const route = getRouteApi("/signed-in/jobs/$jobId");
/** As many need no unfolding. */
const SHORT = 8;

const TITLES = ["Folder", "Added", "Removed", "Changed", "Metadata"];

interface FolderTotalsProps {
  job: Pick<Job, "id">;
  sizesKnown: boolean;
}

/** Changes added up by folder, most first; a folder narrows the list below. */
export function FolderTotals({ job, sizesKnown }: FolderTotalsProps) {
  const { operate } = useMay();
  const { data } = useInfiniteQuery({ ...changesQuery(job.id, {}), enabled: operate });
  const folders = data?.pages[0]?.folders ?? [];
  const search = route.useSearch();
  const [all, setAll] = useState(false);
  if (folders.length === 0) return null;
  const titles = sizesKnown ? [...TITLES, "Difference"] : TITLES;
  const shown = all ? folders : folders.slice(0, SHORT);
  return (
    <Panel
      flush
      title="By folder"
      note={`Everything that changed at any depth below a folder, most first. Press one to list only its changes.${sizesKnown ? "" : " Sizes are not known: the agent had no index of one of the two."}`}
    >
      <div role="table" aria-label="Changes by folder" className={styles.folders}>
        <div role="row" className={styles.head}>
          {titles.map((title) => (
            <span key={title} role="columnheader">
              {title}
            </span>
          ))}
        </div>
        {shown.map((folder) => (
          <div
            role="row"
            key={folder.path}
            className={styles.row}
            aria-current={folder.path === search.below ? "true" : undefined}
          >
            <span role="cell">
              <AppLink
                inPlace
                className={`link mono ${styles.folder}`}
                href={compareHref(
                  job.id,
                  folder.path === "/" ? withoutFolder(search) : { ...search, below: folder.path },
                )}
              >
                {folder.path}
              </AppLink>
            </span>
            {figuresOf(folder, sizesKnown).map((figure, n) => (
              <span role="cell" key={titles[n + 1]} data-title={titles[n + 1]}>
                {figure}
              </span>
            ))}
          </div>
        ))}
      </div>
      {folders.length > SHORT && (
        <p className={styles.more}>
          <button type="button" className={styles.unfold} aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? "Show fewer folders" : `Show ${countOf(folders.length - SHORT, "more folder")}`}
          </button>
        </p>
      )}
    </Panel>
  );
}

function withoutFolder(search: CompareSearch): CompareSearch {
  const { below: _, ...rest } = search;
  return rest;
}

function figuresOf({ added, removed, modified, type_changed, metadata, bytes }: DiffFolder, sizes: boolean) {
  const counts = [added, removed, modified + type_changed, metadata].map(formatCount);
  return sizes ? [...counts, growth(bytes)] : counts;
}
