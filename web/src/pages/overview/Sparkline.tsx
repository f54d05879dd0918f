const WIDTH = 100;
const HEIGHT = 28;
/** Room for the width of the line. */
const EDGE = 2;

/** A line of some days, the last one marked. Drawn by hand: a chart library weighs more than the page. */
export function Sparkline({ values, className }: { values: number[]; className?: string | undefined }) {
  if (values.length < 2) {
    return null;
  }
  const top = Math.max(1, ...values);
  const points = values.map((value, at) => {
    const x = EDGE + (at / (values.length - 1)) * (WIDTH - 2 * EDGE);
    const y = HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const [lastX = '0', lastY = '0'] = points.at(-1)?.split(',') ?? [];
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={className}
      aria-hidden
      focusable="false"
    >
      <polygon
        points={`${EDGE},${HEIGHT} ${points.join(' ')} ${WIDTH - EDGE},${HEIGHT}`}
        fill="currentColor"
        opacity={0.1}
      />
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke="currentColor"
        strokeWidth={1.5}
        strokeLinejoin="round"
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
      {/* A line of no length with a round end is a dot that is not drawn out of shape with the rest. */}
      <path
        d={`M${lastX} ${lastY}h0`}
        stroke="currentColor"
        strokeWidth={5}
        strokeLinecap="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
