import { ActionIcon, Anchor, Badge, Group, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconGripVertical } from '@tabler/icons-react';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../shared/DataList';
import classes from './Items.module.css';
import { type Item, isAddress } from './items';

const ROW_PX = 57;

type Props = {
  items: readonly Item[];
  mayChange: boolean;
  isSaved: (id: string) => boolean;
  onOpen: (item: Item) => void;
  onMove: (from: number, to: number) => void;
  onAdd: () => void;
};

/** Items in the order in which a contact receives them; Alt with the arrows moves one, as dragging does. */
export function Items({ items, mayChange, isSaved, onOpen, onMove, onAdd }: Props) {
  const { t } = useTranslation('lists');
  const place = useRef<HTMLOListElement>(null);
  const [offset, setOffset] = useState(0);
  const [dragged, setDragged] = useState<number>();
  const [over, setOver] = useState<number>();
  const [told, setTold] = useState('');
  useLayoutEffect(() => {
    setOffset((place.current?.getBoundingClientRect().top ?? 0) + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollMargin: offset,
  });
  if (items.length === 0) {
    return (
      <Empty
        title={t('item.empty')}
        text={t('item.emptyText')}
        {...(mayChange ? { action: { label: t('item.add'), run: onAdd } } : {})}
      />
    );
  }
  const move = (from: number, to: number) => {
    if (to < 0 || to >= items.length || from === to) {
      return;
    }
    onMove(from, to);
    setTold(t('item.moved', { place: to + 1 }));
    virtual.scrollToIndex(to, { align: 'auto' });
    requestAnimationFrame(() =>
      place.current?.querySelector<HTMLElement>(`[data-at="${to}"] [data-opens]`)?.focus(),
    );
  };
  const press = (event: KeyboardEvent, at: number) => {
    if (!event.altKey || !mayChange) {
      return;
    }
    const to = event.key === 'ArrowUp' ? at - 1 : event.key === 'ArrowDown' ? at + 1 : undefined;
    if (to !== undefined) {
      event.preventDefault();
      move(at, to);
    }
  };
  return (
    <>
      {mayChange && (
        <Text size="xs" c="dimmed">
          {t('item.moveHelp')}
        </Text>
      )}
      <VisuallyHidden aria-live="polite">{told}</VisuallyHidden>
      <ol
        ref={place}
        className={classes.list}
        style={{ height: virtual.getTotalSize() }}
        aria-label={t('item.label')}
      >
        {virtual.getVirtualItems().map(({ index, start }) => {
          const item = items[index];
          if (item === undefined) {
            return null;
          }
          const field = (name: string) => String(item.fields.find(([own]) => own === name)?.[1] ?? '');
          const url = field('url');
          return (
            <li
              key={item.id}
              data-at={index}
              data-over={over === index || undefined}
              className={classes.row}
              style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}
              draggable={mayChange}
              onDragStart={(event) => {
                setDragged(index);
                event.dataTransfer.effectAllowed = 'move';
                event.dataTransfer.setData('text/plain', item.id);
              }}
              onDragOver={(event) => {
                if (dragged !== undefined) {
                  event.preventDefault();
                  setOver(index);
                }
              }}
              onDrop={(event) => {
                event.preventDefault();
                if (dragged !== undefined) {
                  move(dragged, index);
                }
              }}
              onDragEnd={() => {
                setDragged(undefined);
                setOver(undefined);
              }}
            >
              {mayChange && <IconGripVertical size={16} className={classes.grip} aria-hidden />}
              <Text size="xs" c="dimmed" className={`numbers ${classes.place}`}>
                {index + 1}
              </Text>
              <UnstyledButton
                className={classes.words}
                data-opens
                onClick={() => onOpen(item)}
                onKeyDown={(event) => press(event, index)}
              >
                <Text size="sm" fw={500} lineClamp={1} className="breaks">
                  {field('title') || item.id}
                </Text>
                <Text size="xs" c="dimmed" lineClamp={1} className="breaks">
                  {[item.id, field('text')].filter((one) => one !== '').join(' · ')}
                </Text>
              </UnstyledButton>
              {isAddress(url) && (
                <Anchor
                  href={url}
                  target="_blank"
                  rel="noreferrer noopener"
                  size="xs"
                  lineClamp={1}
                  className={`breaks ${classes.link}`}
                >
                  {url}
                </Anchor>
              )}
              {!isSaved(item.id) && (
                <Badge variant="light" tt="none" style={{ flex: 'none' }}>
                  {t('item.fresh')}
                </Badge>
              )}
              {mayChange && (
                <Group gap={0} wrap="nowrap">
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="sm"
                    disabled={index === 0}
                    aria-label={t('item.up', { id: item.id })}
                    onClick={() => move(index, index - 1)}
                  >
                    <IconArrowUp size={14} />
                  </ActionIcon>
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    size="sm"
                    disabled={index === items.length - 1}
                    aria-label={t('item.down', { id: item.id })}
                    onClick={() => move(index, index + 1)}
                  >
                    <IconArrowDown size={14} />
                  </ActionIcon>
                </Group>
              )}
            </li>
          );
        })}
      </ol>
    </>
  );
}
