import type { CSSVariablesResolver } from "@mantine/core";
import { stateColours, surfaces } from "./tokens.ts";

/** Every token as `--rm-*` for one scheme: 0 light, 1 dark. */
function tokensOf(scheme: 0 | 1): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, pair] of Object.entries(surfaces)) variables[`--rm-${name}`] = pair[scheme];
  for (const [state, roles] of Object.entries(stateColours)) {
    for (const [role, pair] of Object.entries(roles)) variables[`--rm-${state}-${role}`] = pair[scheme];
  }
  return {
    ...variables,
    "--mantine-color-body": "var(--rm-canvas)",
    "--mantine-color-text": "var(--rm-text)",
    "--mantine-color-dimmed": "var(--rm-text-2)",
    "--mantine-color-placeholder": "var(--rm-text-3)",
    "--mantine-color-anchor": "var(--rm-text)",
    "--mantine-color-error": "var(--rm-fail-fg)",
    "--mantine-color-default": "var(--rm-panel)",
    "--mantine-color-default-hover": "var(--rm-hover)",
    "--mantine-color-default-color": "var(--rm-text)",
    "--mantine-color-default-border": "var(--rm-control)",
    "--mantine-primary-color-filled": "var(--rm-ink)",
    "--mantine-primary-color-filled-hover": "var(--rm-ink-hover)",
    "--mantine-primary-color-contrast": "var(--rm-on-ink)",
  };
}

/** Publishes the tokens to every style sheet, and points Mantine's own variables at them. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: tokensOf(0),
  dark: tokensOf(1),
});
