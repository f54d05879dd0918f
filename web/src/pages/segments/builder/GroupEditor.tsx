import { ActionIcon, Button, Group, Menu, SegmentedControl, Stack, Text, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { add, setMode, type Written } from '../change';
import type { Condition } from '../condition';
import classes from './builder.module.css';
import { ConditionRow } from './ConditionRow';
import { useBuilding } from './context';

type Scope = 'contact' | 'event' | 'object';
type Props = {
  group: Condition;
  /** What may be asked: of an event and an object, their fields alone. */
  scope?: Scope;
  onRemove?: () => void;
};

const MODES = ['all', 'any', 'none', 'notAll'] as const;
type Mode = (typeof MODES)[number];

/** Conditions that count together, and how. Groups lie in one another. */
export function GroupEditor({ group, scope = 'contact', onRemove }: Props) {
  const { t } = useTranslation('segments');
  const { edit, isReadOnly } = useBuilding();
  if (group.what.kind !== 'group') {
    return null;
  }
  const { mode, parts } = group.what;
  const word: Mode = group.isNot ? (mode === 'any' ? 'none' : 'notAll') : mode;
  const offered = MODES.filter((one) => one !== 'notAll' || word === 'notAll');
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        {parts.length > 1 || onRemove !== undefined || word !== 'all' ? (
          <Group gap={6} wrap="nowrap">
            <Text size="xs" c="dimmed">
              {t('group.holds')}
            </Text>
            <SegmentedControl
              size="xs"
              aria-label={t('group.mode')}
              value={word}
              readOnly={isReadOnly}
              data={offered.map((one) => ({ value: one, label: t(`group.${one}`) }))}
              onChange={(next) =>
                edit(() =>
                  setMode(
                    group,
                    next === 'all' || next === 'notAll' ? 'all' : 'any',
                    next === 'none' || next === 'notAll',
                  ),
                )
              }
            />
          </Group>
        ) : (
          <Text size="xs" c="dimmed">
            {parts.length === 0 ? t(scope === 'contact' ? 'group.everyone' : 'group.anyOne') : null}
          </Text>
        )}
        {onRemove !== undefined && !isReadOnly && (
          <Tooltip label={t('group.remove')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t('group.remove')}
              onClick={onRemove}
            >
              <IconTrash size={14} />
            </ActionIcon>
          </Tooltip>
        )}
      </Group>
      {parts.length > 0 && (
        <Stack
          gap={6}
          className={classes.parts}
          data-mode={word}
          role="group"
          aria-label={t(`group.${word}`)}
        >
          {parts.map((part) => (
            <ConditionRow key={part.id} parent={group} condition={part} />
          ))}
        </Stack>
      )}
      {!isReadOnly && <Add group={group} scope={scope} />}
    </Stack>
  );
}

function Add({ group, scope }: { group: Condition; scope: Scope }) {
  const { t } = useTranslation('segments');
  const { edit, segments, own } = useBuilding();
  const put = (written: Written) => edit((document) => add(document, group, written));
  const aField = { [t('row.aField')]: { exists: true } };
  const other = segments.find((one) => one.id !== own)?.id;
  const choices: [string, Written][] =
    scope === 'contact'
      ? [
          ['field', aField],
          ['did', { did: 'Order Completed', within: '30d' }],
          ['didNot', { not: { did: 'Order Completed', within: '30d' } }],
          ...(other === undefined ? [] : [['in_segment', { in_segment: other }] as [string, Written]]),
          ['engaged', { engaged: 'engaged' }],
          ['has', { has: 'deal' }],
          ['rfm', { rfm: { group: 'champions' } }],
          ['group', { any: [aField, aField] }],
        ]
      : [
          ['field', aField],
          ['group', { any: [aField, aField] }],
        ];
  return (
    <Menu position="bottom-start" withinPortal>
      <Menu.Target>
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<IconPlus size={14} />}
          style={{ alignSelf: 'flex-start' }}
        >
          {t('group.add')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {choices.map(([name, written]) => (
          <Menu.Item key={name} onClick={() => put(written)}>
            {t(`add.${name}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
