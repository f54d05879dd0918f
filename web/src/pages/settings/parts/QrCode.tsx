import qrcode from 'qrcode-generator';
import { useMemo } from 'react';
import classes from '../Settings.module.css';

/** Modules of white around a code, as the standard asks. */
const QUIET = 4;

/** A text as a QR code, drawn here: a secret goes to no other service. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { path, size } = useMemo(() => {
    const code = qrcode(0, 'M');
    code.addData(text);
    code.make();
    const count = code.getModuleCount();
    const squares: string[] = [];
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < count; column++) {
        if (code.isDark(row, column)) {
          squares.push(`M${column + QUIET} ${row + QUIET}h1v1h-1z`);
        }
      }
    }
    return { path: squares.join(''), size: count + 2 * QUIET };
  }, [text]);
  return (
    <svg viewBox={`0 0 ${size} ${size}`} className={classes.qr} role="img" aria-label={label}>
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
