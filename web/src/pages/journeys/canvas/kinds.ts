/** How the kinds of steps look. */
import {
  IconArrowsSplit2,
  IconBell,
  IconBrandTelegram,
  IconBrandWhatsapp,
  IconChecklist,
  IconClock,
  IconClockPause,
  IconCornerDownRight,
  IconDeviceMobileMessage,
  IconGitBranch,
  IconMail,
  IconMailbox,
  IconPencil,
  IconPhoneCall,
  IconPlayerStop,
  IconQuestionMark,
  IconRoute,
  IconTicket,
  IconWebhook,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import { type Step, textOf } from '../model/journey';

export type Icon = ComponentType<{ size?: number; stroke?: number }>;
export type Look = { icon: Icon; color: string };

const LOOKS: Record<Step['kind'], Look> = {
  send: { icon: IconMail, color: 'blue' },
  wait: { icon: IconClock, color: 'gray' },
  wait_for: { icon: IconClockPause, color: 'violet' },
  branch: { icon: IconGitBranch, color: 'grape' },
  split: { icon: IconArrowsSplit2, color: 'pink' },
  task: { icon: IconChecklist, color: 'orange' },
  notify: { icon: IconBell, color: 'orange' },
  set: { icon: IconPencil, color: 'teal' },
  move: { icon: IconCornerDownRight, color: 'teal' },
  promo: { icon: IconTicket, color: 'green' },
  enroll: { icon: IconRoute, color: 'cyan' },
  stop: { icon: IconPlayerStop, color: 'gray' },
  unknown: { icon: IconQuestionMark, color: 'red' },
};

const CHANNELS: Record<string, Icon> = {
  email: IconMail,
  sms: IconDeviceMobileMessage,
  voice: IconPhoneCall,
  whatsapp: IconBrandWhatsapp,
  telegram: IconBrandTelegram,
  webhook: IconWebhook,
  letter: IconMailbox,
};

export function lookOf(kind: Step['kind'], channel?: unknown): Look {
  const look = LOOKS[kind];
  const icon = kind === 'send' ? CHANNELS[textOf(channel) ?? ''] : undefined;
  return icon === undefined ? look : { ...look, icon };
}
