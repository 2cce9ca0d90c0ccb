/**
 * The console's colours. Every value was measured for contrast as a pair, in both schemes: text at least 4.9:1 on
 * neutral surfaces and 6.2:1 on state tints, marks and control borders at least 3.2:1. Only this folder names a colour.
 */

/** Light value, then dark value. */
type Pair = readonly [light: string, dark: string];

/** Surfaces, lines, texts and controls: published as `--rm-<name>`. */
export const surfaces = {
  canvas: ["#eef1f0", "#0f1312"],
  panel: ["#ffffff", "#161b1a"],
  sunken: ["#f5f7f6", "#121716"],
  hover: ["#f0f3f2", "#1c2221"],
  selected: ["#e6ecea", "#232b29"],
  line: ["#dbe1df", "#28302e"],
  "line-strong": ["#b9c3c0", "#3c4744"],
  text: ["#15201e", "#e6ecea"],
  "text-2": ["#485552", "#b0bcb8"],
  "text-3": ["#5a6764", "#93a09c"],
  ink: ["#15201e", "#e6ecea"],
  "ink-hover": ["#2c3936", "#ffffff"],
  "on-ink": ["#ffffff", "#0f1312"],
  control: ["#7c8985", "#6d7a76"],
  veil: ["rgba(11, 17, 16, 0.45)", "rgba(5, 8, 7, 0.62)"],
} as const satisfies Record<string, Pair>;

/** The five states a thing can be in; hue is used for nothing else. */
export const STATES = ["ok", "run", "warn", "fail", "idle"] as const;
export type State = (typeof STATES)[number];

/** `fg` is text, `mark` icons and bars, `bg` and `line` notices and chips: published as `--rm-<state>-<role>`. */
export const stateColours = {
  ok: {
    fg: ["#11663b", "#6fd39b"],
    mark: ["#1f8a53", "#3fb574"],
    bg: ["#e6f4ec", "#12281d"],
    line: ["#a9d6bd", "#235a3f"],
  },
  run: {
    fg: ["#1450a8", "#8bb8ff"],
    mark: ["#2a6fd6", "#4f8ff0"],
    bg: ["#e6effc", "#14233b"],
    line: ["#b0cbf2", "#264a7d"],
  },
  warn: {
    fg: ["#7a4a00", "#f0b95a"],
    mark: ["#b86e00", "#d99a2b"],
    bg: ["#fdf2de", "#2c220f"],
    line: ["#ecca8e", "#614a1b"],
  },
  fail: {
    fg: ["#a61b1b", "#ff9a94"],
    mark: ["#d02b2b", "#ef5d57"],
    bg: ["#fdebea", "#331716"],
    line: ["#f0b8b6", "#742f2c"],
  },
  idle: {
    fg: ["#4d5a57", "#a9b5b1"],
    mark: ["#74817d", "#7c8985"],
    bg: ["#ebeeed", "#1f2625"],
    line: ["#cbd3d0", "#38423f"],
  },
} as const satisfies Record<State, Record<"fg" | "mark" | "bg" | "line", Pair>>;

/** Mantine's own scales: `ink` is the primary colour, `dark` its dark scheme's greys. */
export const scales = {
  ink: [
    "#f3f6f5",
    "#e6ecea",
    "#cfd8d5",
    "#b0bcb8",
    "#8f9c98",
    "#5d6a67",
    "#485552",
    "#2c3936",
    "#15201e",
    "#0b1110",
  ],
  dark: [
    "#e6ecea",
    "#cfd8d5",
    "#b0bcb8",
    "#8f9c98",
    "#3c4744",
    "#28302e",
    "#161b1a",
    "#121716",
    "#0f1312",
    "#0a0d0c",
  ],
} as const;

/** Only things that float have a shadow. */
export const shadows = {
  xs: "none",
  sm: "0 1px 2px rgba(11,17,16,.10)",
  md: "0 4px 14px rgba(11,17,16,.16)",
  lg: "0 10px 30px rgba(11,17,16,.22)",
  xl: "0 18px 48px rgba(11,17,16,.28)",
} as const;
