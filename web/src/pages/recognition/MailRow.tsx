import { Anchor, Badge, Button, Group, Menu, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconPaperclip } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { groupOf, type Mail, type Then } from './api';
import classes from './Recognition.module.css';
import { hasWhy, Why } from './Why';

/** What is lacking that is named at the row itself; the rest stands under "why". */
const LACKS_SHOWN = 2;

type Props = {
  mail: Mail;
  /** Says what this mail is; absent where nothing may be said. */
  say?: ((kind: Then) => void) | undefined;
  rule?: ((then: Then) => void) | undefined;
  /** Begins with the reasons shown. */
  opened?: boolean;
};

/** A sent mail: what it would be, or why it is nothing. */
export function MailRow({ mail, say, rule, opened: begun = false }: Props) {
  const { t } = useTranslation('recognition');
  const format = useFormat();
  const [opened, setOpened] = useState(begun);
  return (
    <li className={classes.mail}>
      <div style={{ minWidth: 0 }}>
        <Group gap="xs" wrap="nowrap">
          <Text size="xs" c="dimmed" className="numbers" style={{ flex: 'none' }}>
            {format.brief(mail.at)}
          </Text>
          <Text size="xs" c="dimmed" truncate title={mail.to.join(', ').slice(0, 500)}>
            {mail.to.join(', ')}
          </Text>
        </Group>
        <Text size="sm" fw={500} lineClamp={2} className="breaks">
          {mail.subject ||
            t(mail.message_id === '' && mail.left_out === 'no_reader' ? 'unread' : 'noSubject')}
        </Text>
        {mail.attachments.length > 0 && (
          <Group gap={4} wrap="nowrap" c="dimmed">
            <IconPaperclip size={13} aria-hidden style={{ flex: 'none' }} />
            <Text size="xs" truncate>
              {mail.attachments.join(', ')}
            </Text>
          </Group>
        )}
        {hasWhy(mail) && (
          <UnstyledButton className={classes.why} aria-expanded={opened} onClick={() => setOpened(!opened)}>
            {opened ? <IconChevronDown size={13} aria-hidden /> : <IconChevronRight size={13} aria-hidden />}
            {t('why')}
          </UnstyledButton>
        )}
      </div>
      <div className={classes.what}>
        <What mail={mail} />
      </div>
      <Group gap="xs" className={classes.acts} wrap="nowrap">
        {mail.message_id !== '' && say !== undefined && rule !== undefined && (
          <Correct mail={mail} say={say} rule={rule} />
        )}
      </Group>
      {opened && <Why mail={mail} />}
    </li>
  );
}

function Correct({ mail, say, rule }: { mail: Mail; say: (kind: Then) => void; rule: (then: Then) => void }) {
  const { t } = useTranslation('recognition');
  const isInRegistry = mail.registered?.withdrawn === false;
  const { found } = mail;
  // What it is already is not offered, but for putting it where it is not yet.
  const kinds = (['invoice', 'offer'] as const).filter((kind) => !(isInRegistry && found?.kind === kind));
  // Of Relance's own reminders nothing is to be said.
  if (mail.left_out === 'own_message') {
    return null;
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button size="xs" variant="default" rightSection={<IconChevronDown size={13} aria-hidden />}>
          {t('correct')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {kinds.map((kind) => (
          <Menu.Item key={kind} onClick={() => say(kind)}>
            {t(found?.kind === kind ? 'register' : kind === 'invoice' ? 'isInvoice' : 'isOffer')}
          </Menu.Item>
        ))}
        {isInRegistry && <Menu.Item onClick={() => say('never')}>{t('isNone')}</Menu.Item>}
        <Menu.Divider />
        <Menu.Item onClick={() => rule(found?.kind === 'offer' ? 'offer' : 'invoice')}>
          {t('always')}
        </Menu.Item>
        {mail.left_out !== 'never' && <Menu.Item onClick={() => rule('never')}>{t('never')}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}

function What({ mail }: { mail: Mail }) {
  const { t, i18n } = useTranslation('recognition');
  const format = useFormat();
  const { found } = mail;
  if (found !== null) {
    const kind = `kind.${found.kind}`;
    const facts = [
      format.amount(found.amount, found.currency),
      found.due === null ? '' : t(found.kind === 'offer' ? 'valid' : 'due', { day: format.brief(found.due) }),
    ];
    return (
      <>
        <Group gap={6} wrap="nowrap">
          <Badge
            size="sm"
            radius="sm"
            variant="light"
            color={found.kind === 'offer' ? 'violet' : 'blue'}
            tt="none"
            fw={500}
            style={{ flex: 'none' }}
          >
            {i18n.exists(kind, { ns: 'recognition' }) ? t(kind) : found.kind}
          </Badge>
          <Text size="sm" fw={500} truncate>
            {found.number ?? t('noNumber')}
          </Text>
        </Group>
        <Text size="sm" className="numbers">
          {facts.filter((text) => text !== '').join(' · ')}
        </Text>
        <Standing mail={mail} />
      </>
    );
  }
  const key = `left_out.${mail.left_out}`;
  // That there is no file says little where it is known what is not in the text.
  const isTold = mail.lacks.includes('number') || mail.lacks.includes('amount');
  const told = mail.lacks.filter((code) => code !== 'file' || !isTold);
  const lacks = told.slice(0, LACKS_SHOWN).map((code) => {
    const lack = `lack.${code}`;
    return i18n.exists(lack, { ns: 'recognition' }) ? t(lack) : code;
  });
  const isOut = groupOf(mail) === 'left_out';
  return (
    <>
      <Text size="sm" c="dimmed">
        {isOut ? t('leftOut') : mail.near == null ? t('notFound') : t(`near.${mail.near}`)}
      </Text>
      {(isOut || lacks.length > 0) && (
        <Text size="xs" c="dimmed">
          {isOut ? (i18n.exists(key, { ns: 'recognition' }) ? t(key) : mail.left_out) : lacks.join(' · ')}
        </Text>
      )}
      {mail.known && <Standing mail={mail} />}
    </>
  );
}

/** Whether the registry has it, and the way there. */
function Standing({ mail }: { mail: Mail }) {
  const { t } = useTranslation('recognition');
  const { registered } = mail;
  if (registered == null) {
    return (
      <Text size="xs" c="dimmed">
        {t(mail.known ? 'known' : 'fresh')}
      </Text>
    );
  }
  const name = registered.withdrawn ? t('withdrawn') : t('known');
  return (
    <Anchor
      size="xs"
      renderRoot={(props) => (
        <Link
          {...props}
          to="/documents/$contact/$document"
          params={{ contact: registered.contact, document: registered.document }}
        />
      )}
    >
      {registered.version == null ? name : t('versioned', { name, version: registered.version })}
    </Anchor>
  );
}
