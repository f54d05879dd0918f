/** What follow-ups cost, for the report that sets it against what they brought. */
import { NumberInput, Text, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../../../shared/format';
import { EditSection, type FormProps } from '../edit/EditSection';
import { asText } from '../parts/values';
import { Facts } from './Facts';
import classes from './sections.module.css';
import { asNumber, asRaw } from './values';

const NUMBERS = ['month', 'message', 'minutes', 'hour'] as const;
type CostsForm = { currency: string } & Record<(typeof NUMBERS)[number], number | ''>;

const readCosts = (value: unknown): CostsForm => {
  const raw = asRaw(value);
  return {
    currency: asText(raw.currency),
    month: asNumber(raw.month),
    message: asNumber(raw.message),
    minutes: asNumber(raw.minutes),
    hour: asNumber(raw.hour),
  };
};

const writeCosts = (form: CostsForm) => ({
  currency: form.currency.trim().toUpperCase(),
  ...Object.fromEntries(NUMBERS.map((name) => [name, form[name] === '' ? 0 : form[name]])),
});

export function Costs() {
  const { t } = useTranslation('settings');
  return (
    <EditSection<CostsForm>
      section="costs"
      title={t('costs.title')}
      text={t('costs.text')}
      shape={{ read: readCosts, write: writeCosts }}
      read={(form) => <Read form={form} />}
      edit={(props) => <Edit {...props} />}
      fields={['currency', ...NUMBERS]}
    />
  );
}

function Read({ form }: { form: CostsForm }) {
  const { t } = useTranslation('settings');
  const format = useFormat();
  if (form.currency === '') {
    return <Text size="sm">{t('costs.none')}</Text>;
  }
  const money = (value: number) => format.amount(String(Math.round(value * 100) / 100), form.currency);
  const reminder = Number(form.message) + (Number(form.minutes) / 60) * Number(form.hour);
  return (
    <Facts
      list={[
        [t('costs.month'), money(Number(form.month))],
        [t('costs.reminder'), money(reminder)],
      ]}
    />
  );
}

function Edit({ form, set, wrong }: FormProps<CostsForm>) {
  const { t } = useTranslation('settings');
  return (
    <div className={classes.fields}>
      <TextInput
        className={classes.whole ?? ''}
        label={t('costs.currency')}
        description={t('costs.currencyText')}
        maxLength={3}
        value={form.currency}
        onChange={(event) => set({ currency: event.currentTarget.value })}
        error={wrong('currency')}
      />
      {NUMBERS.map((name) => (
        <NumberInput
          key={name}
          label={t(`costs.${name}`)}
          description={name === 'month' || name === 'minutes' ? t(`costs.${name}Text`) : undefined}
          min={0}
          decimalScale={4}
          value={form[name]}
          onChange={(value) => set({ [name]: asNumber(value) })}
          error={wrong(name)}
        />
      ))}
    </div>
  );
}
