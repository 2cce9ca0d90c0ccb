interface SparklineProps {
  values: readonly number[];
  /** The chart in one sentence; without it the line is decoration beside a figure and is hidden from readers. */
  label?: string;
  width?: number;
  height?: number;
}

/** A trend without axes; always neutral, the last value has a dot. */
export function Sparkline({ values, label, width = 66, height = 18 }: SparklineProps) {
  if (values.length < 2) return null;
  const min = Math.min(...values);
  const span = Math.max(...values) - min || 1;
  const edge = 2.5;
  const points = values.map((value, index) => {
    const x = edge + (index / (values.length - 1)) * (width - 2 * edge);
    const y = height - edge - ((value - min) / span) * (height - 2 * edge);
    return [Number(x.toFixed(1)), Number(y.toFixed(1))] as const;
  });
  const last = points.at(-1);
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      {...(label === undefined ? { "aria-hidden": true } : { role: "img", "aria-label": label })}
    >
      <polyline
        points={points.map((point) => point.join(",")).join(" ")}
        fill="none"
        stroke="var(--rm-text-3)"
        strokeWidth="1.25"
        strokeLinejoin="round"
      />
      {last !== undefined && <circle cx={last[0]} cy={last[1]} r="2" fill="var(--rm-ink)" />}
    </svg>
  );
}
