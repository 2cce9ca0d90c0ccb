/** What most people want, at minutes and hours at which not everybody else's runs too. */
export const QUICK_PICKS = {
  Hourly: "0 * * * *",
  "Every 6 hours": "30 3-21/6 * * *",
  Nightly: "30 1 * * *",
  Weekly: "30 1 * * 0",
  Monthly: "0 5 1 * *",
} as const;
