/** A document: what it is, what went to the client about it, what happens next and why. */
import { Anchor, Badge, Box, Breadcrumbs, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { useMay } from '../../shell/useSession';
import { LedgerWords } from '../contacts/LedgerWords';
import {
  type DocumentDetail,
  type DocumentRow,
  documentQuery,
  factsOf,
  isOpen,
  type LedgerLine,
  type Task,
} from './api';
import { CorrectButton } from './Correct';
import classes from './Document.module.css';
import { Due, NextWords, StateBadge } from './DocumentBadges';
import { FollowUp } from './FollowUp';
import { Thread } from './Thread';
import { usePaid } from './usePaid';

export function Document() {
  const { t, i18n } = useTranslation('documents');
  const params: { contact?: string; document?: string } = useParams({ strict: false });
  const { contact = '', document = '' } = params;
  const query = useQuery(documentQuery(contact, document, i18n.language));
  if (query.data !== undefined) {
    return <Whole detail={query.data} contact={contact} />;
  }
  if (query.isError) {
    return (
      <Page title={t('document')}>
        {failureOf(query.error).status === 404 ? (
          <Empty title={t('gone.title')} text={t('gone.text')} />
        ) : (
          <ProblemNote error={query.error} retry={() => query.refetch()} />
        )}
      </Page>
    );
  }
  return (
    <Page title={t('document')}>
      <div className={classes.columns} aria-hidden>
        <Skeleton height={360} />
        <Skeleton height={260} />
      </div>
    </Page>
  );
}

function Whole({ detail, contact }: { detail: DocumentDetail; contact: string }) {
  const { t, i18n } = useTranslation('documents');
  const format = useFormat();
  const may = useMay();
  const paid = usePaid();
  const { document } = detail;
  const facts = factsOf(document);
  const title = i18n.exists(`named.${facts.kind}`, { ns: 'documents' })
    ? t(`named.${facts.kind}`, { number: facts.number })
    : facts.number;
  return (
    <Page
      title={title}
      lead={
        <Group gap="xs">
          <StateBadge row={document} />
          <span className="numbers">{format.amount(facts.amount, facts.currency)}</span>
          {facts.subject !== undefined && (
            <Text span size="sm" c="dimmed" lineClamp={1} className="breaks">
              {facts.subject}
            </Text>
          )}
        </Group>
      }
      actions={
        may('work') && (
          <>
            <CorrectButton document={document} />
            {isOpen(document) && (
              <Button
                leftSection={<IconCheck size={16} aria-hidden />}
                onClick={() => paid([{ contact, id: document.id }])}
              >
                {t('markPaid')}
              </Button>
            )}
          </>
        )
      }
    >
      <Breadcrumbs separator="›" fz="sm" mt={-8}>
        <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/documents" />}>
          {t('title')}
        </Anchor>
        <Anchor
          size="sm"
          maw={320}
          truncate
          renderRoot={(props) => <Link {...props} to="/contacts/$id" params={{ id: contact }} />}
        >
          {facts.client ?? facts.to ?? contact}
        </Anchor>
      </Breadcrumbs>
      <div className={classes.columns}>
        <Stack gap="lg">
          <section className={classes.card} aria-label={t('thread')}>
            <Title order={2} mb="md">
              {t('thread')}
            </Title>
            <Thread
              document={document}
              messages={detail.messages}
              replies={detail.replies}
              contact={contact}
            />
          </section>
          <Ledger lines={detail.ledger} />
        </Stack>
        <Stack gap="lg" className={classes.side}>
          <NextCard detail={detail} />
          <Facts document={document} contact={contact} />
          {detail.tasks.length > 0 && <Tasks tasks={detail.tasks} />}
        </Stack>
      </div>
    </Page>
  );
}

function NextCard({ detail }: { detail: DocumentDetail }) {
  const { t } = useTranslation('documents');
  const may = useMay();
  const { document } = detail;
  const next = detail.next ?? document.next;
  const why = detail.ledger[0];
  return (
    <section className={classes.card} aria-label={t('nextTitle')}>
      <Title order={2} mb="xs">
        {t('nextTitle')}
      </Title>
      <NextWords next={next} />
      {next == null && isOpen(document) && may('work') && (
        <Box mt="xs">
          <FollowUp rows={[document]} />
        </Box>
      )}
      {next?.what === 'approval' && (
        <Box mt="xs">
          <Button
            size="xs"
            variant="light"
            renderRoot={(props) => <Link {...props} to="/approvals" search={next.id ? { q: next.id } : {}} />}
          >
            {t('toApproval')}
          </Button>
        </Box>
      )}
      {why !== undefined && (
        <Box mt="sm">
          <Text size="xs" c="dimmed" mb={2}>
            {t('because')}
          </Text>
          <LedgerWords line={why} />
        </Box>
      )}
    </section>
  );
}

function Facts({ document, contact }: { document: DocumentRow; contact: string }) {
  const { t, i18n } = useTranslation('documents');
  const format = useFormat();
  const facts = factsOf(document);
  return (
    <section className={classes.card} aria-label={t('facts')}>
      <dl className={classes.facts}>
        <dt>{t('column.kind')}</dt>
        <dd>
          {i18n.exists(`kind.${facts.kind}`, { ns: 'documents' }) ? t(`kind.${facts.kind}`) : facts.kind}
        </dd>
        <dt>{t('column.client')}</dt>
        <dd>
          <Anchor
            size="sm"
            renderRoot={(props) => <Link {...props} to="/contacts/$id" params={{ id: contact }} />}
          >
            {facts.client ?? facts.to ?? contact}
          </Anchor>
          {facts.to !== undefined && document.client !== undefined && (
            <Text size="xs" c="dimmed" className="breaks">
              {facts.to}
            </Text>
          )}
        </dd>
        <dt>{t('column.amount')}</dt>
        <dd className="numbers">{format.amount(facts.amount, facts.currency) || '–'}</dd>
        <dt>{t('column.issued')}</dt>
        <dd>{format.day(facts.issued) || '–'}</dd>
        <dt>{facts.kind === 'offer' ? t('validUntil') : t('column.due')}</dt>
        <dd>{facts.due === undefined ? '–' : <Due row={document} />}</dd>
        {facts.paidAt !== undefined && (
          <>
            <dt>{t('paidAt')}</dt>
            <dd>{format.moment(facts.paidAt)}</dd>
          </>
        )}
        <dt>{t('column.owner')}</dt>
        <dd>{document.owner ?? t('noOwner')}</dd>
        {facts.mailbox !== undefined && facts.mailbox !== document.owner && (
          <>
            <dt>{t('mailbox')}</dt>
            <dd>{facts.mailbox}</dd>
          </>
        )}
      </dl>
    </section>
  );
}

function Tasks({ tasks }: { tasks: Task[] }) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  return (
    <section className={classes.card} aria-label={t('tasks')}>
      <Title order={2} mb="xs">
        {t('tasks')}
      </Title>
      <Stack gap="xs">
        {tasks.map((task) => (
          <Group key={task.id} justify="space-between" wrap="nowrap" align="flex-start">
            <Text size="sm" className="breaks" td={task.done_at === undefined ? undefined : 'line-through'}>
              {task.title}
            </Text>
            {task.due_at !== undefined && task.done_at === undefined && (
              <Badge variant="light" color="gray" size="sm" tt="none" style={{ flex: 'none' }}>
                {format.day(task.due_at)}
              </Badge>
            )}
          </Group>
        ))}
      </Stack>
    </section>
  );
}

function Ledger({ lines }: { lines: LedgerLine[] }) {
  const { t } = useTranslation('documents');
  const format = useFormat();
  return (
    <section className={classes.card} aria-label={t('ledger')}>
      <Title order={2} mb="xs">
        {t('ledger')}
      </Title>
      {lines.length === 0 && (
        <Text size="sm" c="dimmed">
          {t('ledgerNone')}
        </Text>
      )}
      {lines.map((line, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no name of their own, and are only added
        <div key={index} className={classes.line}>
          <Text size="sm" c="dimmed" className="numbers">
            {format.moment(line.at)}
          </Text>
          <LedgerWords line={line} />
        </div>
      ))}
    </section>
  );
}
