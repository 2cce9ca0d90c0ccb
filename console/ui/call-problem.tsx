import { asProblem } from "../api-problem.ts";
import styles from "./call-problem.module.css";

/** Why what a button asked for was refused, beside the button. */
export function CallProblem({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const { message, hint } = asProblem(error);
  const sentence = message.charAt(0).toUpperCase() + message.slice(1);
  return (
    <p role="alert" className={styles.problem}>
      {/[.!?]$/.test(sentence) ? sentence : `${sentence}.`} {hint}
    </p>
  );
}
