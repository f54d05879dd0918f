/** A mailbox is tried: its sent mail is read, and each mail is told what it would be. Nothing is changed by it. */
import {
  Alert,
  Anchor,
  Button,
  Group,
  Progress,
  SegmentedControl,
  Select,
  Skeleton,
  Stack,
  Text,
} from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { useSession } from '../../shell/useSession';
import { mailboxesQuery } from '../mailboxes/calls';
import { groupOf, jobQuery, type Mail, stopJob, type Tried, triedOf, tryMailbox } from './api';
import { MailRow } from './MailRow';
import { OneMail } from './OneMail';
import classes from './Recognition.module.css';
import { Refusal, Unreadable } from './Refusal';
import { useSaying } from './useSaying';

const DAYS = ['7', '30', '90', '180', '365'];
const DAYS_DEFAULT = '90';
const FILTERS = ['all', 'found', 'not', 'left_out'] as const;
/** Rows that are drawn at once. */
const STEP = 100;

export function Trial() {
  const { t } = useTranslation('recognition');
  const session = useSession();
  const [address, change] = useAddress();
  const mailboxes = useQuery(mailboxesQuery);
  const all = mailboxes.data?.items.map((one) => one.address) ?? [];
  const wanted = textOf(address.mailbox);
  const own = all.find((one) => one === session?.user?.address) ?? all[0];
  const mailbox = all.find((one) => one === wanted) ?? own;
  const days = DAYS.find((one) => one === textOf(address.days)) ?? DAYS_DEFAULT;
  const id = textOf(address.job);
  const job = useQuery({ ...jobQuery(id ?? ''), enabled: id !== undefined });
  const begin = useMutation({
    mutationFn: (asked: string) => tryMailbox(asked, Number(days)),
    onSuccess: (begun) => change({ job: begun.id, mailbox }),
  });
  const stop = useMutation({ mutationFn: stopJob, onSuccess: () => job.refetch() });
  const isRunning = job.data?.state === 'running';
  // A work is forgotten when the server starts again.
  const isGone = job.isError && failureOf(job.error).status === 404;
  const tried = triedOf(job.data?.result);

  if (mailboxes.isError && mailboxes.data === undefined) {
    return <ProblemNote error={mailboxes.error} retry={() => mailboxes.refetch()} />;
  }
  if (mailboxes.data === undefined) {
    return <Skeleton height={260} role="status" aria-label={t('title')} />;
  }
  if (mailbox === undefined) {
    return (
      <Stack gap="md">
        <Empty title={t('noMailbox.title')} text={t('noMailbox.text')} />
        <Group justify="center" mt={-40}>
          <ToMailboxes />
        </Group>
        <OneMail mailbox={undefined} />
      </Stack>
    );
  }
  return (
    <Stack gap="md">
      <Group gap="sm" align="flex-end">
        <Select
          label={t('mailbox')}
          w={300}
          maw="100%"
          searchable={all.length > 8}
          allowDeselect={false}
          data={all}
          value={mailbox}
          disabled={isRunning}
          onChange={(next) => change({ mailbox: next ?? undefined, job: undefined })}
        />
        <Select
          label={t('period')}
          w={150}
          allowDeselect={false}
          data={DAYS.map((one) => ({ value: one, label: t('days', { count: Number(one) }) }))}
          value={days}
          disabled={isRunning}
          onChange={(next) =>
            change({ days: next === DAYS_DEFAULT || next === null ? undefined : next, job: undefined })
          }
        />
        {isRunning && id !== undefined ? (
          <Button variant="default" loading={stop.isPending} onClick={() => stop.mutate(id)}>
            {t('stop')}
          </Button>
        ) : (
          <Button
            loading={begin.isPending}
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
            onClick={() => begin.mutate(mailbox)}
          >
            {t(tried === undefined ? 'begin' : 'again')}
          </Button>
        )}
        <div className={classes.beside}>
          <ToMailboxes />
        </div>
      </Group>
      {wanted !== undefined && wanted !== mailbox && (
        <Text size="sm" c="dimmed" role="status" className="breaks">
          {t('notYours', { mailbox: wanted })}
        </Text>
      )}
      {begin.isError && <Refusal error={begin.error} retry={() => begin.mutate(mailbox)} />}
      {stop.isError && <ProblemNote error={stop.error} />}
      {job.isError && !isGone && <ProblemNote error={job.error} retry={() => job.refetch()} />}
      {isRunning && <Running done={job.data?.done ?? 0} of={job.data?.of ?? 0} />}
      {job.data?.state === 'failed' && (
        <Unreadable code={job.data.code ?? 'failed'} detail={job.data.problem} />
      )}
      {job.data?.state === 'cancelled' && (
        <Text size="sm" c="dimmed" role="status">
          {t('stopped')}
        </Text>
      )}
      {(id === undefined || isGone) && !begin.isPending && (
        <>
          <Text size="sm" c="dimmed" maw={640}>
            {t('hint')}
          </Text>
          <OneMail mailbox={mailbox} />
        </>
      )}
      {tried !== undefined && id !== undefined && <Result key={id} job={id} tried={tried} />}
    </Stack>
  );
}

