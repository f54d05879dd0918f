import { Group, MultiSelect, NumberInput, Select, TagsInput, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useNow } from '../../../shared/useNow';
import { isLanguage, LANGUAGE_NAMES, LANGUAGES, language } from '../../../words';
import { sectionQuery } from '../edit/calls';
import { EditSection, type FormProps } from '../edit/EditSection';
import { asList, asText } from '../parts/values';
import { Facts } from './Facts';
import {
  checkGeneral,
  EXPIRY_UNITS,
  GENERAL_FIELDS,
  type GeneralForm,
  readGeneral,
  SERVICE_ASKS,
  writeGeneral,
} from './general';
import classes from './sections.module.css';
import { inWords } from './topics';
import { CALENDARS, countries } from './values';
import { timeIn, ZoneField } from './ZoneField';

const SENDER = 'news@example.com';

/** Beyond it hardly anybody would be written to. */
const HOLDOUT_PERCENT_MAX = 90;

/** Who we are, where and when. */
export function General() {
  const { t } = useTranslation('settings');
  return (
    <EditSection<GeneralForm>
      section="workspace"
      title={t('part.workspace')}
      text={t('workspace.lead')}
      shape={{ read: readGeneral, write: writeGeneral, check: (form) => checkGeneral(form, t) }}
      read={(form, only) => <Read form={form} only={only} />}
      edit={(props) => <Edit {...props} />}
      fields={GENERAL_FIELDS}
      wait={480}
    />
  );
}

/** Topics by id and by name in the reader's language. */
function useTopics(): { value: string; label: string }[] {
  const { data } = useQuery(sectionQuery('topics'));
  return asList(data?.value).map((one) => ({
    value: asText(one.id),
    label: inWords(one.name, language()) || asText(one.id),
  }));
}

const languageName = (code: string) => (isLanguage(code) ? LANGUAGE_NAMES[code] : code);

type ReadProps = { form: GeneralForm; only: ((key: string) => boolean) | undefined };

function Read({ form, only }: ReadProps) {
  const { t, i18n } = useTranslation('settings');
  const now = useNow();
  const topics = useTopics();
  const country = useMemo(
    () => countries(i18n.language).find((one) => one.value === form.country)?.label ?? form.country,
    [form.country, i18n.language],
  );
  return (
    <Facts
      only={only}
      list={[
        [t('workspace.name'), form.name, 'name'],
        [t('workspace.public_url'), form.public_url, 'public_url'],
        [t('workspace.internal_domains'), form.internal_domains.join(', '), 'internal_domains'],
        [
          t('workspace.zone'),
          <>
            {form.zone.replaceAll('_', ' ')}{' '}
            <Text span size="xs" c="dimmed" className="numbers">
              {timeIn(form.zone, i18n.language, now)}
            </Text>
          </>,
          'zone',
        ],
        [
          t('workspace.calendar'),
          t(`workspace.calendarIs.${form.calendar}`, { defaultValue: form.calendar }),
          'calendar',
        ],
        [t('workspace.language'), languageName(form.language), 'language'],
        [t('workspace.country'), country, 'country'],
        [t('workspace.address'), form.address, 'address'],
        [t('workspace.from_name'), form.from_name, 'from_name'],
        [
          t('workspace.approval_expiry'),
          t(`workspace.expiry.${form.expiryUnit}`, {
            count: Number(form.expiry),
            defaultValue: `${form.expiry}${form.expiryUnit}`,
          }),
          'expiry',
        ],
        [t('workspace.holdout'), `${form.holdout === '' ? 0 : form.holdout} %`, 'holdout'],
        [
          t('workspace.opt_in_topics'),
          form.opt_in_topics.map((id) => topics.find((one) => one.value === id)?.label ?? id).join(', '),
          'opt_in_topics',
        ],
        [
          t('workspace.service_asks'),
          form.service_asks
            .map((one) => t(`workspace.service_asksIs.${one}`, { defaultValue: one }))
            .join(', '),
          'service_asks',
        ],
      ]}
    />
  );
}

