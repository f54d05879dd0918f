import { Anchor, Skeleton, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../shared/DataList';
import { useFormat } from '../../shared/format';
import { ProblemNote } from '../../shared/ProblemNote';
import { loadSegments, type Membership } from './api';
import classes from './Contact.module.css';

/** Segments that the contact belongs to. */
export function SegmentsTab({ id }: { id: string }) {
  const { t } = useTranslation('contacts');
  const query = useQuery({
    queryKey: ['contacts', 'segments', id],
    queryFn: ({ signal }) => loadSegments(id, signal),
  });
  if (query.isPending) {
    return <Skeleton height={140} aria-hidden />;
  }
  if (query.isError) {
    return <ProblemNote error={query.error} retry={() => query.refetch()} />;
  }
  const { items } = query.data;
  const members = items.filter((one) => one.member);
  const others = items.filter((one) => !one.member);
  if (items.length === 0) {
    return <Empty title={t('segmentsNone.title')} text={t('segmentsNone.text')} />;
  }
  return (
    <div className={classes.two}>
      <Segments title={t('memberOf')} none={t('memberOfNone')} items={members} />
      {others.length > 0 && <Segments title={t('notMemberOf')} none="" items={others} />}
    </div>
  );
}

function Segments({ title, none, items }: { title: string; none: string; items: Membership[] }) {
  const { t } = useTranslation('contacts');
  const format = useFormat();
  return (
    <section className={classes.card} aria-label={title}>
      <Title order={2} mb="xs">
        {title}
      </Title>
      {items.length === 0 && (
        <Text size="sm" c="dimmed">
          {none}
        </Text>
      )}
      {items.map((one) => (
        <div
          key={one.id}
          className={classes.line}
          style={{ gridTemplateColumns: 'minmax(0, 1fr) max-content' }}
        >
          <Anchor
            size="sm"
            className="breaks"
            renderRoot={(props) => <Link {...props} to="/segments/$id" params={{ id: one.id }} />}
          >
            {one.name ?? one.id}
          </Anchor>
          {typeof one.looked_at_again === 'string' && (
            <Text size="xs" c="dimmed">
              {t('looksAgain', { at: format.day(one.looked_at_again) })}
            </Text>
          )}
        </div>
      ))}
    </section>
  );
}
