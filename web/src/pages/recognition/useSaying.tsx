/** What is said about a mail by its menu: at once, or by a rule that is asked for in a dialog. */
import { useState } from 'react';
import { tellFailure } from '../../shared/tell';
import type { Mail, Then } from './api';
import { RuleDialog } from './RuleDialog';
import { useTeach } from './useTeach';

export function useSaying(mailbox: string, show: (mail: Mail, was: Mail) => void) {
  const teach = useTeach();
  const [ruling, setRuling] = useState<{ mail: Mail; then: Then }>();
  const shows = (was: Mail) => (now: Mail) => show(now, was);
  return {
    say: (mail: Mail) => (kind: Then) => {
      teach.say({ mailbox, mail, kind, show: shows(mail) }).catch(tellFailure);
    },
    rule: (mail: Mail) => (then: Then) => setRuling({ mail, then }),
    dialog: ruling !== undefined && (
      <RuleDialog
        mail={ruling.mail}
        mailbox={mailbox}
        then={ruling.then}
        save={(remember, kind) =>
          teach.say({ mailbox, mail: ruling.mail, kind, remember, show: shows(ruling.mail) })
        }
        close={() => setRuling(undefined)}
      />
    ),
  };
}
