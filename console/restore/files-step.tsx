import { TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { Fragment, useLayoutEffect, useRef, useState } from "react";
import { formatCount } from "../format/numbers.ts";
import { useShortcuts } from "../ui/keys.ts";
import { Notice } from "../ui/notice.tsx";
import { useSettled } from "../ui/use-settled.ts";
import { ChosenPanel, SnapshotPanel } from "./chosen-panel.tsx";
import { EntryFoot } from "./entry-foot.tsx";
import { FoundList } from "./found-list.tsx";
import { KeptSince } from "./host-away.tsx";
import { foldersAbove, nameOf } from "./paths.ts";
import { MOST_PICKS, NOTHING_PICKED, toggle, type Picked, type Picks } from "./picks.ts";
import type { TreeBook } from "./tree-book.ts";
import { TreePicker } from "./tree-picker.tsx";
import styles from "./tree.module.css";
import type { WizardSearch } from "./wizard-search.ts";
import type { StepProps } from "./step.ts";
import wizard from "./wizard.module.css";

const TYPING_RESTS_MS = 200;

interface FilesStepProps extends StepProps {
  book: TreeBook;
  search: WizardSearch;
  onPicks: (change: (picks: Picks) => Picks) => void;
  onSearch: (search: WizardSearch) => void;
  onRoot: (folder: string) => void;
}

/** Which files: a tree or what a search found on the left, the running total on the right. */
export function FilesStep(props: FilesStepProps) {
  const { host, snapshot, book, picks, search } = props;
  const root = search.at ?? "/";
  const [active, setActive] = useState<Picked>();
  const { tick, refusal } = useTicking(props);
  const q = search.q ?? "";
  const wanted = useSettled(q.trim(), TYPING_RESTS_MS);
  const searching = q.trim() !== "";
  return (
    <div className={wizard.columns}>
      <section className={wizard.tree} aria-labelledby="choose-files">
        <h2 id="choose-files" className="visually-hidden">
          Choose files
        </h2>
        <div className={styles.bar}>
          <SearchField book={book} value={q} onChange={(text) => props.onSearch(searchOf(search, text))} />
          <span className={styles.hint}>Space selects, arrows open and close, Enter goes into a folder</span>
        </div>
        {!searching && <Crumbs root={root} onRoot={props.onRoot} />}
        {!searching && <KeptSince host={host} folder={book.folder(root)} />}
        {refusal !== null && (
          <div className={styles.problem}>
            <Notice state="warn" title={refusal} />
          </div>
        )}
        <div className={styles.head} aria-hidden="true">
          <span>{searching ? "Path" : "Name"}</span>
          <span>Items</span>
          <span>Size</span>
          <span>Modified</span>
        </div>
        {searching ? (
          <FoundList
            hostId={host.id}
            snapshotId={snapshot.id}
            q={wanted === "" ? q.trim() : wanted}
            picks={picks}
            onToggle={tick}
            onActive={setActive}
            onRoot={(folder) => props.onSearch(folder === "/" ? {} : { at: folder })}
          />
        ) : (
          <TreePicker
            key={root}
            label={`Files in snapshot ${snapshot.id.slice(0, 8)}`}
            book={book}
            root={root}
            picks={picks}
            onToggle={tick}
            onRoot={props.onRoot}
            onActive={setActive}
          />
        )}
        <EntryFoot host={host} snapshot={snapshot} entry={active} onRoot={props.onRoot} />
      </section>
      <div className={wizard.side}>
        <SnapshotPanel host={host} snapshot={snapshot} whole={book.whole} />
        <ChosenPanel {...props} next="target" onClear={() => props.onPicks(() => NOTHING_PICKED)} />
      </div>
    </div>
  );
}

function searchOf(search: WizardSearch, text: string): WizardSearch {
  const rest = { ...search };
  delete rest.q;
  return text === "" ? rest : { ...rest, q: text };
}

/** Ticking may need a folder's other things first, which are then loaded. */
function useTicking({ book, picks, onPicks }: FilesStepProps) {
  const [refusal, setRefusal] = useState<string | null>(null);
  const latest = useRef(picks);
  useLayoutEffect(() => {
    latest.current = picks;
  }, [picks]);
  async function tick(entry: Picked): Promise<void> {
    setRefusal(null);
    for (;;) {
      const done = toggle(latest.current, entry, book.known);
      if (done.ok) {
        latest.current = done.picks;
        onPicks(() => done.picks);
        return;
      }
      // One folder after the other, from the picked one down.
      // oxlint-disable-next-line no-await-in-loop
      if (done.why === "load" && (await book.loadAll(done.folder))) continue;
      const problem = book.folder(done.folder)?.problem;
      setRefusal(
        problem === undefined
          ? `${done.folder} holds more than ${formatCount(MOST_PICKS)} things: nothing can be left out of it. Choose what you want instead.`
          : `${done.folder} could not be read, so nothing can be left out of it. ${problem.message}.`,
      );
      return;
    }
  }
  return { tick: (entry: Picked) => void tick(entry), refusal };
}

interface SearchFieldProps {
  book: TreeBook;
  value: string;
  onChange: (text: string) => void;
}

function SearchField({ book, value, onChange }: SearchFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts({ "/": () => field.current?.focus() });
  const items = book.whole === undefined ? "" : ` ${formatCount(book.whole.entries)} items`;
  return (
    <TextInput
      ref={field}
      className={styles.search}
      type="search"
      aria-label="Search this snapshot"
      placeholder={items === "" ? "Search this snapshot" : `Search${items} in this snapshot`}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Escape") onChange("");
      }}
      leftSection={<IconSearch size={15} aria-hidden="true" />}
      spellCheck={false}
      autoComplete="off"
      disabled={book.unindexable}
    />
  );
}

/** Where the tree begins; each folder above is a press away. */
function Crumbs({ root, onRoot }: { root: string; onRoot: (folder: string) => void }) {
  const path = [root, ...foldersAbove(root)].toReversed();
  return (
    <nav aria-label="Folder" className={styles.crumbs}>
      {path.map((folder, index) => (
        <Fragment key={folder}>
          {index > 1 && <span aria-hidden="true">/</span>}
          <button
            type="button"
            className={styles.crumb}
            aria-current={folder === root ? "location" : undefined}
            onClick={() => onRoot(folder)}
          >
            {folder === "/" ? "/" : nameOf(folder)}
          </button>
        </Fragment>
      ))}
    </nav>
  );
}
