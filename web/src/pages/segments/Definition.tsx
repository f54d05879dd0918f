import type { EditorView } from '@codemirror/view';
import { Alert, Anchor, Box, Grid, Group, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { CodeEditor, goToLine } from '../../shared/editing/CodeEditor';
import { textOf, useAddress } from '../../shared/useAddress';
import type { FileProblem, SegmentShown, SegmentSummary } from './api';
import { Builder } from './builder/Builder';
import { Live } from './Live';
import { useFacts } from './useFacts';
import { useTried } from './useTried';

type Props = {
  id: string;
  text: string;
  onChange: ((text: string) => void) | undefined;
  segment: SegmentShown | undefined;
  segments: readonly SegmentSummary[];
};

const VIEWS = ['both', 'builder', 'text'] as const;
const PASS = () => undefined;

/** The builder beside the text, with who would belong. */
export function Definition({ id, text, onChange, segment, segments }: Props) {
  const { t } = useTranslation('segments');
  const [search, change] = useAddress();
  const view = VIEWS.find((one) => one === textOf(search.view)) ?? 'both';
  const editor = useRef<EditorView>(undefined);
  const tried = useTried(text);
  const facts = useFacts(useMemo(() => [text], [text]));
  const isReadOnly = onChange === undefined;
  const marked = useMemo(
    () => tried.problems.map((one) => ({ line: one.line ?? 1, text: one.text })),
    [tried.problems],
  );
  const editing = (
    <CodeEditor
      label={t('text')}
      language="yaml"
      value={text}
      {...(onChange === undefined ? {} : { onChange })}
      problems={marked}
      minHeight={view === 'text' ? '420px' : '200px'}
      onView={(made) => {
        editor.current = made;
      }}
    />
  );
  return (
    <Stack gap="sm">
      {segment !== undefined && <Listeners segment={segment} text={text} />}
      <Group justify="space-between" gap="xs">
        <SegmentedControl
          size="xs"
          aria-label={t('view.label')}
          value={view}
          data={VIEWS.map((one) => ({ value: one, label: t(`view.${one}`) }))}
          onChange={(next) => change({ view: next === 'both' ? undefined : next })}
        />
      </Group>
      <Grid gap="md">
        {view !== 'text' && (
          <Grid.Col span={{ base: 12, lg: view === 'both' ? 7 : 9 }}>
            <Builder
              own={id}
              text={text}
              onChange={onChange ?? PASS}
              facts={facts}
              segments={segments}
              isReadOnly={isReadOnly}
            />
          </Grid.Col>
        )}
        {view === 'text' && <Grid.Col span={{ base: 12, lg: 8 }}>{editing}</Grid.Col>}
        <Grid.Col span={{ base: 12, lg: view === 'both' ? 5 : view === 'text' ? 4 : 3 }}>
          <Box style={{ position: 'sticky', top: 68 }}>
            <Stack gap="sm">
              <Live tried={tried} />
              <Mistakes
                problems={tried.problems}
                onGo={view === 'builder' ? undefined : (line) => goToLine(editor.current, line)}
              />
              {view === 'both' && editing}
            </Stack>
          </Box>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

type MistakesProps = { problems: readonly FileProblem[]; onGo?: ((line: number) => void) | undefined };

/** What is wrong with the text, and where. */
export function Mistakes({ problems, onGo }: MistakesProps) {
  const { t } = useTranslation('segments');
  if (problems.length === 0) {
    return null;
  }
  return (
    <Alert
      color="red"
      variant="light"
      p="sm"
      icon={<IconAlertTriangle size={16} aria-hidden />}
      title={t('mistakes', { count: problems.length })}
      role="status"
    >
      <Stack gap={4} component="ul" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
        {problems.map((one, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: mistakes are told anew as a whole
          <Text key={at} size="sm" component="li" className="breaks">
            {one.line !== undefined && onGo !== undefined ? (
              <Anchor component="button" type="button" size="sm" onClick={() => onGo(one.line ?? 1)}>
                {one.text}
              </Anchor>
            ) : (
              one.text
            )}
          </Text>
        ))}
      </Stack>
    </Alert>
  );
}

/** Journeys that hear of who comes and goes: whether a change of the definition reaches them. */
function Listeners({ segment, text }: { segment: SegmentShown; text: string }) {
  const { t } = useTranslation('segments');
  const { journeys } = segment.used_by;
  if (journeys.length === 0) {
    return null;
  }
  const isTold = /^announce:\s*true\b/m.test(text);
  return (
    <Alert
      color={isTold ? 'orange' : 'blue'}
      variant="light"
      p="xs"
      icon={<IconAlertTriangle size={16} aria-hidden />}
    >
      <Text size="sm" className="breaks">
        {t(isTold ? 'listeners.told' : 'listeners.silent', {
          journeys: journeys.join(', '),
          count: journeys.length,
        })}
      </Text>
    </Alert>
  );
}
