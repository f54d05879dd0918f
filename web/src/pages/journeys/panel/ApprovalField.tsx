import { useTranslation } from 'react-i18next';
import { isPlain, type Plain } from '../model/render';
import { ChoiceField, DurationField } from './fields';

type Props = {
  label: string;
  value: unknown;
  commit: (value: unknown) => void;
  /** Left out, the journey's own holds. */
  inherits?: boolean;
};

const LAPSES = ['skip', 'send', 'stop', 'call'] as const;

/** Who must agree, and what happens when nobody answers. */
export function ApprovalField({ label, value, commit, inherits = false }: Props) {
  const { t } = useTranslation('journeys');
  const more: Plain | undefined = isPlain(value) ? value : undefined;
  const by = more === undefined ? value : more.by;
  const people = ['owner', 'role:head'].map((one) => ({
    value: one,
    label: t(`approval.${one.replace(':', '_')}`),
  }));
  const options = [
    ...(inherits ? [{ value: 'inherit', label: t('approval.inherit') }] : []),
    { value: 'auto', label: t('approval.auto') },
    ...people,
  ];
  const current = typeof by === 'string' ? by : inherits ? 'inherit' : 'auto';
  const set = (key: string, next: unknown) => {
    const map: Plain = { by: current, ...more, [key]: next };
    if (next === undefined) {
      delete map[key];
    }
    commit(Object.keys(map).length === 1 ? map.by : map);
  };
  return (
    <>
      <ChoiceField
        label={label}
        value={current}
        options={options}
        commit={(next) => {
          if (next === 'inherit' || (next === 'auto' && !inherits)) {
            commit(undefined);
          } else if (next === 'auto' || more === undefined) {
            commit(next);
          } else {
            set('by', next);
          }
        }}
      />
      {current !== 'auto' && current !== 'inherit' && (
        <>
          <ChoiceField
            label={t('approval.deputy')}
            value={typeof more?.deputy === 'string' ? more.deputy : undefined}
            options={people.filter((one) => one.value !== current)}
            clearable
            commit={(next) => set('deputy', next)}
          />
          <DurationField
            label={t('approval.expires')}
            value={more?.expires}
            commit={(next) => set('expires', next)}
          />
          <ChoiceField
            label={t('approval.lapse')}
            value={typeof more?.lapse === 'string' ? more.lapse : 'skip'}
            options={LAPSES.map((one) => ({ value: one, label: t(`lapse.${one}`) }))}
            commit={(next) => set('lapse', next === 'skip' ? undefined : next)}
          />
        </>
      )}
    </>
  );
}
