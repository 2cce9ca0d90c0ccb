/** History that thins with age: five bars, the rightmost is now. The product's sign; takes the text's colour. */
export function Mark({ width = 27 }: { width?: number }) {
  return (
    <svg viewBox="0 0 27 18" width={width} height={(width * 18) / 27} fill="currentColor" aria-hidden="true">
      <rect x="0" y="4" width="2.6" height="14" />
      <rect x="8.6" y="4" width="2.6" height="14" />
      <rect x="14.8" y="4" width="2.6" height="14" />
      <rect x="19.6" y="4" width="2.6" height="14" />
      <rect x="24" y="0" width="3" height="18" />
    </svg>
  );
}
