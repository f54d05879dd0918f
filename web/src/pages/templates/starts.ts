/** Starting points of a new template, each in the languages of the interface; others begin from the English one. */
import type { Form } from './files';

export const STARTS = ['letter', 'reminder', 'newsletter', 'digest', 'sms'] as const;
export type Start = (typeof STARTS)[number];

export const START_FORMS: Record<Start, Form> = {
  letter: 'txt',
  reminder: 'txt',
  newsletter: 'mjml',
  digest: 'txt',
  sms: 'txt',
};

const HELLO = '{% if contact.first_name %} {{ contact.first_name }}{% endif %}';
const OWNER = '{{ owner.name | default(workspace.name) }}';

type Texts = {
  hello: string;
  regards: string;
  letter: { subject: string; body: string };
  reminder: { subject: string; body: string };
  newsletter: { subject: string; heading: string; body: string; button: string; unsubscribe: string };
  digest: { subject: string; lead: string; line: string };
  sms: string;
};

const NUMBER = '{% if subject.number %} {{ subject.number }}{% endif %}';
const SUM =
  '{{ subjects | length }} {{ subjects | length | plural("invoice", "invoices") }}: {{ subjects | total("amount") }}';

const TEXTS: Record<string, Texts> = {
  en: {
    hello: `Hello${HELLO},`,
    regards: 'Kind regards,',
    letter: { subject: 'A word about your request', body: 'Write here what you would write to one person.' },
    reminder: {
      subject: `Re: Our offer${NUMBER}`,
      body: `I'm coming back to our offer${NUMBER}. Have you had a chance to look at it?\n\nIf anything is unclear, just reply to this mail.`,
    },
    newsletter: {
      subject: 'News from {{ workspace.name }}',
      heading: 'What is new',
      body: 'One idea, said plainly, and what the reader gains by it.',
      button: 'Read on',
      unsubscribe: 'Unsubscribe',
    },
    digest: { subject: SUM, lead: 'These are still open:', line: 'due {{ invoice.due | date }}' },
    sms: `{{ workspace.name }}: {{ contact.first_name | default("hello") }}, your order${NUMBER} is ready.`,
  },
  ru: {
    hello: `Здравствуйте${HELLO.replace(' {{', ', {{')}!`,
    regards: 'С уважением,',
    letter: { subject: 'По вашему запросу', body: 'Напишите здесь то, что написали бы одному человеку.' },
    reminder: {
      subject: `Re: Наше предложение${NUMBER}`,
      body: `Возвращаюсь к нашему предложению${NUMBER}. Удалось ли вам его посмотреть?\n\nЕсли остались вопросы, просто ответьте на это письмо.`,
    },
    newsletter: {
      subject: 'Новости {{ workspace.name }}',
      heading: 'Что нового',
      body: 'Одна мысль простыми словами — и чем она полезна читателю.',
      button: 'Читать дальше',
      unsubscribe: 'Отписаться',
    },
    digest: {
      subject: SUM.replace('"invoice", "invoices"', '"счёт", "счёта", "счетов"'),
      lead: 'Эти счета ещё не оплачены:',
      line: 'срок {{ invoice.due | date }}',
    },
    sms: `{{ workspace.name }}: {{ contact.first_name | default("здравствуйте") }}, ваш заказ${NUMBER} готов.`,
  },
  ja: {
    hello: '{% if contact.name %}{{ contact.name }} 様{% else %}お客様各位{% endif %}',
    regards: '何卒よろしくお願いいたします。',
    letter: { subject: 'お問い合わせの件', body: 'お一人に宛てるつもりで本文を書いてください。' },
    reminder: {
      subject: `Re: お見積もり${NUMBER} の件`,
      body: `先日お送りしたお見積もり${NUMBER} はご確認いただけましたでしょうか。\n\nご不明な点がございましたら、このメールにご返信ください。`,
    },
    newsletter: {
      subject: '{{ workspace.name }} からのお知らせ',
      heading: '新しいお知らせ',
      body: 'お伝えしたいことを一つ、読み手の利点とともに簡潔に書いてください。',
      button: '続きを読む',
      unsubscribe: '配信停止',
    },
    digest: {
      subject: '未払いの請求書 {{ subjects | length }} 件：{{ subjects | total("amount") }}',
      lead: '次の請求書のお支払いを確認できておりません。',
      line: '期限 {{ invoice.due | date }}',
    },
    sms: `{{ workspace.name }}：ご注文${NUMBER} の準備ができました。`,
  },
};

const head = (subject: string, kind: string) =>
  `---\nsubject: ${JSON.stringify(subject)}\nkind: ${kind}\n---\n`;

export function startText(start: Start, language: string): string {
  const texts = TEXTS[language.slice(0, 2)] ?? TEXTS.en;
  if (texts === undefined) {
    return '';
  }
  const letter = (body: string) => `${texts.hello}\n\n${body}\n\n${texts.regards}\n${OWNER}\n`;
  switch (start) {
    case 'letter':
      return head(texts.letter.subject, 'service') + letter(texts.letter.body);
    case 'reminder':
      return head(texts.reminder.subject, 'service') + letter(texts.reminder.body);
    case 'newsletter':
      return head(texts.newsletter.subject, 'marketing') + newsletter(texts, language);
    case 'digest': {
      const lines =
        '{% for invoice in subjects %}\n' +
        `- {{ invoice.number }}, {{ invoice.amount | money(invoice.currency) }}, ${texts.digest.line}\n` +
        '{% endfor %}';
      return head(texts.digest.subject, 'service') + letter(`${texts.digest.lead}\n\n${lines}`);
    }
    case 'sms':
      return `${head('SMS', 'service')}${texts.sms}\n`;
  }
}

function newsletter(texts: Texts, language: string): string {
  const { heading, body, button, unsubscribe } = texts.newsletter;
  return `<mjml lang="${language || 'en'}">
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.6" color="#24302c" padding="8px 32px" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f1f4f2" width="600px">
    <mj-section padding="28px 0 12px">
      <mj-column>
        <mj-text align="center" font-weight="700">{{ workspace.name }}</mj-text>
      </mj-column>
    </mj-section>
    <mj-section background-color="#ffffff" border-radius="12px" padding="28px 0 32px">
      <mj-column>
        <mj-text font-size="24px" font-weight="700">${heading}</mj-text>
        <mj-text>${texts.hello}</mj-text>
        <mj-text>${body}</mj-text>
        <mj-button href="{{ workspace.url }}" background-color="#3b5bdb" color="#ffffff" border-radius="8px" align="left" padding="16px 32px">${button}</mj-button>
      </mj-column>
    </mj-section>
    <mj-section padding="16px 0 32px">
      <mj-column>
        <mj-text font-size="13px" color="#5c636a" align="center">{{ workspace.name }}{% if workspace.address %}, {{ workspace.address }}{% endif %} · <a href="{{ links.unsubscribe }}">${unsubscribe}</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
`;
}
