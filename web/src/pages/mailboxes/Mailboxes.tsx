/** The mailboxes that are watched: how each stands, and the way to connect another. */
import { Alert, Button, Skeleton, Stack, Text } from '@mantine/core';
import { IconInbox, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { Section } from '../settings/Section';
import classes from '../settings/Settings.module.css';
import { type Mailbox, mailboxesQuery } from './calls';
import { Connect } from './connect/Connect';
import { Edit } from './Edit';
import { Gone } from './Gone';
import own from './Mailboxes.module.css';
import { Remove } from './Remove';
import { Row } from './Row';
import { byUrgency, isReading, useRights } from './state';

/** The first reading is looked at this often; after it the server tells of changes by itself. */
const READING_MS = 2_000;

export type Open = { what: 'edit' | 'remove'; box: Mailbox };

export function Mailboxes() {
  const { t } = useTranslation('mailboxes');
  const [search, change] = useAddress();
  const rights = useRights();
  const [open, setOpen] = useState<Open>();
  const { data, error, isError, refetch } = useQuery({
    ...mailboxesQuery,
    refetchInterval: (query) => (query.state.data?.items.some(isReading) ? READING_MS : false),
  });
  const boxes = [...(data?.items ?? [])].sort(byUrgency);
  const connecting = textOf(search.connect);
  const connected = textOf(search.connected);
  const refused = textOf(search.refused);
  const close = () => change({ connect: undefined, connected: undefined, refused: undefined });
  const connect = (address = '') => change({ connect: address || 'new', refused: undefined });
  return (
    <Section
      title={t('title')}
      text={t('text')}
      flush={boxes.length > 0}
      actions={
        rights.connect &&
        boxes.length > 0 && (
          <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => connect()}>
            {t('connect')}
          </Button>
        )
      }
    >
      {isError && data === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {data === undefined && !isError && <Skeleton height={150} />}
      {refused !== undefined && (
        <Alert
          color="red"
          variant="light"
          m={boxes.length > 0 ? 'sm' : undefined}
          role="alert"
          withCloseButton
          closeButtonLabel={t('shell:close')}
          onClose={close}
        >
          {t(`refused.${refused}`, { defaultValue: t('refused.other') })}
        </Alert>
      )}
      {data !== undefined && boxes.length === 0 && (
        <Stack align="center" gap="sm" py="xl" ta="center" maw={520} mx="auto">
          <IconInbox size={34} stroke={1.3} className={own.emptyIcon} aria-hidden />
          <Text fw={600}>{t('none.title')}</Text>
          <Text size="sm" c="dimmed">
            {rights.connect ? t('none.text') : t('none.others')}
          </Text>
          {rights.connect && (
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => connect()}>
              {t('connect')}
            </Button>
          )}
        </Stack>
      )}
      {boxes.length > 0 && (
        <ul className={classes.rows}>
          {boxes.map((box) => (
            <Row
              key={box.address}
              box={box}
              mayChange={box.editable}
              open={setOpen}
              again={() => connect(box.address)}
            />
          ))}
        </ul>
      )}
      {(data?.gone?.length ?? 0) > 0 && <Gone boxes={data?.gone ?? []} />}
      {(connecting !== undefined || connected !== undefined) && rights.connect && (
        <Connect
          key={connected ?? connecting}
          address={connecting === 'new' ? undefined : connecting}
          box={boxes.find((one) => one.address === connecting)}
          connected={connected}
          close={close}
        />
      )}
      {open?.what === 'edit' && <Edit box={open.box} close={() => setOpen(undefined)} />}
      {open?.what === 'remove' && <Remove box={open.box} close={() => setOpen(undefined)} />}
    </Section>
  );
}
