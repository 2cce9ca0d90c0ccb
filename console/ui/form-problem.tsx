import { ApiProblem } from "../api-problem.ts";
import { Notice } from "./notice.tsx";

/** Why a form was not accepted, above its fields; takes the focus so that it is read first. The input stays. */
export function FormProblem({ problem }: { problem: ApiProblem | null }) {
  if (problem === null) return null;
  const about = Object.keys(problem.fields).length;
  return (
    <Notice key={problem.message} state="fail" title={problem.message} takesFocus>
      {problem.hint ?? (about > 0 ? "The fields below say what is wrong." : undefined)}
    </Notice>
  );
}
