/** How many tests passed and how many did not. A skipped test is neither. */
export interface Sum {
  passed: number;
  failed: number;
}

/**
 * Adds up a report that `bun test --reporter=junit` wrote, test by test, so that no summary has to be believed.
 *
 * @param xml the report; an empty or cut one counts for what is in it.
 */
export function sumOf(xml: string): Sum {
  let passed = 0;
  let failed = 0;
  for (const [, attributes, body] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (attributes === undefined) continue;
    if (body !== undefined && /<(failure|error)\b/.test(body)) failed++;
    else if (body === undefined || !/<skipped\b/.test(body)) passed++;
  }
  return { passed, failed };
}
