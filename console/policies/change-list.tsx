import type { FieldChange, TemplateChange } from "@restic-manager/protocol/api/templates";
import { formatCount } from "../format/numbers.ts";
import { actWords, fieldWords, isList, valueWords } from "./change-words.ts";
import styles from "./policies.module.css";

/** What applying a template would do to a host, thing by thing and field by field. */
export function ChangeList({ changes }: { changes: readonly TemplateChange[] }) {
  return (
    <ul className={styles.changes}>
      {changes.map((change) => (
        <li
          key={`${change.act} ${change.what} ${change.name}`}
          className={styles.change}
          data-act={change.act}
        >
          <p>
            <span className={styles.act}>{actWords(change)}</span>{" "}
            {change.name !== "" && <b className="mono">{change.name}</b>}
          </p>
          {change.fields.length > 0 && (
            <dl className={styles.fields}>
              {shown(change).map((field) => (
                <div key={field.field}>
                  <dt>{fieldWords(field)}</dt>
                  <dd>
                    <Values field={field} isNew={change.act === "add"} />
                  </dd>
                </div>
              ))}
            </dl>
          )}
        </li>
      ))}
    </ul>
  );
}

/** Of a new thing its name is said already, and what is as it always is says nothing. */
function shown({ act, fields }: TemplateChange): FieldChange[] {
  if (act !== "add") return fields;
  return fields.filter(({ field, plus }) => field !== "name" && plus[0] !== USUAL[field]);
}
const USUAL: Readonly<Record<string, string>> = {
  enabled: "true",
  spread_seconds: "0",
  retry_max: "10",
  retry_backoff_seconds: "60",
};

function Values({ field, isNew }: { field: FieldChange; isNew: boolean }) {
  if (!isList(field)) {
    const after = valueWords(field, field.plus[0]);
    if (isNew) return <span className="mono">{after}</span>;
    return (
      <>
        <del className="mono">{valueWords(field, field.minus[0])}</del> <span aria-hidden="true">→</span>
        <span className="visually-hidden">becomes</span> <ins className="mono">{after}</ins>
      </>
    );
  }
  return (
    <ul className={styles.entries}>
      {field.minus.map((entry) => (
        <li key={`-${entry}`}>
          <span aria-hidden="true">− </span>
          <span className="visually-hidden">without </span>
          <del className="mono">{entry}</del>
        </li>
      ))}
      {field.plus.map((entry) => (
        <li key={`+${entry}`}>
          {!isNew && <span aria-hidden="true">+ </span>}
          {!isNew && <span className="visually-hidden">with </span>}
          <ins className="mono">{entry}</ins>
        </li>
      ))}
      {field.more > 0 && <li className="quiet">and {formatCount(field.more)} more</li>}
    </ul>
  );
}
