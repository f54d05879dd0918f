/** The menu: every place, and what a person must be allowed to see it. */
import {
  IconAddressBook,
  IconBriefcase,
  IconBuildingBank,
  IconChartBar,
  IconChecklist,
  IconFileImport,
  IconFileInvoice,
  IconFileSearch,
  IconHome,
  IconListDetails,
  IconMail,
  IconRoute,
  IconSend,
  IconSettings,
  IconUsersGroup,
} from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { Permission } from './useSession';

export type Place = {
  to: string;
  /** Of the words, `place.NAME`. */
  name: string;
  icon: ComponentType<{ size?: number; stroke?: number }>;
  needs?: Permission;
};

export const PARTS: { name: string; places: Place[] }[] = [
  {
    name: 'work',
    places: [
      { to: '/', name: 'overview', icon: IconHome },
      { to: '/approvals', name: 'approvals', icon: IconChecklist, needs: 'approve' },
      { to: '/tasks', name: 'tasks', icon: IconBriefcase },
      { to: '/documents', name: 'documents', icon: IconFileInvoice },
      { to: '/payments', name: 'payments', icon: IconBuildingBank },
      { to: '/contacts', name: 'contacts', icon: IconAddressBook },
      { to: '/messages', name: 'messages', icon: IconSend },
      { to: '/reports', name: 'reports', icon: IconChartBar },
    ],
  },
  {
    name: 'automation',
    places: [
      { to: '/journeys', name: 'journeys', icon: IconRoute },
      { to: '/segments', name: 'segments', icon: IconUsersGroup },
      { to: '/templates', name: 'templates', icon: IconMail },
      { to: '/lists', name: 'lists', icon: IconListDetails },
    ],
  },
  {
    name: 'house',
    places: [
      { to: '/imports', name: 'imports', icon: IconFileImport, needs: 'import' },
      { to: '/recognition', name: 'recognition', icon: IconFileSearch, needs: 'work' },
      { to: '/settings', name: 'settings', icon: IconSettings },
    ],
  },
];
