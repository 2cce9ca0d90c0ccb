import { useRouter } from "@tanstack/react-router";
import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { api } from "../api.ts";
import { relativeTime } from "../format/times.ts";
import { StepRail } from "../ui/step-rail.tsx";
import { useTimeText } from "../ui/ticker.ts";
import { ConfirmStep } from "./confirm-step.tsx";
import { FIRST_DRAFT, folderProblem, type Draft } from "./draft.ts";
import { FilesStep } from "./files-step.tsx";
import { HostAway } from "./host-away.tsx";
import { NOTHING_PICKED, totalsOf, type Picks } from "./picks.ts";
import { pickedInWords, targetInWords } from "./step.ts";
import { TargetStep } from "./target-step.tsx";
import { TreeBook } from "./tree-book.ts";
import { wizardHref, type WizardSearch, type WizardStep } from "./wizard-search.ts";

interface WizardProps {
  host: Host;
  snapshot: Snapshot;
  search: WizardSearch;
}

/** Files, target, last look: one page. What is picked lives as long as the page; the step is in the address. */
export function Wizard({ host, snapshot, search }: WizardProps) {
  const router = useRouter();
  const [picks, setPicks] = useState<Picks>(NOTHING_PICKED);
  const [draft, setDraft] = useState<Draft>(FIRST_DRAFT);
  const book = useBook(host.id, snapshot.id);
  useSyncExternalStore(book.subscribe, book.version);
  const totals = totalsOf(picks, book.known);
  const open = openSteps(picks, draft);
  const wanted = search.step ?? "files";
  const step = open.includes(wanted) ? wanted : (open.at(-1) ?? "files");
  const hrefOf = (to: WizardStep) => wizardHref(host.id, snapshot.id, { ...search, step: to });
  const frame = useStepFocus(step);
  const taken = useTimeText((now) => relativeTime(Date.parse(snapshot.time), now));
  const given = { host, snapshot, picks, totals, draft, onDraft: setDraft, hrefOf };
  return (
    <>
      <HostAway
        host={host}
        kept={(host.online ? [] : book.keptFolders()).map((path) => ({
          path,
          href: wizardHref(host.id, snapshot.id, path === "/" ? {} : { at: path }),
        }))}
      />
      <StepRail
        label="Steps of the restore"
        current={step}
        steps={[
          {
            id: "snapshot",
            title: "Snapshot",
            answer: `${snapshot.id.slice(0, 8)}, ${taken}`,
            done: true,
            href: `/hosts/${host.id}/restore`,
          },
          {
            id: "files",
            title: "Files",
            answer: totals.items === 0 ? "Choose" : pickedInWords(totals),
            done: totals.items > 0,
            href: hrefOf("files"),
          },
          {
            id: "target",
            title: "Target",
            answer: open.includes("target") ? targetInWords(draft) : "",
            done: step === "confirm",
            ...(open.includes("target") ? { href: hrefOf("target") } : {}),
          },
          {
            id: "confirm",
            title: "Confirm",
            answer: "",
            done: false,
            ...(open.includes("confirm") ? { href: hrefOf("confirm") } : {}),
          },
        ]}
      />
      <div ref={frame}>
        {step === "files" && (
          <FilesStep
            {...given}
            book={book}
            search={search}
            onPicks={setPicks}
            onSearch={(next) => router.history.replace(wizardHref(host.id, snapshot.id, next))}
            onRoot={(at) => router.history.push(wizardHref(host.id, snapshot.id, at === "/" ? {} : { at }))}
          />
        )}
        {step === "target" && <TargetStep {...given} />}
        {step === "confirm" && <ConfirmStep {...given} />}
      </div>
    </>
  );
}

/** The snapshot's folders as far as they were looked at; what is under way is cancelled when the page is left. */
function useBook(hostId: string, snapshotId: string): TreeBook {
  const [book] = useState(
    () =>
      new TreeBook({
        ask: (wanted, gone) => api.tree(hostId, snapshotId, wanted, gone),
        after(ms, act) {
          const timer = setTimeout(act, ms);
          return () => clearTimeout(timer);
        },
      }),
  );
  useEffect(() => () => book.leave(), [book]);
  return book;
}

/** Another step's heading takes the focus; the first one leaves it where the page began. */
function useStepFocus(step: WizardStep) {
  const frame = useRef<HTMLDivElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current === step) return;
    shown.current = step;
    const heading = frame.current?.querySelector<HTMLElement>("h2");
    if (heading === null || heading === undefined) return;
    heading.tabIndex = -1;
    heading.focus();
    scrollTo(0, 0);
  }, [step]);
  return frame;
}

function openSteps(picks: Picks, draft: Draft): WizardStep[] {
  if (picks.chosen.size === 0) return ["files"];
  const answered = draft.target === "in_place" || folderProblem(draft.folder) === null;
  return answered ? ["files", "target", "confirm"] : ["files", "target"];
}
