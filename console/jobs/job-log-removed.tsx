import type { LogRemoved } from "@restic-manager/protocol/api/jobs";
import { Notice } from "../ui/notice.tsx";
import { logRemovedWords } from "./log-removed-words.ts";

interface JobLogRemovedProps {
  removed: LogRemoved;
  /** How many it had. */
  lines: number;
  /** When the job ended, in ms since 1970. */
  ended: number | null;
}

/** In the place of a log that the server has not kept. */
export function JobLogRemoved({ removed, lines, ended }: JobLogRemovedProps) {
  const { title, text } = logRemovedWords(removed, lines, ended);
  return (
    <Notice state="idle" icon="cancelled" title={title}>
      {text}
    </Notice>
  );
}
