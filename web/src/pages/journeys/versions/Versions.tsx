/** What was published when, the text of each, and what differs between any two. */
import { Badge, Box, Button, Group, Select, Stack, Switch, Text, UnstyledButton } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../../shared/DataList';
import { useFormat } from '../../../shared/format';
import { tellUndoable } from '../../../shared/tell';
import { textOf, useAddress } from '../../../shared/useAddress';
import type { JourneyShown } from '../calls';
import type { DraftKeeper } from '../text/DraftKeeper';
import { Difference } from './Difference';
import classes from './Versions.module.css';

type Props = {
  shown: JourneyShown;
  /** The text that is being worked on. */
  text: string;
  keeper: DraftKeeper | undefined;
};

const DRAFT = 'draft';

export function Versions({ shown, text, keeper }: Props) {
  const { t } = useTranslation('journeys');
  const format = useFormat();
  const [search, setSearch] = useAddress();
  const [all, setAll] = useState(false);
  const versions = useMemo(() => [...shown.versions].reverse(), [shown.versions]);
  const newest = versions[0];
  if (newest === undefined) {
    return <Empty title={t('versions.none')} text={t('versions.noneText')} />;
  }
  const asked = textOf(search.version);
  const right =
    asked === DRAFT || versions.some((one) => String(one.version) === asked) ? asked : String(newest.version);
  const number = right === DRAFT ? newest.version + 1 : Number(right);
  const before = versions.find((one) => one.version < number);
  const compared = textOf(search.with) ?? (before === undefined ? right : String(before.version));
  const textAt = (which: string | undefined) =>
    which === DRAFT ? text : (shown.versions.find((one) => String(one.version) === which)?.text ?? '');
  const options = [
    { value: DRAFT, label: t('versions.draft') },
    ...versions.map((one) => ({
      value: String(one.version),
      label: t('page.version', { version: one.version }),
    })),
  ];
  const restore = () => {
    if (keeper === undefined) {
      return;
    }
    const was = keeper.model.text;
    keeper.model.replace(textAt(right));
    tellUndoable(t('versions.restored', { version: right ?? '' }), async () => keeper.model.replace(was));
  };
  return (
    <div className={classes.frame}>
      <Stack gap={4} className={classes.list} component="nav" aria-label={t('tab.versions')}>
        {text !== (shown.versions.find((one) => one.current)?.text ?? '') && (
          <Entry
            isOn={right === DRAFT}
            open={() => setSearch({ version: DRAFT, with: undefined })}
            title={t('versions.draft')}
            lines={[shown.draft?.updated_at === undefined ? '' : format.relative(shown.draft.updated_at)]}
          />
        )}
        {versions.map((one) => (
          <Entry
            key={one.version}
            isOn={right === String(one.version)}
            open={() => setSearch({ version: one.version, with: undefined })}
            title={t('page.version', { version: one.version })}
            badge={one.current ? t('versions.current') : undefined}
            lines={[
              format.moment(one.published_at),
              t('page.runs', { count: one.live_runs, runs: format.number(one.live_runs) }),
              t(`moves.word.${['pin', 'follow', 'map'].includes(one.moves) ? one.moves : 'pin'}`),
            ]}
          />
        ))}
      </Stack>
      <Stack gap="xs" style={{ minWidth: 0 }}>
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            <Select
              size="xs"
              w={190}
              aria-label={t('versions.before')}
              data={options}
              value={compared}
              allowDeselect={false}
              onChange={(next) => setSearch({ with: next ?? undefined })}
            />
            <Text size="sm" aria-hidden>
              →
            </Text>
            <Select
              size="xs"
              w={190}
              aria-label={t('versions.after')}
              data={options}
              value={right}
              allowDeselect={false}
              onChange={(next) => setSearch({ version: next ?? undefined })}
            />
          </Group>
          <Group gap="sm">
            {compared !== right && (
              <Switch
                size="xs"
                label={t('versions.all')}
                checked={all}
                onChange={(event) => setAll(event.currentTarget.checked)}
              />
            )}
            {keeper !== undefined && right !== DRAFT && textAt(right) !== text && (
              <Button size="compact-sm" variant="default" onClick={restore}>
                {t('versions.restore')}
              </Button>
            )}
          </Group>
        </Group>
        <Difference before={textAt(compared)} after={textAt(right)} isWhole={all || compared === right} />
      </Stack>
    </div>
  );
}

type EntryProps = {
  isOn: boolean;
  open: () => void;
  title: string;
  badge?: string | undefined;
  lines: string[];
};

function Entry({ isOn, open, title, badge, lines }: EntryProps) {
  return (
    <UnstyledButton
      className={classes.entry}
      data-on={isOn || undefined}
      aria-current={isOn ? 'true' : undefined}
      onClick={open}
    >
      <Group gap={6} justify="space-between" wrap="nowrap">
        <Text size="sm" fw={600}>
          {title}
        </Text>
        {badge !== undefined && (
          <Badge
            size="xs"
            variant="light"
            color="green"
            tt="none"
            styles={{ label: { color: 'var(--mantine-color-text)' } }}
          >
            {badge}
          </Badge>
        )}
      </Group>
      {lines
        .filter((one) => one !== '')
        .map((one) => (
          <Box key={one} fz="xs" c="dimmed">
            {one}
          </Box>
        ))}
    </UnstyledButton>
  );
}
