import {
  Button,
  Checkbox,
  Radio,
  createTheme,
  defaultVariantColorsResolver,
  Input,
  InputWrapper,
  type MantineThemeOverride,
  type VariantColorsResolver,
} from "@mantine/core";
import { scales, shadows } from "./tokens.ts";

/** `filled` is ink in both schemes, `danger` an outlined red; the rest is Mantine's. */
const variantColors: VariantColorsResolver = (input) => {
  switch (input.variant) {
    case "filled":
      return {
        background: "var(--rm-ink)",
        hover: "var(--rm-ink-hover)",
        color: "var(--rm-on-ink)",
        border: "1px solid var(--rm-ink)",
      };
    case "danger":
      return {
        background: "var(--rm-panel)",
        hover: "var(--rm-fail-bg)",
        color: "var(--rm-fail-fg)",
        border: "1px solid var(--rm-fail-mark)",
      };
    case "default":
      return {
        background: "var(--rm-panel)",
        hover: "var(--rm-hover)",
        color: "var(--rm-text)",
        border: "1px solid var(--rm-control)",
      };
    case "subtle":
      return {
        background: "transparent",
        hover: "var(--rm-selected)",
        color: "var(--rm-text)",
        border: "1px solid transparent",
      };
    default:
      return defaultVariantColorsResolver(input);
  }
};

const rem = (px: number) => `${px / 16}rem`;

/** How Mantine's components look here: sizes, type, and the few overrides that reach every page. */
export const theme: MantineThemeOverride = createTheme({
  primaryColor: "ink",
  primaryShade: { light: 8, dark: 1 },
  colors: { ink: scales.ink, dark: scales.dark },
  variantColorResolver: variantColors,
  respectReducedMotion: true,
  cursorType: "pointer",
  fontFamily: '"Archivo Variable", system-ui, sans-serif',
  fontFamilyMonospace: '"Geist Mono Variable", ui-monospace, monospace',
  fontSizes: { xs: rem(12), sm: rem(13), md: rem(14), lg: rem(16), xl: rem(20) },
  lineHeights: { xs: "1.35", sm: "1.4", md: "1.45", lg: "1.4", xl: "1.25" },
  headings: {
    fontFamily: '"Archivo Variable", system-ui, sans-serif',
    fontWeight: "620",
    sizes: {
      h1: { fontSize: rem(22), lineHeight: "1.2" },
      h2: { fontSize: rem(14), lineHeight: "1.35" },
      h3: { fontSize: rem(13), lineHeight: "1.35" },
    },
  },
  spacing: { xs: rem(4), sm: rem(8), md: rem(12), lg: rem(16), xl: rem(24) },
  radius: { xs: rem(2), sm: rem(3), md: rem(4), lg: rem(6), xl: rem(8) },
  defaultRadius: "md",
  shadows,
  components: {
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    Input: Input.extend({ defaultProps: { size: "sm" } }),
    InputWrapper: InputWrapper.extend({
      defaultProps: { inputWrapperOrder: ["label", "input", "description", "error"] },
    }),
    Checkbox: Checkbox.extend({ defaultProps: { size: "sm" } }),
    Radio: Radio.extend({ defaultProps: { size: "sm" } }),
  },
});
