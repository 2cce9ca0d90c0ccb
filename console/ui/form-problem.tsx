import { ApiProblem } from "../api-problem.ts";
import { countOf } from "../format/numbers.ts";
import { Notice } from "./notice.tsx";

/** Why a form was not accepted, above its fields; takes the focus so that it is read first. The input stays. */
export function FormProblem({ problem }: { problem: ApiProblem | null }) {
  if (problem === null) return null;
  const about = Object.keys(problem.fields).length;
  // The server's own summary names fields as the API does; the form's labels are what a reader sees.
  const title =
    problem.code === "validation_failed" && about > 0
      ? `${countOf(about, "field")} ${about === 1 ? "needs" : "need"} another look`
      : problem.message;
  return (
    <Notice key={title} state="fail" title={title} takesFocus>
      {problem.hint ?? (about > 0 ? "What is wrong is said at each. Nothing you wrote is lost." : undefined)}
    </Notice>
  );
}
