import { Box } from '@mantine/core';
import {
  IconAdjustments,
  IconHistory,
  IconInbox,
  IconKey,
  IconMailCog,
  IconMoon,
  IconPlayerPlay,
  IconTags,
  IconUser,
  IconUsers,
} from '@tabler/icons-react';
import { Link, useParams } from '@tanstack/react-router';
import { type ComponentType, type ReactNode, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../shared/Page';
import { type Permission, useMay, useSession } from '../../shell/useSession';
import { Mailboxes } from '../mailboxes/Mailboxes';
import { Audit } from './parts/Audit';
import { Channels } from './parts/Channels';
import { Keys } from './parts/Keys';
import { Me } from './parts/Me';
import { Release } from './parts/Release';
import { Rules } from './parts/Rules';
import { Team } from './parts/Team';
import { TopicsPart } from './parts/TopicsPart';
import { Workspace } from './parts/Workspace';
import classes from './Settings.module.css';

type Part = {
  name: string;
  icon: ComponentType<{ size?: number; stroke?: number }>;
  show: () => ReactNode;
  needs?: Permission;
};

const PARTS: Part[] = [
  { name: 'me', icon: IconUser, show: Me },
  { name: 'team', icon: IconUsers, show: Team, needs: 'users' },
  { name: 'mailboxes', icon: IconInbox, show: Mailboxes },
  { name: 'channels', icon: IconMailCog, show: Channels, needs: 'settings' },
  { name: 'rules', icon: IconMoon, show: Rules, needs: 'settings' },
  { name: 'topics', icon: IconTags, show: TopicsPart, needs: 'settings' },
  { name: 'workspace', icon: IconAdjustments, show: Workspace, needs: 'settings' },
  { name: 'keys', icon: IconKey, show: Keys, needs: 'keys' },
  { name: 'audit', icon: IconHistory, show: Audit, needs: 'audit' },
  { name: 'release', icon: IconPlayerPlay, show: Release, needs: 'release' },
];

/** The settings: their parts as a list, one of them open. */
export function Settings() {
  const { t } = useTranslation('settings');
  const may = useMay();
  const quiet = useSession()?.quiet === true;
  const { part: asked } = useParams({ strict: false });
  // A workspace that sends has nothing to release; whoever opens the address is told so.
  const parts = PARTS.filter((one) => one.needs === undefined || may(one.needs)).filter(
    (one) => one.name !== 'release' || quiet || asked === 'release',
  );
  const part = parts.find((one) => one.name === asked) ?? parts[0];
  const here = useRef<HTMLAnchorElement>(null);
  const opened = part?.name;
  // On a phone the parts stand in a row that is longer than the page.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another part is another link
  useEffect(() => {
    // What it answers, a promise in newer browsers, is no clean-up.
    here.current?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [opened]);
  if (part === undefined) {
    return null;
  }
  return (
    <Page title={t('title')}>
      <Box className={classes.frame}>
        <nav className={classes.parts} aria-label={t('title')}>
          {parts.map((one) => (
            <Link
              key={one.name}
              ref={one.name === part.name ? here : undefined}
              to="/settings/$part"
              params={{ part: one.name }}
              className={classes.part}
              aria-current={one.name === part.name ? 'page' : undefined}
              resetScroll={false}
            >
              <one.icon size={17} stroke={1.6} aria-hidden />
              {t(`part.${one.name}`)}
            </Link>
          ))}
        </nav>
        <Box className={classes.content}>
          <part.show />
        </Box>
      </Box>
    </Page>
  );
}
