import { Button, Checkbox, PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { STATES } from "../theme/tokens.ts";
import { ConfirmByTyping } from "../ui/confirm-by-typing.tsx";
import { CopyField } from "../ui/copy-field.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { Facts } from "../ui/facts.tsx";
import { HistoryRuler } from "../ui/history-ruler.tsx";
import { LiveLog } from "../ui/live-log/live-log.tsx";
import { Notice } from "../ui/notice.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Page } from "../ui/page.tsx";
import { Panel } from "../ui/panel.tsx";
import { Phases } from "../ui/phases.tsx";
import { ProgressLine } from "../ui/progress-line.tsx";
import { Bytes, Duration } from "../ui/quantity.tsx";
import { Sparkline } from "../ui/sparkline.tsx";
import { hostWords, jobWord } from "../ui/state-words.ts";
import { StatusMark } from "../ui/status-mark.tsx";
import { TabStrip } from "../ui/tab-strip.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { Vitals } from "../ui/vitals.tsx";
import { madeUpBook } from "./job-picture.tsx";
import { madeUpTimes, noDownload, NOW } from "./made-up.ts";

const HOUR = 3_600_000;
const row = { display: "flex", flexWrap: "wrap", gap: 14, alignItems: "center" } as const;

export function Components() {
  const [logs] = useState(() => ({
    cut: madeUpBook(6, "complete", true),
    reconnecting: madeUpBook(12, "reconnecting"),
    empty: madeUpBook(0, "live"),
    failed: madeUpBook(0, "failed"),
    loading: madeUpBook(0, "loading"),
  }));
  return (
    <Page>
      <PageHeader
        crumbs={[{ title: "Fleet", href: "/" }, { title: "db-ams-01" }]}
        title={<span className="mono">db-ams-01</span>}
        status={<StatusMark chip state="run" icon="running" word="Backing up 62 %" />}
        note="Debian 12, x86-64"
        actions={
          <>
            <Button variant="default">Open host</Button>
            <Button>Back up now</Button>
          </>
        }
      />
      <Vitals
        items={[
          {
            label: "Last backup",
            value: <StatusMark state="ok" icon="done" word="6 h 12 ago" />,
            note: "succeeded",
          },
          { label: "Protected", value: <Bytes value={918 * 1024 ** 3} />, note: "214,408 files" },
          { label: "In the repository", value: <Bytes value={402 * 1024 ** 3} />, note: "164 snapshots" },
          { label: "Took", value: <Duration value={1_360_000} /> },
          { label: "Agent", value: <StatusMark state="ok" icon="done" word="Connected" />, note: "1.4.2" },
        ]}
      />
      <TabStrip
        label="Parts of this host"
        active="/hosts/1"
        tabs={[
          { title: "Overview", href: "/hosts/1" },
          { title: "Snapshots", href: "/hosts/1/snapshots", count: 164 },
          { title: "Sources", href: "/hosts/1/sources", count: 3, warns: true },
          { title: "Repository", href: "/hosts/1/repository" },
          { title: "Jobs", href: "/hosts/1/jobs" },
        ]}
      />
      <Panel title="States" note="Icon and word, everywhere.">
        <div style={row}>
          {Object.values(hostWords).map((word) => (
            <StatusMark key={word.word} {...word} />
          ))}
          <StatusMark {...jobWord("cancelled")} />
          <StatusMark state="warn" icon="late" word="Overdue" />
        </div>
        <div style={{ ...row, marginTop: 12 }}>
          {Object.values(hostWords).map((word) => (
            <StatusMark key={word.word} {...word} chip />
          ))}
        </div>
      </Panel>
      {STATES.map((state) => (
        <Notice
          key={state}
          state={state}
          title="The repository server vault-ber is full"
          actions={
            <Button variant="default" size="xs">
              Back up again
            </Button>
          }
        >
          It refused new data at 03:31 (HTTP 507). No snapshot was saved; the one from yesterday 03:38 is
          complete.
        </Notice>
      ))}
      <Panel
        title="What you can restore"
        note="Every snapshot on one ruler: dense today, thinner towards the past."
      >
        <HistoryRuler
          now={NOW}
          groups={[
            { name: "databases", times: madeUpTimes(64) },
            { name: "orders", times: madeUpTimes(40) },
            { name: "system", times: [] },
          ]}
        />
      </Panel>
      <Panel title="Times and quantities">
        <div style={row}>
          <TimeAgo at={NOW - 41_000} />
          <TimeAgo at={NOW - 6.2 * HOUR} />
          <Bytes value={1.06 * 1024 ** 3} per="/s" />
          <Duration value={1_562_000} />
          <Sparkline values={[1, 3, 2, 5, 4]} label="Size grew from 1 to 4 GiB in five days" />
        </div>
      </Panel>
      <Panel title="Progress">
        <div style={{ display: "grid", gap: 12 }}>
          <ProgressLine fraction={0.63} label="Progress" tall />
          <ProgressLine fraction={null} label="Progress, total unknown" />
          <ProgressLine fraction={0.4} label="Progress, stalled" phase="stalled" />
          <ProgressLine fraction={1} label="Progress, done" phase="done" />
          <Phases
            items={[
              { name: "Scan", state: "done", note: "1 min 16 s" },
              { name: "Back up", state: "running", note: "9 min 10 s" },
              { name: "Report", state: "next" },
              { name: "Post hook", state: "failed" },
            ]}
          />
        </div>
      </Panel>
      <Panel title="Fields and facts">
        <div style={{ display: "grid", gap: 14, maxWidth: 640 }}>
          <TextInput label="Host name" description="As the machine calls itself." defaultValue="db-ams-01" />
          <TextInput
            label="Repository address"
            error="must begin with rest:http://"
            defaultValue="vault-ber"
          />
          <PasswordInput
            label="Password"
            visibilityToggleButtonProps={{ "aria-label": "Show the password" }}
          />
          <Checkbox label="I have a copy of that file" />
          <div style={row}>
            <Button>Back up now</Button>
            <Button variant="default">Open host</Button>
            <Button variant="danger">Cancel</Button>
            <Button variant="subtle">Skip</Button>
            <Button disabled>Run</Button>
            <Button loading>Saving</Button>
          </div>
          <CopyField
            label="Install command"
            value="curl -fsS https://vault.nordkai.example/install/install.sh | RM_TOKEN=rmt_8Zc1vQ5nYw3KpT7dLr0BfXhU2sGm sh"
          />
          <Facts
            items={[
              { label: "URL", value: "rest:https://vault-ber.nordkai.example:8000/db-ams-01/", mono: true },
              { label: "User", value: "db-ams-01", mono: true },
              { label: "Password", value: "Sealed, set 14 Mar 2026" },
            ]}
          />
        </div>
      </Panel>
      <Panel title="Danger zone" state="danger">
        <ConfirmByTyping
          word="db-ams-01"
          action="Remove db-ams-01"
          onConfirm={() => Promise.reject(new Error("A backup of db-ams-01 is running. Cancel it first."))}
        />
      </Panel>
      <Panel flush>
        <EmptyState
          kind="first"
          title="Add the first machine"
          text="You need a machine you can log in to and a place for its backups."
          actions={<Button>Add host</Button>}
        />
      </Panel>
      <Panel flush>
        <EmptyState kind="refused" title="Only administrators see this" text="Ask one of them." />
      </Panel>
      <LiveLog label="A log with a cut" source={logs.cut} download={noDownload} />
      <LiveLog label="A log while reconnecting" source={logs.reconnecting} download={noDownload} />
      <LiveLog label="A log with no line yet" source={logs.empty} download={noDownload} />
      <LiveLog label="A log that is loading" source={logs.loading} download={noDownload} />
      <LiveLog label="A log that cannot be read" source={logs.failed} download={noDownload} />
    </Page>
  );
}
