import { MultiSelect, NumberInput, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { language } from '../../../words';
import { sectionQuery } from '../edit/calls';
import { EditSection, type FormProps } from '../edit/EditSection';
import { asList, asText, asTexts } from '../parts/values';
import { Facts } from './Facts';
import classes from './sections.module.css';
import { inWords } from './topics';
import { asNumber, asRaw } from './values';

/** The word for the channel as a whole. */
const EMAIL = 'email';
const PER_DAY_MAX = 100;
const DAYS_MAX = 365;

type ConsentForm = { email: boolean; topics: string[]; perDay: number | ''; days: number | '' };

const readConsent = (value: unknown): ConsentForm => {
  const raw = asRaw(value);
  const own = asTexts(raw.double_opt_in);
  return {
    email: own.includes(EMAIL),
    topics: own.filter((one) => one !== EMAIL),
    perDay: asNumber(raw.confirmations_per_day),
    days: asNumber(raw.confirm_within_days),
  };
};

const writeConsent = ({ email, topics, perDay, days }: ConsentForm) => ({
  double_opt_in: [...(email ? [EMAIL] : []), ...topics],
  confirmations_per_day: perDay,
  confirm_within_days: days,
});

/** How sign-ups are confirmed. */
export function Consent() {
  const { t } = useTranslation('settings');
  const { data } = useQuery(sectionQuery('topics'));
  const topics = asList(data?.value).map((one) => ({
    value: asText(one.id),
    label: inWords(one.name, language()) || asText(one.id),
  }));
  const check = ({ perDay, days }: ConsentForm) => [
    ...(perDay === '' ? [{ field: 'confirmations_per_day', message: t('edit.number') }] : []),
    ...(days === '' ? [{ field: 'confirm_within_days', message: t('edit.number') }] : []),
  ];
  return (
    <EditSection<ConsentForm>
      section="consent"
      title={t('consent.title')}
      text={t('consent.text')}
      shape={{ read: readConsent, write: writeConsent, check }}
      read={(form) => {
        const names = form.topics.map((id) => topics.find((one) => one.value === id)?.label ?? id);
        return (
          <Facts
            list={[
              [
                t('consent.what'),
                [...(form.email ? [t('consent.all')] : []), ...names].join(', ') || t('consent.nothing'),
              ],
              [t('consent.perDay'), String(form.perDay)],
              [t('consent.days'), t('workspace.expiry.d', { count: Number(form.days) })],
            ]}
          />
        );
      }}
      edit={(props) => <Edit {...props} topics={topics} />}
      fields={['double_opt_in', 'confirmations_per_day', 'confirm_within_days']}
    />
  );
}

type EditProps = FormProps<ConsentForm> & { topics: { value: string; label: string }[] };

function Edit({ form, set, wrong, topics }: EditProps) {
  const { t } = useTranslation('settings');
  const unknown = form.topics.filter((id) => !topics.some((one) => one.value === id));
  return (
    <div className={classes.fields}>
      <Switch
        className={classes.whole ?? ''}
        label={t('consent.email')}
        description={t('consent.emailText')}
        checked={form.email}
        onChange={(event) => set({ email: event.currentTarget.checked })}
      />
      <MultiSelect
        className={classes.whole ?? ''}
        label={t('consent.topics')}
        data={[...topics, ...unknown.map((id) => ({ value: id, label: id }))]}
        value={form.topics}
        onChange={(own) => set({ topics: own })}
        nothingFoundMessage={t('nothingFound')}
        error={wrong('double_opt_in')}
      />
      <NumberInput
        label={t('consent.perDay')}
        min={1}
        max={PER_DAY_MAX}
        allowDecimal={false}
        value={form.perDay}
        onChange={(perDay) => set({ perDay: asNumber(perDay) })}
        error={wrong('confirmations_per_day')}
      />
      <NumberInput
        label={t('consent.days')}
        min={1}
        max={DAYS_MAX}
        allowDecimal={false}
        value={form.days}
        onChange={(days) => set({ days: asNumber(days) })}
        error={wrong('confirm_within_days')}
      />
    </div>
  );
}
