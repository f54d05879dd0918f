import {
  ActionIcon,
  AppShell,
  Badge,
  Box,
  Burger,
  Center,
  Group,
  Loader,
  Menu,
  NavLink,
  ScrollArea,
  Text,
  Tooltip,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import {
  IconDeviceDesktop,
  IconLanguage,
  IconLogout,
  IconMoon,
  IconPlugConnectedX,
  IconSearch,
  IconSun,
  IconUser,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../api/client';
import { useLive } from '../api/live';
import { failureOf } from '../api/problem';
import { queries } from '../api/queries';
import { GoOn } from '../shared/GoOn';
import { tellFailure } from '../shared/tell';
import { isLanguage, LANGUAGE_NAMES, LANGUAGES, speak } from '../words';
import { DemoBar } from './DemoBar';
import { KeyHelp } from './KeyHelp';
import { PARTS, type Place } from './places';
import { QuietBanner } from './QuietBanner';
import classes from './Shell.module.css';
import { SignInAgain } from './SignInAgain';
import { sessionQuery, useMay, useSession } from './useSession';

const loadSearch = () => import('./Search').then((module) => ({ default: module.Search }));
const Search = lazy(loadSearch);
/** The search is fetched when the page has nothing else to do: Ctrl K then opens it at once. */
const IDLE_MS_MAX = 4_000;

/** The frame of every page for whoever is signed in. */
export function Shell() {
  const { error, data } = useQuery(sessionQuery);
  if (data !== undefined) {
    return <Frame />;
  }
  if (error !== null) {
    const failure = failureOf(error);
    if (failure.status === 401) {
      const setup = failure.problem.setup_needed === true;
      const here = encodeURIComponent(window.location.pathname + window.location.search);
      return <GoOn to={`${setup ? '/setup' : '/sign-in'}?to=${here}`} />;
    }
    throw error;
  }
  return (
    <Center mih="100vh">
      <Loader role="status" aria-label="Relance" />
    </Center>
  );
}

function Frame() {
  const { t } = useTranslation('shell');
  const [opened, { toggle, close }] = useDisclosure(false);
  const [searching, setSearching] = useState(false);
  const reached = useLive();
  const mine = useSession();
  const { pathname } = useLocation();
  const counts = useWaiting();

  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that opens closes the menu of a phone
  useEffect(close, [pathname]);
  useEffect(() => {
    const chosen = mine?.user?.language;
    if (isLanguage(chosen) && localStorage.getItem('relance-language') === null) {
      speak(chosen).catch(tellFailure);
    }
  }, [mine]);
  useEffect(() => {
    const idle = window.requestIdleCallback ?? ((run: () => void) => setTimeout(run, IDLE_MS_MAX));
    // What could not be fetched now is fetched when it is asked for.
    idle(() => loadSearch().catch(() => undefined), { timeout: IDLE_MS_MAX });
  }, []);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        setSearching(true);
      }
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);

  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 228, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={0}
      layout="alt"
    >
      <a href="#page" className={classes.skip}>
        {t('skip')}
      </a>
      <AppShell.Header px="md" className={classes.header}>
        <Group h="100%" justify="space-between" wrap="nowrap" gap="sm">
          <Group gap="sm" wrap="nowrap" style={{ minWidth: 0 }}>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('menu')} />
            <UnstyledButton className={classes.search} onClick={() => setSearching(true)}>
              <IconSearch size={16} aria-hidden />
              <Text size="sm" c="dimmed" truncate>
                {t('search.open')}
              </Text>
              <Text size="xs" c="dimmed" visibleFrom="sm" component="kbd" className={classes.kbd}>
                Ctrl K
              </Text>
            </UnstyledButton>
          </Group>
          <Group gap={4} wrap="nowrap">
            {!reached && (
              <Tooltip label={t('unreached')}>
                <Badge
                  color="orange"
                  variant="light"
                  leftSection={<IconPlugConnectedX size={14} aria-hidden />}
                  role="status"
                >
                  <Box visibleFrom="sm">{t('unreachedShort')}</Box>
                </Badge>
              </Tooltip>
            )}
            <LanguageMenu />
            <SchemeMenu />
            <UserMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} aria-label={t('menu')}>
        <AppShell.Section className={classes.brand}>
          <img src="/icon.svg" alt="" width={26} height={26} />
          <Box style={{ minWidth: 0, flex: 1 }}>
            <Text fw={700} lh={1.1}>
              Relance
            </Text>
            <Text size="xs" c="dimmed" truncate title={mine?.workspace.name}>
              {mine?.workspace.name}
            </Text>
          </Box>
          <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label={t('closeMenu')} />
        </AppShell.Section>
        <AppShell.Section grow component={ScrollArea} px="xs">
          <Navigation counts={counts} />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="page" tabIndex={-1} className={classes.main}>
        <DemoBar />
        <QuietBanner />
        <Outlet />
      </AppShell.Main>
      <SignInAgain />
      <KeyHelp />
      {searching && (
        <Suspense>
          <Search close={() => setSearching(false)} />
        </Suspense>
      )}
    </AppShell>
  );
}

