import { Skeleton, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { failureOf } from '../../api/problem';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { templates } from './api';
import { fileName, LANGUAGE } from './files';
import { Opened } from './Opened';
import { START_FORMS, STARTS, startText } from './starts';

export function Template() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const [search] = useAddress();
  const query = useQuery({
    queryKey: ['templates', id, 'shown'],
    queryFn: ({ signal }) => templates.show(id, signal),
  });
  const start = STARTS.find((one) => one === textOf(search.start));
  const language = textOf(search.language) ?? 'en';
  if (query.data !== undefined) {
    return <Opened key={id} id={id} template={query.data} />;
  }
  if (
    query.isError &&
    failureOf(query.error).status === 404 &&
    start !== undefined &&
    LANGUAGE.test(language)
  ) {
    const fresh = { [fileName(id, language, START_FORMS[start])]: startText(start, language) };
    return <Opened key={id} id={id} template={undefined} fresh={fresh} />;
  }
  return (
    <Page title={id}>
      {query.isError ? (
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      ) : (
        <Stack gap="sm" aria-hidden>
          <Skeleton height={36} width={260} />
          <Skeleton height={480} />
        </Stack>
      )}
    </Page>
  );
}
