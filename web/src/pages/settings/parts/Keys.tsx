import {
  ActionIcon,
  Badge,
  Button,
  Code,
  Group,
  Radio,
  Skeleton,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { queries } from '../../../api/queries';
import { Empty } from '../../../shared/DataList';
import { useFormat } from '../../../shared/format';
import { ProblemNote } from '../../../shared/ProblemNote';
import { tellDone } from '../../../shared/tell';
import { useSession } from '../../../shell/useSession';
import { Confirm } from '../Confirm';
import { type Key, keysQuery, postKey, removeKey } from '../calls';
import { Dialog } from '../Dialog';
import { Secret } from '../Secret';
import { Section } from '../Section';
import classes from '../Settings.module.css';
import { eventCall } from './eventCall';

export const SCOPES = ['write', 'read', 'contacts', 'journeys', 'admin'] as const;

/** Keys of programs. A key is shown when it is made, and never again. */
export function Keys() {
  const { t } = useTranslation('settings');
  const { data, error, isError, refetch } = useQuery(keysQuery);
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<Key>();
  const keys = data?.items ?? [];
  return (
    <Section
      title={t('part.keys')}
      text={t('keys.text')}
      flush
      actions={
        <Button size="xs" onClick={() => setMaking(true)}>
          {t('keys.make')}
        </Button>
      }
    >
      {isError && data === undefined && <ProblemNote error={error} retry={() => refetch()} />}
      {data === undefined && !isError && <Skeleton height={112} radius={0} />}
      {data !== undefined && keys.length === 0 && <Empty title={t('keys.none')} text={t('keys.noneText')} />}
      <ul className={classes.rows}>
        {keys.map((key) => (
          <Row key={key.id} of={key} remove={() => setRemoving(key)} />
        ))}
      </ul>
      {making && <Make close={() => setMaking(false)} />}
      {removing !== undefined && (
        <Confirm
          title={t('keys.remove')}
          text={t('keys.removeText', { name: removing.name || t('keys.unnamed') })}
          action={t('keys.remove')}
          run={async () => {
            await removeKey(removing.id);
            await queries.invalidateQueries({ queryKey: keysQuery.queryKey });
            tellDone(t('keys.removed'));
          }}
          close={() => setRemoving(undefined)}
        />
      )}
    </Section>
  );
}

function Row({ of, remove }: { of: Key; remove: () => void }) {
  const { t } = useTranslation('settings');
  const format = useFormat();
  const name = of.name || t('keys.unnamed');
  const facts = [
    of.made_at ? t('keys.made', { at: format.day(of.made_at), name: of.made_by }) : t('keys.first'),
    of.used_at ? t('keys.used', { at: format.relative(of.used_at) }) : undefined,
  ];
  return (
    <li className={classes.row}>
      <Stack gap={0} className={classes.rowMain}>
        <Text size="sm" fw={600} className="breaks" lineClamp={2}>
          {name}
        </Text>
        <Text size="xs" c="dimmed" className="breaks">
          {facts.filter((one) => one !== undefined).join(' · ')}
        </Text>
      </Stack>
      <Badge variant="light" color={of.scope === 'admin' ? 'red' : of.scope === 'write' ? 'teal' : undefined}>
        {t(`scope.${of.scope}`)}
      </Badge>
      <ActionIcon variant="subtle" color="gray" onClick={remove} aria-label={`${t('keys.remove')}: ${name}`}>
        <IconTrash size={17} aria-hidden />
      </ActionIcon>
    </li>
  );
}

function Make({ close }: { close: () => void }) {
  const { t } = useTranslation('settings');
  const url = useSession()?.workspace.public_url ?? window.location.origin;
  const [name, setName] = useState('');
  const [scope, setScope] = useState<string>('write');
  const make = useMutation({
    mutationFn: () => postKey({ name: name.trim(), scope }),
    onSuccess: () => queries.invalidateQueries({ queryKey: keysQuery.queryKey }),
  });
  if (make.data !== undefined) {
    const { secret, key } = make.data;
    return (
      <Dialog title={t('keys.made1', { name: key.name })} close={close} stays size="lg">
        <Stack gap="md">
          <Text size="sm">{t('keys.once')}</Text>
          <Secret value={secret} label={t('keys.key')} />
          <Text size="sm">{key.scope === 'write' ? t('keys.tryWrite') : t('keys.tryToken')}</Text>
          <Secret
            value={
              key.scope === 'write'
                ? eventCall(url, secret)
                : `curl -H 'Authorization: Bearer ${secret}' ${url}/api/v1/contacts`
            }
            label={t('keys.example')}
          />
          <Group justify="flex-end">
            <Button onClick={close} data-autofocus>
              {t('done')}
            </Button>
          </Group>
        </Stack>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('keys.make')} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate();
        }}
      >
        <Stack gap="md">
          {make.isError && <ProblemNote error={make.error} />}
          <TextInput
            label={t('keys.name')}
            description={t('keys.nameText')}
            required
            withAsterisk={false}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <Radio.Group label={t('keys.scope')} value={scope} onChange={setScope}>
            <Stack gap={8} mt={6}>
              {SCOPES.map((one) => (
                <Radio
                  key={one}
                  value={one}
                  size="xs"
                  label={
                    <>
                      {t(`scope.${one}`)} <Code>{one}</Code>
                    </>
                  }
                  description={t(`scopeText.${one}`)}
                />
              ))}
            </Stack>
          </Radio.Group>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t('shell:cancel')}
            </Button>
            <Button type="submit" loading={make.isPending}>
              {t('keys.make')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
