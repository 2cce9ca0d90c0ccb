import { MantineProvider } from "@mantine/core";
import type { ReactNode } from "react";
import { cssVariables } from "./theme/css-variables.ts";
import { schemeManager } from "./theme/scheme.ts";
import { theme } from "./theme/theme.ts";
import { TickerProvider, type Ticker } from "./ui/ticker.ts";

/** Theme and clock around everything. `ticker` is the page's only source of the time. */
export function App({ ticker, children }: { ticker: Ticker; children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={schemeManager()}
      defaultColorScheme="auto"
    >
      <TickerProvider value={ticker}>{children}</TickerProvider>
    </MantineProvider>
  );
}