/** What waits for the person, beside the pages where it waits. */
function useWaiting(): Record<string, number> {
  const { data } = useQuery({
    queryKey: ['overview', 'waiting'],
    queryFn: () => answer(api.GET('/api/v1/overview')),
  });
  return { '/approvals': data?.waiting.approvals.count ?? 0, '/tasks': data?.waiting.tasks.count ?? 0 };
}

function Navigation({ counts }: { counts: Record<string, number> }) {
  const { t } = useTranslation('shell');
  const may = useMay();
  const { pathname } = useLocation();
  const here = (place: Place) => (place.to === '/' ? pathname === '/' : pathname.startsWith(place.to));
  return PARTS.map((part) => {
    const places = part.places.filter((place) => place.needs === undefined || may(place.needs));
    return (
      places.length > 0 && (
        <Box key={part.name} component="section" aria-label={t(`part.${part.name}`)} mb="sm">
          <Text size="xs" c="dimmed" px="sm" pb={2} aria-hidden>
            {t(`part.${part.name}`)}
          </Text>
          {places.map((place) => {
            const count = counts[place.to] ?? 0;
            return (
              <NavLink
                key={place.to}
                component={Link}
                to={place.to}
                label={t(`place.${place.name}`)}
                leftSection={<place.icon size={18} stroke={1.6} aria-hidden />}
                active={here(place)}
                aria-current={here(place) ? 'page' : undefined}
                className={classes.link}
                rightSection={
                  count > 0 && (
                    <Badge size="sm" variant="filled" circle={count < 10}>
                      {count}
                      <VisuallyHidden> {t('waiting')}</VisuallyHidden>
                    </Badge>
                  )
                }
              />
            );
          })}
        </Box>
      )
    );
  });
}

function LanguageMenu() {
  const { t, i18n } = useTranslation('shell');
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('language')}>
          <IconLanguage size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {LANGUAGES.map((one) => (
          <Menu.Item
            key={one}
            lang={one}
            onClick={() => speak(one).catch(tellFailure)}
            aria-current={i18n.language === one}
            fw={i18n.language === one ? 600 : 400}
          >
            {LANGUAGE_NAMES[one]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function SchemeMenu() {
  const { t } = useTranslation('shell');
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemes = [
    { value: 'light', icon: IconSun },
    { value: 'dark', icon: IconMoon },
    { value: 'auto', icon: IconDeviceDesktop },
  ] as const;
  const Current = schemes.find((one) => one.value === colorScheme)?.icon ?? IconSun;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('scheme.label')}>
          <Current size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map((one) => (
          <Menu.Item
            key={one.value}
            leftSection={<one.icon size={16} aria-hidden />}
            onClick={() => setColorScheme(one.value)}
          >
            {t(`scheme.${one.value}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function UserMenu() {
  const { t } = useTranslation('shell');
  const mine = useSession();
  const router = useRouter();
  const leave = async () => {
    await answer(api.DELETE('/api/v1/session'));
    queries.clear();
    await router.navigate({ to: '/sign-in' });
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('you')}>
          <IconUser size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={600} className="breaks" lineClamp={2}>
            {mine?.user?.name ?? mine?.user?.address}
          </Text>
          <Text size="xs" c="dimmed" className="breaks">
            {mine?.user?.address}
          </Text>
        </Menu.Label>
        <Menu.Item component={Link} to="/settings/me">
          {t('mySettings')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLogout size={16} aria-hidden />}
          onClick={() => leave().catch(tellFailure)}
        >
          {t('signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
