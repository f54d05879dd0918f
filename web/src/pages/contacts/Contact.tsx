/** A person: who they are, what happened with them and why, what they allow. */
import { Alert, Anchor, Avatar, Button, Group, Menu, Skeleton, Stack, Tabs, Text } from '@mantine/core';
import { IconDotsVertical, IconDownload, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf } from '../../api/problem';
import { Empty } from '../../shared/DataList';
import { Page } from '../../shared/Page';
import { ProblemNote } from '../../shared/ProblemNote';
import { textOf, useAddress } from '../../shared/useAddress';
import { useMay } from '../../shell/useSession';
import { contactQuery } from './api';
import { ChannelBadges } from './ChannelBadges';
import { ConsentsTab } from './ConsentsTab';
import { Grade } from './Contacts';
import { EraseModal } from './EraseModal';
import { IdentitiesTab } from './IdentitiesTab';
import { ObjectsTab } from './ObjectsTab';
import { type Contact as ContactShape, companyOf, nameOf, ownerOf, trait } from './people';
import { RunsTab } from './RunsTab';
import { SegmentsTab } from './SegmentsTab';
import { TimelineTab } from './TimelineTab';
import { WhyTab } from './WhyTab';

const TABS = ['timeline', 'why', 'consents', 'objects', 'segments', 'runs', 'identities'] as const;
type Tab = (typeof TABS)[number];

export function Contact() {
  const { t } = useTranslation('contacts');
  const params: { id?: string } = useParams({ strict: false });
  const id = params.id ?? '';
  const query = useQuery(contactQuery(id));
  if (query.data !== undefined) {
    return <Whole contact={query.data} />;
  }
  return (
    <Page title={t('contact')}>
      {!query.isError ? (
        <Stack aria-hidden>
          <Skeleton height={72} />
          <Skeleton height={36} width="60%" />
          <Skeleton height={320} />
        </Stack>
      ) : failureOf(query.error).status === 404 ? (
        <Empty title={t('gone.title')} text={t('gone.text')} />
      ) : (
        <ProblemNote error={query.error} retry={() => query.refetch()} />
      )}
    </Page>
  );
}

function Whole({ contact }: { contact: ContactShape }) {
  const { t } = useTranslation('contacts');
  const [address, change] = useAddress();
  const wanted = textOf(address.tab);
  const tab: Tab = TABS.find((one) => one === wanted) ?? 'timeline';
  const { id } = contact;
  const panels: Record<Tab, ReactNode> = {
    timeline: <TimelineTab id={id} />,
    why: <WhyTab id={id} />,
    consents: <ConsentsTab contact={contact} />,
    objects: <ObjectsTab id={id} />,
    segments: <SegmentsTab id={id} />,
    runs: <RunsTab id={id} />,
    identities: <IdentitiesTab contact={contact} />,
  };
  return (
    <Page title={nameOf(contact)} lead={<Header contact={contact} />} actions={<Actions contact={contact} />}>
      {contact.merged_into !== undefined && (
        <Alert color="yellow" variant="light" title={t('mergedInto')}>
          <Anchor
            size="sm"
            renderRoot={(props) => (
              <Link {...props} to="/contacts/$id" params={{ id: contact.merged_into ?? '' }} />
            )}
          >
            {t('toSurvivor')}
          </Anchor>
        </Alert>
      )}
      {contact.erased === true ? (
        <Empty title={t('erased.title')} text={t('erased.text')} />
      ) : (
        <Tabs
          value={tab}
          onChange={(next) =>
            change(
              {
                tab: next === 'timeline' ? undefined : (next ?? undefined),
                journey: undefined,
                message: undefined,
                kinds: undefined,
              },
              { push: true },
            )
          }
          keepMounted={false}
        >
          <Tabs.List aria-label={t('parts')}>
            {TABS.map((one) => (
              <Tabs.Tab key={one} value={one} px="sm">
                {t(`tab.${one}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          {TABS.map((one) => (
            <Tabs.Panel key={one} value={one} pt="md">
              {panels[one]}
            </Tabs.Panel>
          ))}
        </Tabs>
      )}
    </Page>
  );
}

function Header({ contact }: { contact: ContactShape }) {
  const { t } = useTranslation('contacts');
  const { traits } = contact;
  const owner = ownerOf(contact);
  const company = contact.company ?? companyOf(traits);
  const reached = [contact.email ?? trait(traits, 'email'), contact.phone ?? trait(traits, 'phone')].filter(
    (one) => one !== undefined,
  );
  return (
    <Group gap="sm" mt={4} wrap="nowrap" align="flex-start">
      <Avatar name={nameOf(contact)} color="initials" aria-hidden />
      <Stack gap={4} style={{ minWidth: 0 }}>
        <Group gap="xs">
          {company !== undefined && (
            <Text size="sm" c="var(--mantine-color-text)" className="breaks" lineClamp={2}>
              {company}
            </Text>
          )}
          <Grade grade={trait(traits, 'grade')} />
          {reached.map((one) => (
            <Text key={one} size="sm" className="breaks" lineClamp={1}>
              {one}
            </Text>
          ))}
        </Group>
        <Group gap="xs">
          <Text size="sm" className="breaks" lineClamp={2}>
            {owner === undefined ? t('noOwner') : t('ownerIs', { owner })}
          </Text>
          <ChannelBadges contact={contact} all />
        </Group>
      </Stack>
    </Group>
  );
}

function Actions({ contact }: { contact: ContactShape }) {
  const { t } = useTranslation('contacts');
  const may = useMay();
  const [erasing, setErasing] = useState(false);
  if (!may('export') && !may('erase')) {
    return null;
  }
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" size="sm" px={8} aria-label={t('more')}>
            <IconDotsVertical size={16} aria-hidden />
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {may('export') && (
            <Menu.Item
              component="a"
              href={`/api/v1/contacts/${encodeURIComponent(contact.id)}/export`}
              download
              leftSection={<IconDownload size={15} aria-hidden />}
            >
              {t('exportHeld')}
            </Menu.Item>
          )}
          {may('erase') && contact.erased !== true && (
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={15} aria-hidden />}
              onClick={() => setErasing(true)}
            >
              {t('erase')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {erasing && <EraseModal contact={contact} close={() => setErasing(false)} />}
    </>
  );
}