function ToMailboxes() {
  const { t } = useTranslation('recognition');
  return (
    <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/settings/mailboxes" />}>
      {t('toMailboxes')}
    </Anchor>
  );
}

function Running({ done, of }: { done: number; of: number }) {
  const { t } = useTranslation('recognition');
  const format = useFormat();
  return (
    <Stack gap={4} maw={640} role="status">
      <Progress
        value={of === 0 ? 100 : (done / of) * 100}
        animated={of === 0}
        striped={of === 0}
        aria-label={t('progress')}
      />
      <Text size="sm" c="dimmed" className="numbers">
        {of === 0 ? t('opening') : t('read', { done: format.number(done), of: format.number(of) })}
      </Text>
    </Stack>
  );
}

function Result({ job, tried }: { job: string; tried: Tried }) {
  const { t } = useTranslation('recognition');
  const format = useFormat();
  const queries = useQueryClient();
  const [address, change] = useAddress();
  const [most, setMost] = useState(STEP);
  const saying = useSaying(tried.mailbox, (mail) =>
    queries.setQueryData(jobQuery(job).queryKey, (before) => {
      const result = triedOf(before?.result);
      if (before === undefined || result === undefined) {
        return before;
      }
      const items = result.items.map((one) => (one.message_id === mail.message_id ? mail : one));
      return { ...before, result: { ...result, items } as unknown as NonNullable<typeof before.result> };
    }),
  );
  const filter = FILTERS.find((one) => one === textOf(address.show)) ?? 'all';
  const groups = useMemo(() => {
    const all = { found: [] as Mail[], not: [] as Mail[], left_out: [] as Mail[] };
    for (const mail of tried.items) {
      all[groupOf(mail)].push(mail);
    }
    return all;
  }, [tried.items]);
  const shown = filter === 'all' ? tried.items : groups[filter];
  const counted = [
    t('sum.read', { count: tried.read, number: format.number(tried.read) }),
    t('sum.documents', { count: groups.found.length, number: format.number(groups.found.length) }),
    t('sum.new', {
      count: groups.found.filter((mail) => !mail.known).length,
      number: format.number(groups.found.filter((mail) => !mail.known).length),
    }),
  ];
  const size = (one: (typeof FILTERS)[number]) =>
    format.number(one === 'all' ? tried.items.length : groups[one].length);
  return (
    <Stack gap="sm">
      <Group justify="space-between" gap="sm">
        <Text size="sm" className="numbers">
          {counted.join(' · ')}
        </Text>
        <div className={classes.filter}>
          <SegmentedControl
            size="xs"
            aria-label={t('filter.label')}
            value={filter}
            onChange={(next) => {
              setMost(STEP);
              change({ show: next === 'all' ? undefined : next });
            }}
            data={FILTERS.map((one) => ({ value: one, label: `${t(`filter.${one}`)} ${size(one)}` }))}
          />
        </div>
      </Group>
      {tried.cut && (
        <Alert color="yellow" variant="light" role="status">
          {t('cut')}
        </Alert>
      )}
      {shown.length === 0 ? (
        <Empty title={t(tried.items.length === 0 ? 'noMail' : 'noneHere')} />
      ) : (
        <ul className={classes.list} aria-label={t('results')}>
          {named(shown.slice(0, most)).map(({ key, mail }) => (
            <MailRow key={key} mail={mail} say={saying.say(mail)} rule={saying.rule(mail)} />
          ))}
        </ul>
      )}
      {shown.length > most && (
        <Button variant="default" size="xs" onClick={() => setMost(most + STEP)}>
          {t('more')}
        </Button>
      )}
      {saying.dialog}
    </Stack>
  );
}

/** Damaged mails have no name of their own, and a mail may lie there twice. */
function named(mails: Mail[]): { key: string; mail: Mail }[] {
  const times = new Map<string, number>();
  return mails.map((mail) => {
    const time = (times.get(mail.message_id) ?? 0) + 1;
    times.set(mail.message_id, time);
    return { key: `${time} ${mail.message_id}`, mail };
  });
}
