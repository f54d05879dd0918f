/** Values that are read: a name, what it is. */
import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import classes from '../Settings.module.css';

type Props = {
  list: readonly (readonly [name: string, value: ReactNode, key?: string])[];
  /** Of those that have a key, which are shown. */
  only?: ((key: string) => boolean) | undefined;
};

export function Facts({ list, only }: Props) {
  const { t } = useTranslation('settings');
  return (
    <dl className={classes.facts}>
      {list
        .filter(([, , key]) => key === undefined || only === undefined || only(key))
        .map(([name, value]) => (
          <Fact key={name} name={name} value={value} unset={t('workspace.unset')} />
        ))}
    </dl>
  );
}

function Fact({ name, value, unset }: { name: string; value: ReactNode; unset: string }) {
  const isEmpty = value === '' || value === undefined || value === null;
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <Text
          size="sm"
          className="breaks"
          component="div"
          lineClamp={4}
          {...(isEmpty ? { c: 'dimmed' } : {})}
        >
          {isEmpty ? unset : value}
        </Text>
      </dd>
    </>
  );
}
