import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { LiveLog } from "../ui/live-log/live-log.tsx";
import { LogBook } from "../ui/live-log/log-book.ts";
import type { LogView } from "../ui/live-log/log-source.ts";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { Phases } from "../ui/phases.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import { StatusMark } from "../ui/status-mark.tsx";
import { madeUpLine, noDownload } from "./made-up.ts";

const PHASES = ["loading", "live", "reconnecting", "complete", "failed"] as const;

/** A log book over a made-up server, which the tests reach as `window.madeUpLog`. */
export function madeUpBook(lines: number, phase: LogView["phase"], gap = false): LogBook {
  const book = new LogBook((from, limit) =>
    Promise.resolve({
      lines: Array.from({ length: Math.max(0, Math.min(limit, lines - from)) }, (_, index) =>
        madeUpLine(from + index),
      ),
      gaps: [],
      end: lines,
    }),
  );
  const tail = Math.max(0, lines - 500);
  const shown = Array.from({ length: lines - tail }, (_, index) => madeUpLine(tail + index));
  if (gap) book.add({ lines: shown.filter((line) => line.n < 6), gaps: [{ first_line: 6, count: 3_114 }] });
  else book.add({ lines: shown, gaps: [], end: lines });
  book.setPhase(phase, phase === "failed" ? "The server's store is full since 08:12." : null);
  return book;
}

export function JobPicture({ lines, phase }: { lines: number; phase: string }) {
  const [book] = useState(() => madeUpBook(lines, PHASES.find((known) => known === phase) ?? "live"));
  useEffect(() => {
    Object.assign(globalThis, { madeUpLog: book, madeUpLine });
  }, [book]);
  return (
    <Page>
      <PageHeader
        crumbs={[
          { title: "Fleet", href: "/" },
          { title: "db-ams-01", href: "/hosts/1" },
          { title: "Job 01JDX…4B6N" },
        ]}
        title={
          <>
            Backup of <span className="mono">db-ams-01</span>
          </>
        }
        status={<StatusMark chip state="run" icon="running" word="Running" />}
        note={
          <>
            <span>databases, orders</span>
            <span>·</span>
            <span>by m.thiel</span>
          </>
        }
        actions={
          <>
            <Button variant="default">Open host</Button>
            <Button variant="danger">Cancel</Button>
          </>
        }
      />
      <Panel>
        <ProgressLine fraction={0.629} label="Progress of the backup" tall />
        <div style={{ height: 10 }} />
        <Phases
          items={[
            { name: "Scan", state: "done", note: "1 min 16 s" },
            { name: "Back up", state: "running", note: "9 min 10 s" },
            { name: "Report snapshots", state: "next" },
          ]}
        />
      </Panel>
      <LiveLog label="Log of the backup of db-ams-01" source={book} download={noDownload} />
    </Page>
  );
}
