/** Nothing but styles and pictures that the message brings along: no scripts, forms or calls to anywhere. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

type Props = {
  html: string;
  title: string;
  height?: number | string;
};

/**
 * A message's HTML as a mail program shows it. It is somebody else's: the frame has no rights, no origin and no network.
 */
export function MailFrame({ html, title, height = 420 }: Props) {
  return (
    <iframe
      title={title}
      sandbox=""
      referrerPolicy="no-referrer"
      srcDoc={`<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}">${html}`}
      style={{
        width: '100%',
        height,
        border: '1px solid var(--relance-line)',
        borderRadius: 'var(--mantine-radius-md)',
        background: '#fff',
        colorScheme: 'light',
      }}
    />
  );
}
