/** Documents that were there before their journey are followed up because a person says so. */
import { Button, Menu, Text } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../../api/client';
import { tellDone, tellFailure, tellLook } from '../../shared/tell';
import { useReason } from '../contacts/LedgerWords';
import type { DocumentRow } from './api';

type Named = Pick<DocumentRow, 'contact' | 'id'>;

/** Documents in one request. */
const AT_ONCE = 200;
const CHANGED = ['documents', 'approvals', 'overview', 'contacts', 'journeys'];

const journeysQuery = queryOptions({
  queryKey: ['journeys', 'follow-up'],
  queryFn: () => answer(api.GET('/api/v1/documents/follow-up')),
});

async function follow(journey: string, rows: readonly Named[]) {
  const items = [];
  for (let from = 0; from < rows.length; from += AT_ONCE) {
    const documents = rows.slice(from, from + AT_ONCE).map(({ contact, id }) => ({ contact, document: id }));
    items.push(
      ...(await answer(api.POST('/api/v1/documents/follow-up', { body: { journey, documents } }))).items,
    );
  }
  return items;
}

type Props = { rows: readonly Named[]; size?: 'xs' | 'sm'; done?: () => void };

/** Chooses the journey, and says what became of each document. */
export function FollowUp({ rows, size = 'xs', done }: Props) {
  const { t } = useTranslation('documents');
  const reason = useReason();
  const queries = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  const { data, isError } = useQuery({ ...journeysQuery, enabled: isOpen });
  const begin = useMutation({
    mutationFn: (journey: string) => follow(journey, rows),
    onSuccess: (items) => {
      const begun = items.filter((one) => one.begun);
      const left = items.filter((one) => !one.begun);
      if (left.length === 0) {
        tellDone(t('follow.done', { count: begun.length }));
      } else {
        const why = [...new Set(left.map((one) => reason(one.reason)))].filter((one) => one !== '');
        const told = begun.length > 0 ? [t('follow.done', { count: begun.length })] : [];
        tellLook([...told, t('follow.left', { count: left.length, why: why.join('; ') })].join(' '));
      }
      done?.();
    },
    onError: tellFailure,
    onSettled: () => {
      for (const topic of CHANGED) {
        queries.invalidateQueries({ queryKey: [topic] });
      }
    },
  });
  return (
    <Menu position="bottom-start" opened={isOpen} onChange={setOpen} width={320}>
      <Menu.Target>
        <Button
          size={size}
          variant="default"
          loading={begin.isPending}
          leftSection={<IconPlayerPlay size={14} aria-hidden />}
        >
          {t('follow.button')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t('follow.by')}</Menu.Label>
        {data?.items.map((one) => (
          <Menu.Item key={one.id} onClick={() => begin.mutate(one.id)}>
            <Text size="sm" className="breaks" lineClamp={2}>
              {one.name}
            </Text>
          </Menu.Item>
        ))}
        {data?.items.length === 0 && (
          <Menu.Item renderRoot={(props) => <Link {...props} to="/journeys" search={{ library: true }} />}>
            {t('follow.none')}
          </Menu.Item>
        )}
        {isError && <Menu.Item disabled>{t('follow.failed')}</Menu.Item>}
      </Menu.Dropdown>
    </Menu>
  );
}
