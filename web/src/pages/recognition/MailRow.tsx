import { Badge, Button, Group, Menu, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconPaperclip } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../shared/format';
import { type Fired, groupOf, type Mail, rulesQuery, type Then } from './api';
import classes from './Recognition.module.css';

/** Words of a rule that are shown of it. */
const WORDS_MAX = 4;

type Props = {
  mail: Mail;
  register: (kind: 'invoice' | 'offer') => void;
  rule: (then: Then) => void;
};

/** A sent mail: what it would be, or why it is nothing. */
export function MailRow({ mail, register, rule }: Props) {
  const { t } = useTranslation('recognition');
  const format = useFormat();
  const [opened, setOpened] = useState(false);
  const group = groupOf(mail);
  const isRead = mail.message_id !== '';
  const hasWhy = mail.why.length > 0 || mail.rule != null;
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
          {mail.subject || t(isRead ? 'noSubject' : 'unread')}
        </Text>
        {mail.attachments.length > 0 && (
          <Group gap={4} wrap="nowrap" c="dimmed">
            <IconPaperclip size={13} aria-hidden style={{ flex: 'none' }} />
            <Text size="xs" truncate>
              {mail.attachments.join(', ')}
            </Text>
          </Group>
        )}
        {hasWhy && (
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
        {isRead && group !== 'found' && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button size="xs" variant="default" rightSection={<IconChevronDown size={13} aria-hidden />}>
                {t('correct')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => register('invoice')}>{t('isInvoice')}</Menu.Item>
              <Menu.Item onClick={() => register('offer')}>{t('isOffer')}</Menu.Item>
              <Menu.Divider />
              <Menu.Item onClick={() => rule('invoice')}>{t('always')}</Menu.Item>
              {mail.left_out !== 'never' && <Menu.Item onClick={() => rule('never')}>{t('never')}</Menu.Item>}
            </Menu.Dropdown>
          </Menu>
        )}
        {isRead && group === 'found' && mail.found !== null && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button size="xs" variant="default" rightSection={<IconChevronDown size={13} aria-hidden />}>
                {t('correct')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {!mail.known && (
                <Menu.Item onClick={() => register(mail.found?.kind === 'offer' ? 'offer' : 'invoice')}>
                  {t('register')}
                </Menu.Item>
              )}
              {!mail.known && (
                <Menu.Item onClick={() => register(mail.found?.kind === 'offer' ? 'invoice' : 'offer')}>
                  {t(mail.found.kind === 'offer' ? 'isInvoice' : 'isOffer')}
                </Menu.Item>
              )}
              <Menu.Item onClick={() => rule('never')}>{t('never')}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </Group>
      {opened && <Why mail={mail} />}
    </li>
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
        <Text size="xs" c="dimmed">
          {t(mail.known ? 'known' : 'fresh')}
        </Text>
      </>
    );
  }
  const key = `left_out.${mail.left_out}`;
  return (
    <>
      <Text size="sm" c="dimmed">
        {t(mail.left_out == null ? 'notFound' : 'leftOut')}
      </Text>
      {mail.left_out != null && (
        <Text size="xs" c="dimmed">
          {i18n.exists(key, { ns: 'recognition' }) ? t(key) : mail.left_out}
        </Text>
      )}
    </>
  );
}

/** The rules that fired, the heaviest first. */
function Why({ mail }: { mail: Mail }) {
  const { t } = useTranslation('recognition');
  const why = [...mail.why].sort((one, other) => Math.abs(other.weight) - Math.abs(one.weight));
  return (
    <ul className={classes.evidence}>
      {mail.rule != null && <li>{t('ownRule')}</li>}
      {why.map((fired) => (
        <FiredLine key={`${fired.rule} ${fired.place}`} fired={fired} />
      ))}
    </ul>
  );
}

function FiredLine({ fired }: { fired: Fired }) {
  const { t, i18n } = useTranslation('recognition');
  const { data } = useQuery(rulesQuery);
  const phrases = data?.bundled.find((one) => one.id === fired.rule)?.phrases.slice(0, WORDS_MAX);
  const place = `place.${fired.place}`;
  // Ids of rules have points in them, which part keys of words.
  const known = `fired.${fired.rule.replaceAll('.', '_')}`;
  const what =
    phrases !== undefined && phrases.length > 0 ? t('words', { words: phrases.join(', ') }) : fired.rule;
  return (
    <li>
      <span>{i18n.exists(place, { ns: 'recognition' }) ? t(place) : fired.place}: </span>
      <span className="breaks">{i18n.exists(known, { ns: 'recognition' }) ? t(known) : what}</span>
      <Text span size="xs" c={fired.weight < 0 ? 'var(--relance-late)' : 'dimmed'} className="numbers">
        {` ${fired.weight > 0 ? '+' : '−'}${Math.abs(fired.weight).toFixed(1)}`}
      </Text>
    </li>
  );
}
