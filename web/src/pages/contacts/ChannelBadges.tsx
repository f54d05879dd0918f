import { Badge, Group, Tooltip, VisuallyHidden } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { CHANNELS, type Contact, trait } from './people';

/** By which trait a channel reaches somebody. */
const REACHED_BY: Record<string, string> = {
  email: 'email',
  sms: 'phone',
  voice: 'phone',
  whatsapp: 'whatsapp',
  telegram: 'telegram',
};

const COLORS: Record<string, string> = {
  suppressed: 'red',
  denied: 'red',
  pending: 'yellow',
  granted: 'green',
  unknown: 'gray',
};

/** Whether somebody may be reached by each channel that reaches them, and why not. */
export function ChannelBadges({ contact, all = false }: { contact: Contact; all?: boolean }) {
  const { t, i18n } = useTranslation('contacts');
  const shown = CHANNELS.filter((channel) => {
    const told = contact.channel_consents?.[channel] ?? contact.suppressed?.[channel];
    const by = REACHED_BY[channel];
    const reached = by !== undefined && trait(contact.traits, by) !== undefined;
    return told !== undefined || (reached && (all || channel !== 'voice'));
  });
  return (
    <Group gap={4}>
      {shown.map((channel) => {
        const reason = contact.suppressed?.[channel];
        const answer =
          reason === undefined ? (contact.channel_consents?.[channel] ?? 'unknown') : 'suppressed';
        const words = i18n.exists(`suppressed.${reason}`, { ns: 'contacts' })
          ? t(`suppressed.${reason}`)
          : reason;
        const why = reason === undefined ? t(`answer.${answer}`) : t('suppressedFor', { reason: words });
        const label = t('channelIs', { channel: t(`channel.${channel}`), state: why });
        return (
          <Tooltip key={channel} label={label}>
            <Badge
              size="sm"
              radius="sm"
              variant={answer === 'unknown' ? 'outline' : 'light'}
              color={COLORS[answer] ?? 'gray'}
              tt="none"
              fw={500}
              td={answer === 'suppressed' || answer === 'denied' ? 'line-through' : undefined}
            >
              <span aria-hidden>{t(`channel.${channel}`)}</span>
              <VisuallyHidden>{label}</VisuallyHidden>
            </Badge>
          </Tooltip>
        );
      })}
    </Group>
  );
}