function Edit({ form, set, wrong }: FormProps<GeneralForm>) {
  const { t, i18n } = useTranslation('settings');
  const topics = useTopics();
  const lands = useMemo(() => countries(i18n.language), [i18n.language]);
  const text = (field: 'name' | 'public_url' | 'address' | 'from_name') => ({
    label: t(`workspace.${field}`),
    value: form[field],
    onChange: (event: { currentTarget: { value: string } }) => set({ [field]: event.currentTarget.value }),
    error: wrong(field),
  });
  const known = (list: string[]) =>
    list.filter((id) => !topics.some((one) => one.value === id)).map((id) => ({ value: id, label: id }));
  return (
    <div className={classes.fields}>
      <div className={classes.groupName}>{t('workspace.group.company')}</div>
      <TextInput {...text('name')} />
      <TextInput
        {...text('public_url')}
        type="url"
        description={t('workspace.public_urlText')}
        inputWrapperOrder={BELOW}
      />
      <TagsInput
        className={classes.whole ?? ''}
        label={t('workspace.internal_domains')}
        description={t('workspace.internal_domainsText')}
        inputWrapperOrder={BELOW}
        placeholder={form.internal_domains.length === 0 ? 'example.com' : ''}
        splitChars={[',', ' ', ';']}
        acceptValueOnBlur
        value={form.internal_domains}
        onChange={(internal_domains) => set({ internal_domains })}
        error={wrong('internal_domains')}
      />
      <div className={classes.groupName}>{t('workspace.group.time')}</div>
      <ZoneField
        label={t('workspace.zone')}
        value={form.zone}
        onChange={(zone) => set({ zone })}
        error={wrong('zone')}
      />
      <Select
        label={t('workspace.calendar')}
        data={[...new Set([...CALENDARS, form.calendar])].map((value) => ({
          value,
          label: t(`workspace.calendarIs.${value}`, { defaultValue: value }),
        }))}
        value={form.calendar}
        allowDeselect={false}
        onChange={(calendar) => set({ calendar: calendar ?? form.calendar })}
        error={wrong('calendar')}
      />
      <Select
        label={t('workspace.language')}
        data={[...new Set([...LANGUAGES, form.language])].map((value) => ({
          value,
          label: languageName(value),
        }))}
        value={form.language}
        allowDeselect={false}
        onChange={(chosen) => set({ language: chosen ?? form.language })}
        error={wrong('language')}
      />
      <Select
        label={t('workspace.country')}
        data={lands}
        value={form.country === '' ? null : form.country}
        searchable
        clearable
        selectFirstOptionOnChange
        limit={60}
        comboboxProps={{ keepMounted: false }}
        placeholder={t('workspace.unset')}
        nothingFoundMessage={t('nothingFound')}
        onChange={(country) => set({ country: country ?? '' })}
        error={wrong('country')}
      />
      <div className={classes.groupName}>{t('workspace.group.sender')}</div>
      <TextInput {...text('address')} type="email" placeholder={SENDER} />
      <TextInput {...text('from_name')} />
      <div className={classes.groupName}>{t('workspace.group.rules')}</div>
      <Group gap={6} align="flex-end" wrap="nowrap">
        <NumberInput
          style={{ flex: 1 }}
          label={t('workspace.approval_expiry')}
          min={1}
          allowDecimal={false}
          value={form.expiry}
          onChange={(expiry) => set({ expiry: typeof expiry === 'number' ? expiry : '' })}
          error={wrong('approval_expiry')}
        />
        <Select
          style={{ flex: 1 }}
          aria-label={t('workspace.unit')}
          data={[...new Set([...EXPIRY_UNITS, form.expiryUnit])].map((value) => ({
            value,
            label: t(`workspace.unitIs.${value}`, { defaultValue: value }),
          }))}
          value={form.expiryUnit}
          allowDeselect={false}
          onChange={(expiryUnit) => set({ expiryUnit: expiryUnit ?? form.expiryUnit })}
        />
      </Group>
      <NumberInput
        label={t('workspace.holdout')}
        description={t('workspace.holdoutText')}
        inputWrapperOrder={BELOW}
        suffix=" %"
        min={0}
        max={HOLDOUT_PERCENT_MAX}
        decimalScale={1}
        value={form.holdout}
        onChange={(holdout) => set({ holdout: typeof holdout === 'number' ? holdout : '' })}
        error={wrong('holdout')}
      />
      <MultiSelect
        className={classes.whole ?? ''}
        label={t('workspace.opt_in_topics')}
        description={t('workspace.opt_in_topicsText')}
        inputWrapperOrder={BELOW}
        data={[...topics, ...known(form.opt_in_topics)]}
        value={form.opt_in_topics}
        onChange={(opt_in_topics) => set({ opt_in_topics })}
        nothingFoundMessage={t('topics.none')}
        error={wrong('opt_in_topics')}
      />
      <MultiSelect
        className={classes.whole ?? ''}
        label={t('workspace.service_asks')}
        description={t('workspace.service_asksText')}
        inputWrapperOrder={BELOW}
        data={SERVICE_ASKS.map((value) => ({ value, label: t(`workspace.service_asksIs.${value}`) }))}
        value={form.service_asks}
        onChange={(service_asks) => set({ service_asks })}
        error={wrong('service_asks')}
      />
    </div>
  );
}

/** What a field is for stands below it: labels of one line stay on one line. */
const BELOW: ('label' | 'input' | 'description' | 'error')[] = ['label', 'input', 'description', 'error'];
