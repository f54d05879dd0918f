#!/usr/bin/env python3
"""Makes the PDFs of this folder: offers and invoices laid out as accounting programs lay them out.

Each document is written once and printed by one of several independent tools, for what is tried is how each
of them orders, splits and encodes its text: headless Chromium, WeasyPrint, ReportLab, fpdf2, Typst, pdfkit, pdfmake, jsPDF.
Needs: pip install reportlab fpdf2 weasyprint typst pypdf; npm install pdfkit pdfmake jspdf (NODE_PATH); chromium;
fonts DejaVu, Liberation and Noto CJK. Writes the files named by its arguments, or all, and labels.jsonl beside itself.
"""
import base64, json, os, random, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SANS = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
LIBERATION = "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf"
DOCS = []
SET = "first"


def doc(name, tool, number, amount, currency, issued=None, due=None, kind="invoice"):
    def keep(make):
        label = dict(file=name + ".pdf", set=SET, tool=tool, kind=kind, number=number, total_with_tax=amount,
                     currency=currency, issue_date=issued, due_date=due)
        DOCS.append((name, tool, make, label))
        return make
    return keep


def no_doc(name, tool):
    return doc(name, tool, None, None, None, kind=None)


# ------------------------------------------------------------------ the printers

def page(body, css="", lang="en"):
    return (f"<!doctype html><html lang={lang}><meta charset=utf-8><style>@page{{size:A4;margin:14mm}}"
            f"body{{font:10pt 'DejaVu Sans','Noto Sans CJK JP',sans-serif}}table{{border-collapse:collapse;width:100%}}"
            f"td,th{{padding:2px 5px;vertical-align:top;text-align:left}}.g td,.g th{{border:1px solid #000}}"
            f".r{{text-align:right}}{css}</style><body>{body}</body></html>")


def by_chromium(make, path):
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "a.html")
        open(source, "w").write(make())
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer",
                        f"--user-data-dir={folder}/u", f"--print-to-pdf={path}", source],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=90)


def by_weasyprint(make, path):
    import weasyprint
    weasyprint.HTML(string=make()).write_pdf(path)


def by_reportlab(make, path):
    from reportlab.pdfgen import canvas
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    pdfmetrics.registerFont(TTFont("Sans", LIBERATION))
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    out = canvas.Canvas(path, pagesize=(595, 842), invariant=1)
    make(out)
    out.save()


def by_fpdf2(make, path):
    from fpdf import FPDF
    out = FPDF()
    out.add_font("Sans", "", SANS)
    out.add_page()
    out.set_font("Sans", size=10)
    make(out)
    out.output(path)


def by_typst(make, path):
    import typst
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "a.typ")
        open(source, "w").write(make())
        typst.compile(source, output=path)


def by_jspdf(make, path):
    script = ("const {jsPDF}=require('jspdf');const d=new jsPDF({unit:'pt',format:'a4'});d.setFontSize(11);"
              "const t=(x,y,s,o)=>d.text(s,x,y,o);" + make() + "require('fs').writeFileSync(process.argv[1],Buffer.from(d.output('arraybuffer')));")
    subprocess.run(["node", "-e", script, path], check=True)


def by_pdfmake(make, path):
    script = ("const M=require('pdfmake');M.addFonts({Sans:{normal:'" + SANS + "',bold:'" + SANS + "',italics:'" + SANS + "',bolditalics:'" + SANS + "'}});"
              "M.createPdf(Object.assign({defaultStyle:{font:'Sans',fontSize:10}}," + make() + ")).write(process.argv[1]);")
    subprocess.run(["node", "-e", script, path], check=True)


def by_pdfkit(make, path):
    script = ("const P=require('pdfkit'),fs=require('fs');const d=new P({size:'A4',margin:40});"
              "d.pipe(fs.createWriteStream(process.argv[1]));const t=(x,y,s,o)=>d.text(s,x,y,Object.assign({lineBreak:false},o||{}));"
              f"d.font('{SANS}').fontSize(10);" + make() + "d.end();")
    subprocess.run(["node", "-e", script, path], check=True)


# ------------------------------------------------------------------ Russian

def bank_ru(receiver, inn, kpp="770101001"):
    return (f"<table class=g><tr><td colspan=2 rowspan=2>ПАО СБЕРБАНК г. Москва<br><br><small>Банк получателя</small><td>БИК<td>044525225"
            f"<tr><td>Сч. №<td>30101810400000000225<tr><td>ИНН&nbsp;&nbsp;{inn}<td>КПП&nbsp;&nbsp;{kpp}<td rowspan=2>Сч. №<td rowspan=2>40702810938000060473"
            f"<tr><td colspan=2>{receiver}<br><br><small>Получатель</small></table>")


@doc("ru-1c-schet", "chromium", "ЦБ-173", "148320", "RUB", "2026-03-12", "2026-03-19")
def _():
    return page(bank_ru('ООО "Торговый дом Весна"', "7701234567") +
        "<h2>Счет на оплату № ЦБ-173 от 12 марта 2026 г.</h2><hr><table><tr><td>Поставщик<br>(Исполнитель):<td><b>ООО \"Торговый дом Весна\", ИНН 7701234567, КПП 770101001, 105005, Москва г, Бауманская ул, дом 7, тел.: (495) 555-12-34</b>"
        "<tr><td>Покупатель<br>(Заказчик):<td><b>ООО \"Альфа-Строй\", ИНН 5024098765, КПП 502401001</b><tr><td>Основание:<td><b>Договор № 45 от 01.02.2026</b></table>"
        "<table class=g><tr><th>№<th>Артикул<th>Товары (работы, услуги)<th>Кол-во<th>Ед.<th>Цена<th>Сумма"
        "<tr><td>1<td>00-1178<td>Кабель ВВГнг 3х2,5<td class=r>600<td>м<td class=r>98,50<td class=r>59 100,00"
        "<tr><td>2<td>00-2204<td>Щит распределительный<td class=r>4<td>шт<td class=r>16 125,00<td class=r>64 500,00</table>"
        "<table><tr><td class=r><b>Итого:</b><td class=r width=110><b>123 600,00</b><tr><td class=r><b>НДС (20%):</b><td class=r><b>24 720,00</b>"
        "<tr><td class=r><b>Всего к оплате:</b><td class=r><b>148 320,00</b></table>"
        "<p>Всего наименований 2, на сумму 148 320,00 руб.<br><b>Сто сорок восемь тысяч триста двадцать рублей 00 копеек</b>"
        "<p>Оплатить не позднее 19.03.2026<br>Оплата данного счета означает согласие с условиями поставки товара.<br>Товар отпускается по факту прихода денег на р/с Поставщика."
        "<hr><p><b>Руководитель</b> ______ Весенин А. П. &nbsp;&nbsp; <b>Бухгалтер</b> ______ Котова И. И.", lang="ru")


@doc("ru-1c-nds-incl", "weasyprint", "17", "36000", "RUB", "2026-01-09", None)
def _():
    return page(bank_ru('ИП Сидорова Анна Петровна', "772812345678", "") +
        "<h2>Счет на оплату № 17 от 09 января 2026 г.</h2><hr><p>Поставщик: <b>ИП Сидорова Анна Петровна, ИНН 772812345678</b><p>Покупатель: <b>ООО \"Ромашка\", ИНН 7743012345</b>"
        "<table class=g><tr><th>№<th>Наименование<th>Кол-во<th>Ед.<th>Цена<th>Сумма<tr><td>1<td>Обслуживание сайта за январь 2026<td>1<td>мес<td class=r>36 000-00<td class=r>36 000-00</table>"
        "<p class=r>Итого: 36 000-00<br>Без налога (НДС) -<br><b>Всего к оплате: 36 000-00</b>"
        "<p>Всего наименований 1, на сумму 36 000-00 руб.<br>Тридцать шесть тысяч рублей 00 копеек", lang="ru")


@doc("ru-cloud", "reportlab", "2026-0418", "87450.5", "RUB", "2026-04-18", "2026-04-25")
def _(c):
    # The drawing order is that of a form: the values first, their labels afterwards.
    c.setFont("Sans", 9)
    for x, y, s in [(400, 770, "18.04.2026"), (400, 755, "25.04.2026"), (400, 740, "2026-0418"), (430, 520, "72 875,42"), (430, 505, "14 575,08"), (430, 485, "87 450,50 ₽")]:
        c.drawString(x, y, s)
    for x, y, s in [(300, 770, "Дата счёта"), (300, 755, "Срок оплаты"), (300, 740, "Номер счёта"), (40, 770, "ООО «Облачные сервисы»"), (40, 755, "ИНН 7810987654"), (40, 700, "Плательщик: АО «Завод Прогресс», ИНН 6312345678"),
                    (40, 620, "Услуга"), (330, 620, "Кол-во"), (380, 620, "Цена"), (430, 620, "Сумма"), (40, 600, "Аренда сервера, апрель"), (330, 600, "1"), (380, 600, "72 875,42"), (430, 600, "72 875,42"),
                    (330, 520, "Сумма без НДС"), (330, 505, "НДС 20%"), (330, 485, "Итого к оплате")]:
        c.drawString(x, y, s)
    c.setFont("Sans", 18)
    c.drawString(40, 800, "Счёт")


@doc("ru-kp-typst", "typst", "КП-88/26", "1254000", "RUB", "2026-05-20", None, kind="offer")
def _():
    return """#set page(margin: 2cm)
#set text(font: "DejaVu Sans", size: 10pt, lang: "ru")
#grid(columns: (1fr, 1fr), [*ООО «ПромТех»* \\ 620000, Екатеринбург \\ +7 343 222-33-44], align(right)[Исх. № КП-88/26 \\ от 20.05.2026])
#v(1em)
#align(center)[#text(size: 14pt)[*КОММЕРЧЕСКОЕ ПРЕДЛОЖЕНИЕ*]]
Уважаемый Сергей Иванович! Благодарим за интерес к нашей продукции и предлагаем поставку:
#table(columns: (auto, 1fr, auto, auto, auto), [№], [Наименование], [Кол.], [Цена, руб.], [Сумма, руб.], [1], [Компрессор винтовой ВК-30], [2], [540 000], [1 080 000], [2], [Шеф-монтаж], [1], [174 000], [174 000])
#align(right)[*ИТОГО с НДС 20%: 1 254 000 руб.*]
Срок поставки: 45 дней. Условия оплаты: 50% предоплата, 50% по готовности. Предложение действительно до 30.06.2026.
"""


@doc("ru-akt-schet-pdfkit", "pdfkit", "А-1007/2", "15990", "RUB", "2026-06-03", "2026-06-10")
def _():
    return ("t(40,40,'Счёт-договор № А-1007/2 от 03.06.2026',{characterSpacing:0.4});t(40,60,'Исполнитель: ООО «Лайн», ИНН 7705123456, КПП 770501001');t(40,75,'Заказчик: ИП Громов П. С., ИНН 500112345678');"
            "t(40,110,'Наименование');t(330,110,'Кол-во');t(400,110,'Цена');t(480,110,'Сумма');t(40,125,'Подписка на сервис, 12 месяцев');t(330,125,'1');t(400,125,'15 990,00 ₽');t(480,125,'15 990,00 ₽');"
            "t(400,160,'Итого');t(480,160,'15 990,00 ₽');t(400,175,'НДС');t(480,175,'не облагается');t(400,190,'К оплате');t(480,190,'15 990,00 ₽');t(40,230,'Счёт действителен для оплаты до 10.06.2026. Договор считается заключённым с момента оплаты.');")


@doc("ru-letterspaced", "fpdf2", "305", "8250", "RUB", "2026-02-02", None)
def _(p):
    p.set_char_spacing(3)
    p.cell(0, 8, "СЧЕТ № 305", new_x="LMARGIN", new_y="NEXT")
    p.set_char_spacing(0)
    for line in ["от 2 февраля 2026 года", "Получатель: ООО «Типография Принт»  ИНН 3664012345  КПП 366401001", "Плательщик: МБОУ СОШ № 14", "", "Брошюра А5, 150 экз. х 55,00 = 8 250,00", "", "Итого: 8 250,00", "Без НДС", "Всего к оплате: 8 250 (восемь тысяч двести пятьдесят) рублей 00 коп."]:
        p.cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")


# ------------------------------------------------------------------ English

@doc("en-xero", "chromium", "INV-0417", "1386", "GBP", "2026-03-12", "2026-04-11")
def _():
    return page("<table><tr><td width=50%><h1>TAX INVOICE</h1><p>Brightwater Dental Practice<br>14 Mill Lane<br>Reading RG1 2AB<td width=25%><b>Invoice Date</b><br>12 Mar 2026<br><br><b>Invoice Number</b><br>INV-0417<br><br><b>Reference</b><br>PO 88213<br><br><b>VAT Number</b><br>GB 123 4567 89"
                "<td>Harbour Office Supplies Ltd<br>2 Dock Road<br>BRISTOL BS1 6QF</table><br><table><tr><th>Description<th class=r>Quantity<th class=r>Unit Price<th class=r>VAT<th class=r>Amount GBP"
                "<tr><td>Reception desk, oak<td class=r>1.00<td class=r>980.00<td class=r>20%<td class=r>980.00<tr><td>Filing cabinet<td class=r>1.00<td class=r>175.00<td class=r>20%<td class=r>175.00"
                "<tr><td colspan=4 class=r>Subtotal<td class=r>1,155.00<tr><td colspan=4 class=r>TOTAL VAT 20%<td class=r>231.00<tr><td colspan=4 class=r><b>TOTAL GBP</b><td class=r><b>1,386.00</b></table>"
                "<h3>Due Date: 11 Apr 2026</h3><p>Please quote the invoice number with your payment.<br>Sort code 20-00-00 Account 12345678<hr style='border-style:dashed'><h2>PAYMENT ADVICE</h2><table><tr><td>To: Harbour Office Supplies Ltd<td>Customer<td>Brightwater Dental Practice<tr><td><td>Invoice Number<td>INV-0417<tr><td><td>Amount Due<td>1,386.00<tr><td><td>Due Date<td>11 Apr 2026<tr><td><td>Amount Enclosed<td>______<br><small>Enter the amount you are paying above</small></table>")


@doc("en-freshbooks", "weasyprint", "0000128", "4250", "USD", "2026-03-05", "2026-04-04")
def _():
    return page("<p><b>Fernwood Studio</b><br>415 Office Park Drive<br>Birmingham, AL 35223</p><table><tr><td>Billed To<td>Date of Issue<td>Invoice Number<td class=r>Amount Due (USD)<tr><td>Final Frontier LLC<br>77 Fifth Ave<br>New York, NY 10003<td>03/05/2026<br><br>Due Date<br>04/04/2026<td>0000128<td class=r style='font-size:22pt'>$4,250.00</table><hr>"
                "<table><tr><th>Description<th class=r>Rate<th class=r>Qty<th class=r>Line Total<tr><td>Brand identity, first draft<td class=r>$2,500.00<td class=r>1<td class=r>$2,500.00<tr><td>Website refinement<td class=r>$125.00<td class=r>14<td class=r>$1,750.00</table>"
                "<table style='width:40%;margin-left:60%'><tr><td class=r>Subtotal<td class=r>4,250.00<tr><td class=r>Tax<td class=r>0.00<tr><td class=r>Total<td class=r>4,250.00<tr><td class=r>Amount Paid<td class=r>0.00<tr><td class=r>Amount Due (USD)<td class=r>$4,250.00</table>")


@doc("en-stripe", "pdfkit", "B8F2D1C4-0007", "99", "USD", "2026-02-14", "2026-03-16")
def _():
    return ("d.fontSize(18);t(40,40,'Invoice');d.fontSize(9);t(40,75,'Invoice number');t(140,75,'B8F2D1C4-0007');t(40,88,'Date of issue');t(140,88,'February 14, 2026');t(40,101,'Date due');t(140,101,'March 16, 2026');"
            "t(40,130,'Pixelform, Inc.');t(40,143,'548 Market Street');t(300,130,'Bill to');t(300,143,'Jana Novak');t(300,156,'jana@example.org');d.fontSize(14);t(40,190,'$99.00 USD due March 16, 2026');d.fontSize(9);t(40,212,'Pay online',{underline:true});"
            "t(40,240,'Description');t(330,240,'Qty');t(400,240,'Unit price');t(500,240,'Amount');t(40,258,'Team plan');t(330,258,'1');t(400,258,'$99.00');t(500,258,'$99.00');t(40,270,'Feb 14 – Mar 14, 2026');t(330,300,'Subtotal');t(500,300,'$99.00');t(330,314,'Total');t(500,314,'$99.00');t(330,328,'Amount due');t(500,328,'$99.00 USD');")


@doc("en-zoho", "chromium", "INV-000231", "2832", "INR", "2026-07-01", "2026-07-16")
def _():
    return page("<table><tr><td><b>Sunrise Traders</b><br>Pune Maharashtra 411001<br>India<br>GSTIN 27AAAPL1234C1ZV<td class=r><span style='font-size:24pt;letter-spacing:4px'>TAX INVOICE</span><br># INV-000231<br><br><b>Balance Due</b><br><b>₹2,832.00</b></table><br>"
                "<table><tr><td>Bill To<br><b>Kaveri Foods</b><td class=r>Invoice Date :<td class=r>01 Jul 2026<tr><td><td class=r>Terms :<td class=r>Net 15<tr><td><td class=r>Due Date :<td class=r>16 Jul 2026<tr><td><td class=r>P.O.# :<td class=r>SO-00077</table>"
                "<table class=g><tr><th>#<th>Item &amp; Description<th>HSN/SAC<th>Qty<th>Rate<th>CGST<th>SGST<th>Amount<tr><td>1<td>Label rolls<td>4821<td>12.00<td>200.00<td>216.00<td>216.00<td class=r>2,400.00</table>"
                "<p class=r>Sub Total &nbsp;&nbsp; 2,400.00<br>CGST9 (9%) &nbsp;&nbsp; 216.00<br>SGST9 (9%) &nbsp;&nbsp; 216.00<br><b>Total &nbsp;&nbsp; ₹2,832.00</b><br><b>Balance Due &nbsp;&nbsp; ₹2,832.00</b><p>Total In Words: Indian Rupee Two Thousand Eight Hundred Thirty-Two Only")


@doc("en-tally", "reportlab", "GST/26-27/089", "118000", "INR", "2026-05-11", None)
def _(c):
    c.setFont("Sans", 8)
    rows = [(40, 800, "Tax Invoice"), (40, 780, "Vikas Electricals"), (40, 770, "12 Ring Road, Surat"), (300, 785, "Invoice No."), (430, 785, "Dated"), (300, 773, "GST/26-27/089"), (430, 773, "11-May-26"), (300, 755, "Delivery Note"), (430, 755, "Mode/Terms of Payment"),
            (300, 725, "Buyer's Order No."), (430, 725, "Dated"), (300, 713, "PO/2026/551"), (430, 713, "2-May-26"), (40, 720, "Buyer (Bill to)"), (40, 708, "Mehta Constructions Pvt Ltd"), (40, 696, "GSTIN/UIN: 24AABCM1234E1Z5"),
            (40, 650, "Sl No."), (75, 650, "Description of Goods"), (300, 650, "HSN/SAC"), (350, 650, "Quantity"), (400, 650, "Rate"), (440, 650, "per"), (490, 650, "Amount"), (40, 636, "1"), (75, 636, "Copper Wire 2.5mm"), (300, 636, "8544"), (350, 636, "100 Nos"), (400, 636, "1,000.00"), (440, 636, "Nos"), (490, 636, "1,00,000.00"),
            (200, 600, "CGST"), (490, 600, "9,000.00"), (200, 588, "SGST"), (490, 588, "9,000.00"), (200, 560, "Total"), (350, 560, "100 Nos"), (490, 560, "₹ 1,18,000.00"), (40, 540, "Amount Chargeable (in words)"), (500, 540, "E. & O.E"), (40, 528, "INR One Lakh Eighteen Thousand Only")]
    for x, y, s in rows:
        c.drawString(x, y, s)


@doc("en-quickbooks-rotated", "reportlab", "1042", "755.25", "USD", "2026-03-09", "2026-03-24")
def _(c):
    c.setPageRotation(90)
    c.translate(595, 0)
    c.rotate(90)
    c.setFont("Helvetica-Bold", 20)
    c.drawString(600, 540, "Invoice")
    c.setFont("Helvetica", 9)
    for x, y, s in [(40, 540, "Lakeside Landscaping LLC"), (40, 528, "88 Shore Rd, Madison, WI 53703"), (600, 505, "Date"), (680, 505, "Invoice #"), (600, 492, "3/9/2026"), (680, 492, "1042"), (40, 470, "Bill To"), (40, 458, "Oak Hill HOA"),
                    (500, 440, "P.O. No."), (580, 440, "Terms"), (680, 440, "Due Date"), (580, 427, "Net 15"), (680, 427, "3/24/2026"), (40, 400, "Quantity"), (110, 400, "Description"), (580, 400, "Rate"), (680, 400, "Amount"),
                    (40, 387, "9.5"), (110, 387, "Mowing and trimming"), (580, 387, "79.50"), (680, 387, "755.25"), (580, 120, "Total"), (680, 120, "$755.25"), (580, 105, "Payments/Credits"), (680, 105, "$0.00"), (580, 90, "Balance Due"), (680, 90, "$755.25")]:
        c.drawString(x, y, s)


@doc("en-two-columns", "typst", "Q-2026-0093", "18400", "EUR", "2026-04-08", None, kind="offer")
def _():
    return """#set page(columns: 2, margin: 1.5cm)
#set text(font: "DejaVu Serif", size: 9pt)
= Quotation
Quotation No.: Q-2026-0093 \\ Date: 8 April 2026 \\ Valid until: 8 May 2026 \\ Prepared for: Office of Efficient Fluids, Antwerp
The flow meters offered below fit the specification you sent. Final prices, ex works, official certificates included.
#table(columns: (1fr, auto, auto), [Item], [Qty], [EUR], [Flow meter DN50], [4], [12,400.00], [Calibration, official], [4], [2,800.00], [Shipping], [1], [200.00], [Configuration], [1], [3,000.00], [*Total*], [], [*18,400.00*])
#colbreak()
== Terms
Delivery six weeks after the order. Payment 30 days net. The offer is firm; differing conditions of the buyer do not apply. We keep title until payment is final.
"""


@doc("en-vertical-summary", "weasyprint", "SI-55810", "612.4", "EUR", "2026-08-21", "2026-09-20")
def _():
    return page("<div style='float:right;width:45%'><table class=g><tr><th>Document<td>Sales Invoice<tr><th>No.<td>SI-55810<tr><th>Posting Date<td>21/08/2026<tr><th>Due Date<td>20/09/2026<tr><th>Customer No.<td>C00381<tr><th>Payment Terms<td>30 days</table></div><p>North Sea Marine BV<br>Havenkade 3, Den Helder<p>Invoice to:<br>Skagen Fishing ApS<div style='clear:both'></div><br>"
                "<table class=g><tr><th>No.<th>Description<th>Quantity<th>Unit Price Excl. VAT<th>Line Amount Excl. VAT<tr><td>1896-S<td>Deck winch service kit<td class=r>2<td class=r>253.06<td class=r>506.12</table><table style='width:50%;margin-left:50%'><tr><td>Total EUR Excl. VAT<td class=r>506.12<tr><td>21% VAT<td class=r>106.28<tr><td><b>Total EUR Incl. VAT</b><td class=r><b>612.40</b></table>")


@doc("en-words-apart", "pdfkit", "2026/117", "10500", "USD", "2026-09-30", "2026-10-30")
def _():
    # Every word placed by itself, as some report writers do.
    words = [(40, 40, "INVOICE"), (40, 70, "Invoice"), (80, 70, "No"), (99, 70, ":"), (110, 70, "2026/117"), (40, 85, "Date"), (66, 85, ":"), (110, 85, "30"), (127, 85, "September"), (189, 85, "2026"), (40, 100, "Due"), (64, 100, "date"), (92, 100, ":"), (110, 100, "30"), (127, 100, "October"), (175, 100, "2026"),
             (40, 130, "Customer"), (110, 130, "Gulf"), (137, 130, "Shipping"), (188, 130, "FZE"), (40, 160, "Consulting"), (105, 160, "services,"), (158, 160, "third"), (190, 160, "quarter"), (480, 160, "10,000.00"), (380, 185, "VAT"), (405, 185, "5%"), (480, 185, "500.00"), (380, 200, "Grand"), (420, 200, "Total"), (453, 200, "USD"), (480, 200, "10,500.00")]
    random.Random(5).shuffle(words)
    return "".join(f"t({x},{y},{json.dumps(s)});" for x, y, s in words)


@doc("en-encrypted-for-printing", "fpdf2", "F-2026-31", "480", "CHF", "2026-02-27", "2026-03-29")
def _(p):
    from fpdf.enums import AccessPermission
    p.set_encryption(owner_password="owner", permissions=AccessPermission.PRINT_LOW_RES)
    for line in ["Invoice F-2026-31", "Zurich, 27 February 2026", "To: Sihl Papier AG", "Proofreading of annual report: 8 h at CHF 60.00", "Total amount CHF 480.00", "Payable within 30 days of the invoice date."]:
        p.cell(0, 7, line, new_x="LMARGIN", new_y="NEXT")


# ------------------------------------------------------------------ German and neighbours

@doc("de-lexware", "chromium", "RE-2026-1184", "1904", "EUR", "2026-03-17", "2026-03-31")
def _():
    return page("<small>Müller Elektrotechnik GmbH · Hauptstraße 12 · 70173 Stuttgart</small><p>Bäckerei Schäfer<br>Inh. Jürgen Schäfer<br>Lindenweg 4<br>70567 Stuttgart</p><table style='width:45%;margin-left:55%'><tr><td>Rechnungs-Nr.:<td>RE-2026-1184<tr><td>Kunden-Nr.:<td>10277<tr><td>Datum:<td>17.03.2026<tr><td>Lieferdatum:<td>12.03.2026</table><h2>Rechnung RE-2026-1184</h2><p>Sehr geehrter Herr Schäfer,<br>für die ausgeführten Arbeiten berechnen wir wie folgt:"
                "<table><tr><th>Pos.<th>Bezeichnung<th class=r>Menge<th class=r>Einzelpreis<th class=r>Gesamtpreis<tr><td>1<td>Installation Backofenanschluss<td class=r>1,00 Psch<td class=r>1.350,00 €<td class=r>1.350,00 €<tr><td>2<td>Leitungsschutzschalter<td class=r>5,00 Stk<td class=r>50,00 €<td class=r>250,00 €</table><table style='width:50%;margin-left:50%'><tr><td>Gesamtbetrag netto<td class=r>1.600,00 €<tr><td>zzgl. 19,00 % USt. auf 1.600,00 €<td class=r>304,00 €<tr><td><b>Gesamtbetrag brutto</b><td class=r><b>1.904,00 €</b></table>"
                "<p>Zahlbar bis zum 31.03.2026 ohne Abzug. Bitte geben Sie bei der Überweisung die Rechnungsnummer an.<br><small>Steuernummer 99/123/45678 · USt-IdNr. DE123456789 · IBAN DE02 1203 0000 0000 2020 51</small>", lang="de")


@doc("de-datev-skonto", "weasyprint", "2026-00417", "2380.48", "EUR", "2026-06-05", "2026-07-05")
def _():
    return page("<h1 style='letter-spacing:8px'>RECHNUNG</h1><table><tr><td>Nordsee Werft GmbH &amp; Co. KG<br>Am Kai 1<br>26725 Emden<td>Rechnungsnummer<br>Rechnungsdatum<br>Leistungszeitraum<br>Ihre Bestellung<td>2026-00417<br>05.06.2026<br>01.05.2026 - 31.05.2026<br>B-77120 vom 20.04.2026</table><br><table class=g><tr><th>Art.-Nr.<th>Text<th>Menge<th>E-Preis EUR<th>Betrag EUR<tr><td>4711<td>Hydraulikpumpe überholt<td class=r>1<td class=r>2.000,40<td class=r>2.000,40</table>"
                "<table><tr><td>Summe netto EUR<td class=r>2.000,40<tr><td>19 % Umsatzsteuer EUR<td class=r>380,08<tr><td><b>Rechnungsbetrag EUR</b><td class=r><b>2.380,48</b></table><p>Zahlungsbedingungen: 8 Tage 2 % Skonto, 30 Tage netto.", lang="de")


@doc("de-angebot-fpdf", "fpdf2", "AN-3310", "5950", "EUR", "2026-01-15", None, kind="offer")
def _(p):
    p.cell(0, 7, "Angebot Nr. AN-3310", new_x="LMARGIN", new_y="NEXT")
    with p.table(col_widths=(20, 90, 30, 40), first_row_as_headings=False) as table:
        for line in [["Pos", "Leistung", "Menge", "Gesamt"], ["1", "Fassade streichen, zweimal", "1", "5.000,00 €"], ["", "Nettobetrag", "", "5.000,00 €"], ["", "MwSt. 19 %", "", "950,00 €"], ["", "Angebotssumme brutto", "", "5.950,00 €"]]:
            row = table.row()
            for cell in line:
                row.cell(cell)
    p.cell(0, 7, "Datum: 15.01.2026. Das Angebot ist gültig bis 15.02.2026.", new_x="LMARGIN", new_y="NEXT")


@doc("de-weclapp-typst", "typst", "R100234", "71.4", "EUR", "2026-10-02", "2026-10-16")
def _():
    return """#set text(font: "Liberation Sans", size: 10pt, lang: "de")
#grid(columns: (1fr, auto, auto), column-gutter: 12pt, row-gutter: 5pt, [Kaffeehaus Süd], [Rechnung], [R100234], [Marktplatz 9], [Datum], [02.10.2026], [80331 München], [Fälligkeit], [16.10.2026], [], [Kunde], [K-2001])
#v(2em)
#table(columns: (auto, 1fr, auto, auto), [Pos.], [Artikel], [Menge], [Preis], [1], [Espresso Hausmischung 1 kg], [3], [20,00 €])
#align(right)[Nettosumme 60,00 € \\ Mehrwertsteuer 19% 11,40 € \\ *Zu zahlender Betrag 71,40 €*]
Bitte überweisen Sie den Betrag innerhalb von 14 Tagen auf das unten genannte Konto.
"""


@doc("fr-facture", "chromium", "FA2026-0312", "1290", "EUR", "2026-03-31", "2026-04-30")
def _():
    return page("<h2>FACTURE N° FA2026-0312</h2><p>Date d'émission : 31/03/2026<br>Date d'échéance : 30/04/2026<p>Client : SARL Les Oliviers, 13100 Aix-en-Provence<table class=g><tr><th>Désignation<th>Qté<th>PU HT<th>Montant HT<tr><td>Création d'affiches<td>5<td class=r>215,00 €<td class=r>1 075,00 €</table><p class=r>Total HT : 1 075,00 €<br>TVA (20 %) : 215,00 €<br><b>Total TTC : 1 290,00 €</b><br>Net à payer : 1 290,00 €", lang="fr")


@doc("nl-factuur", "pdfkit", "20260087", "847", "EUR", "2026-05-04", "2026-05-18")
def _():
    return ("d.fontSize(16);t(40,40,'Factuur');d.fontSize(10);t(40,70,'Factuurnummer: 20260087');t(40,84,'Factuurdatum: 04-05-2026');t(40,98,'Vervaldatum: 18-05-2026');t(300,70,'Fietsenmaker De Wit');t(300,84,'Keizersgracht 100, Amsterdam');t(40,140,'Omschrijving');t(460,140,'Bedrag');t(40,155,'Onderhoud april');t(460,155,'€ 700,00');t(360,190,'Subtotaal');t(460,190,'€ 700,00');t(360,204,'21% btw');t(460,204,'€ 147,00');t(360,218,'Totaal');t(460,218,'€ 847,00');t(40,260,'Gelieve het bedrag van € 847,00 vóór 18-05-2026 over te maken.');")


@doc("es-factura", "weasyprint", "2026-A-045", "363", "EUR", "2026-04-10", "2026-05-10")
def _():
    return page("<h2>Factura</h2><table><tr><td>Nº de factura: 2026-A-045<br>Fecha: 10/04/2026<br>Vencimiento: 10/05/2026<td>Cliente: Talleres Ruiz S.L.<br>CIF B12345678</table><table class=g><tr><th>Concepto<th>Precio<th>Total<tr><td>Mantenimiento informático<td class=r>300,00 €<td class=r>300,00 €</table><p class=r>Base imponible: 300,00 €<br>IVA 21%: 63,00 €<br><b>TOTAL: 363,00 €</b>", lang="es")


@doc("it-fattura", "fpdf2", "112/2026", "1220", "EUR", "2026-07-07", "2026-08-06")
def _(p):
    for line in ["FATTURA n. 112/2026 del 07/07/2026", "Spett.le Officine Bianchi S.r.l.", "P.IVA 01234567890", "Consulenza organizzativa    1.000,00", "Imponibile € 1.000,00", "IVA 22% € 220,00", "Totale documento € 1.220,00", "Scadenza: 06/08/2026"]:
        p.cell(0, 7, line, new_x="LMARGIN", new_y="NEXT")


@doc("pl-faktura", "chromium", "FV/43/03/2026", "2460", "PLN", "2026-03-20", "2026-04-03")
def _():
    return page("<p class=r>Miejsce wystawienia: Kraków<br>Data wystawienia: 2026-03-20<br>Data sprzedaży: 2026-03-19</p><h2>Faktura VAT nr FV/43/03/2026</h2><table><tr><td><b>Sprzedawca</b><br>Drukarnia Wawel Sp. z o.o.<br>NIP: 6761234567<td><b>Nabywca</b><br>Księgarnia Pod Smokiem<br>NIP: 6772345678</table><table class=g><tr><th>Lp.<th>Nazwa<th>Ilość<th>Cena netto<th>Wartość netto<th>VAT<th>Wartość brutto<tr><td>1<td>Druk katalogu<td>100<td class=r>20,00<td class=r>2 000,00<td>23%<td class=r>2 460,00<tr><td colspan=4 class=r>Razem<td class=r>2 000,00<td class=r>460,00<td class=r>2 460,00</table><p><b>Do zapłaty: 2 460,00 PLN</b><br>Słownie: dwa tysiące czterysta sześćdziesiąt złotych<br>Sposób płatności: przelew<br>Termin płatności: 2026-04-03", lang="pl")


# ------------------------------------------------------------------ Japanese

@doc("ja-seikyu-freee", "chromium", "INV-0000000052", "253000", "JPY", "2026-03-31", "2026-04-30")
def _():
    return page("<h1 style='text-align:center;letter-spacing:1em'>請求書</h1><table><tr><td width=55%><b>株式会社みどり商事 御中</b><p>件名：ホームページ制作費<p>下記のとおりご請求申し上げます。<td class=r>請求日 2026年3月31日<br>請求書番号 INV-0000000052<br>登録番号 T1234567890123<br><br>合同会社あおぞら<br>〒150-0001 東京都渋谷区神宮前1-2-3</table><table class=g style='width:60%'><tr><td>小計<td>消費税<td>請求金額<tr><td class=r>230,000円<td class=r>23,000円<td class=r><b>253,000円</b></table><table class=g style='width:60%'><tr><td>入金期日<td>振込先<tr><td>2026年4月30日<td>みずほ銀行 渋谷支店 普通 1234567</table>"
                "<table class=g><tr><th>摘要<th>数量<th>単価<th>明細金額<tr><td>デザイン制作<td class=r>1式<td class=r>150,000<td class=r>150,000<tr><td>コーディング<td class=r>8<td class=r>10,000<td class=r>80,000</table><p class=r>内訳 10%対象(税抜) 230,000円 消費税 23,000円", lang="ja")


@doc("ja-seikyu-excel", "weasyprint", "2026-0415", "1188000", "JPY", "2026-04-15", "2026-05-31")
def _():
    return page("<div class=r>No. 2026-0415<br>発行日：令和8年4月15日</div><h1 style='text-align:center'>御 請 求 書</h1><p style='font-size:14pt;border-bottom:1px solid'>北陸機械工業株式会社　御中</p><p style='font-size:13pt'>ご請求金額　　￥1,188,000-　（税込）</p><p>お支払期限：2026年5月31日</p><table class=g><tr><th>品名<th>数量<th>単位<th>単価<th>金額<tr><td>旋盤用治具<td class=r>12<td>個<td class=r>90,000<td class=r>1,080,000<tr><td colspan=4 class=r>小計<td class=r>1,080,000<tr><td colspan=4 class=r>消費税（10%）<td class=r>108,000<tr><td colspan=4 class=r>合計<td class=r>1,188,000</table><p>登録番号：T9876543210987<br>お振込先：北國銀行 本店営業部 当座 0012345", lang="ja")


@doc("ja-mitsumori-cid", "reportlab", "M-260512", "880000", "JPY", "2026-05-12", None, kind="offer")
def _(c):
    c.setFont("HeiseiKakuGo-W5", 18)
    c.drawString(230, 790, "御　見　積　書")
    c.setFont("HeiseiKakuGo-W5", 10)
    for x, y, s in [(40, 750, "株式会社サンプル製作所　御中"), (400, 760, "見積番号"), (470, 760, "M-260512"), (400, 745, "見積日"), (470, 745, "2026/05/12"), (40, 710, "お見積金額"), (130, 710, "¥880,000（税込）"), (40, 690, "見積有効期限：発行日より1ヶ月"), (40, 650, "品目"), (300, 650, "数量"), (370, 650, "単価"), (460, 650, "金額"), (40, 635, "検査装置　改造一式"), (300, 635, "1"), (370, 635, "800,000"), (460, 635, "800,000"), (370, 600, "小計"), (460, 600, "800,000"), (370, 585, "消費税"), (460, 585, "80,000"), (370, 570, "合計"), (460, 570, "880,000")]:
        c.drawString(x, y, s)


@doc("ja-seikyu-typst", "typst", "SK-2026-06-018", "66000", "JPY", "2026-06-30", "2026-07-31")
def _():
    return """#set text(font: "Noto Sans CJK JP", size: 10pt, lang: "ja")
#align(center)[#text(size: 18pt, tracking: 10pt)[請求書]]
#grid(columns: (1fr, 1fr), [山田 太郎 様], align(right)[請求番号: SK-2026-06-018 \\ 請求日: 2026年6月30日])
#table(columns: (auto, auto), [ご請求額], [66,000円（税込）], [支払期日], [2026年7月31日])
#table(columns: (1fr, auto, auto, auto), [内容], [数量], [単価（税抜）], [金額], [翻訳 6月分], [1], [¥60,000], [¥60,000], [], [], [税抜合計], [¥60,000], [], [], [消費税(10%)], [¥6,000], [], [], [合計], [¥66,000])
"""


@doc("ja-seikyu-misoca", "chromium", "20260701-003", "32450", "JPY", "2026-07-01", "2026-07-31")
def _():
    return page("<h2 style='background:#333;color:#fff;text-align:center'>請 求 書</h2><table><tr><td>有限会社さくら印刷 御中<td><table><tr><td>請求日<td>2026/07/01<tr><td>請求番号<td>20260701-003<tr><td>お支払期限<td>2026/07/31</table></table><p><span style='font-size:15pt'>合計金額&emsp;￥32,450 -</span><table class=g><tr><th>品番・品名<th>数量<th>単価<th>金額<tr><td>保守料<td class=r>1<td class=r>29,500<td class=r>29,500</table><p class=r>小計 ￥29,500<br>消費税 (10%) ￥2,950<br>合計 ￥32,450", lang="ja")


# ------------------------------------------------------------------ the second set, written when the first had been read

SET = "second"


@doc("ru-moedelo", "chromium", "231/1", "59500", "RUB", "2026-09-14", "2026-09-17")
def _():
    return page("<table><tr><td><h2>Счёт № 231/1</h2>от 14.09.2026<td class=r>Действителен до 17.09.2026</table><table><tr><td width=110>Продавец<td>ООО «Мебельная мастерская» ИНН 7604123456 КПП 760401001<tr><td>Расчётный счёт<td>40702810500000012345 в АО «Альфа-Банк», БИК 044525593<tr><td>Покупатель<td>ООО «Кафе Уют» ИНН 7606123450</table>"
                "<table class=g><tr><th>№<th>Название товара или услуги<th>Ед. изм.<th>Кол-во<th>Цена<th>Всего<tr><td>1<td>Стол обеденный, дуб<td>шт<td>5<td class=r>8 900.00<td class=r>44 500.00<tr><td>2<td>Доставка и сборка<td>усл<td>1<td class=r>15 000.00<td class=r>15 000.00</table><p class=r>Итого к оплате: <b>59 500.00</b><br>НДС не облагается на основании гл. 26.2 НК РФ<p>Всего на сумму: Пятьдесят девять тысяч пятьсот руб. 00 коп.", lang="ru")


@doc("ru-two-pages", "weasyprint", "7845-К", "1017600", "RUB", "2026-08-03", "2026-08-10")
def _():
    rows = "".join(f"<tr><td>{i}<td>Изделие № {i} по ТУ 27.33-{i:03}<td class=r>{i}<td>шт<td class=r>2 000,00<td class=r>{2000*i:,},00".replace(",", " ", 0) for i in range(1, 29))
    return page("<p>Внимание! Оплата данного счета означает согласие с условиями поставки товара. Счет действителен до 10.08.2026 г.</p>" + bank_ru("АО «Электроаппарат»", "2127009876") + "<h2>Счет на оплату № 7845-К от 3 августа 2026 г.</h2><p>Поставщик: АО «Электроаппарат»<br>Покупатель: ООО «СтройЭнерго»<br>Грузополучатель: он же</p><table class=g><tr><th>№<th>Товар<th>Кол-во<th>Ед.<th>Цена<th>Сумма" + rows +
                "</table><table style='break-before:page'><tr><td class=r>Итого:<td class=r>848 000,00<tr><td class=r>Сумма НДС:<td class=r>169 600,00<tr><td class=r>Всего к оплате:<td class=r>1 017 600,00</table><p>Всего наименований 28, на сумму 1 017 600,00 руб.", lang="ru")


@doc("ru-smeta-kp", "pdfmake", "12-09", "318450", "RUB", "2026-09-12", None, kind="offer")
def _():
    return ("{content:[{text:'Коммерческое предложение № 12-09 от 12.09.2026',fontSize:15},'Для: ООО «Ветер»','Предлагаем выполнить остекление балконов:',{table:{widths:['*','auto','auto'],body:[['Вид работ','Объём','Стоимость, ₽'],['Демонтаж','14 м²','28 450'],['Остекление','14 м²','290 000'],['Итого','','318 450']]}},'Цены действительны до 12.10.2026. Аванс 60 %.']}")


@doc("ru-glyph-by-glyph", "reportlab", "55", "7700", "RUB", "2026-10-01", "2026-10-05")
def _(c):
    # Every letter set by itself, as some drivers print.
    from reportlab.pdfbase.pdfmetrics import stringWidth
    c.setFont("Sans", 11)
    for y, line in [(790, "Счёт на оплату № 55 от 01.10.2026"), (770, "Исполнитель: ИП Лебедев И. И., ИНН 332901234567"), (750, "Заказчик: ООО «Квант»"), (720, "Ремонт принтера, 2 шт. по 3 850,00 руб."), (690, "Итого к оплате: 7 700,00 руб. Без НДС."), (670, "Просим оплатить до 05.10.2026.")]:
        x = 50
        for letter in line:
            if letter != " ":
                c.drawString(x, y, letter)
            x += stringWidth(letter, "Sans", 11)


@doc("en-odoo", "weasyprint", "INV/2026/00087", "2178", "EUR", "2026-06-18", "2026-07-18")
def _():
    return page("<p>Lumber Works Ltd<br>Quay 5, Cork, Ireland</p><h1>Invoice INV/2026/00087</h1><table><tr><td><b>Invoice Date</b><br>18/06/2026<td><b>Due Date</b><br>18/07/2026<td><b>Delivery Date</b><br>16/06/2026<td><b>Source</b><br>S00231</table><br><table class=g><tr><th>DESCRIPTION<th class=r>QUANTITY<th class=r>UNIT PRICE<th class=r>TAXES<th class=r>AMOUNT<tr><td>[FURN_6666] Acoustic panel<td class=r>12.00 Units<td class=r>150.00<td class=r>21%<td class=r>1,800.00 €</table>"
                "<table style='width:45%;margin-left:55%'><tr><td>Untaxed Amount<td class=r>1,800.00 €<tr><td>VAT 21%<td class=r>378.00 €<tr><td><b>Total</b><td class=r><b>2,178.00 €</b></table><p>Payment terms: 30 Days<br>Payment Communication: <b>INV/2026/00087</b>")


@doc("en-letter", "jspdf", "CS-1190", "3640", "GBP", "2026-05-29", "2026-06-28")
def _():
    return ("t(50,60,'Finch & Fairfax Solicitors');t(50,80,'29 May 2026');d.setFont('times','bold');t(50,110,'Our invoice CS-1190');d.setFont('times','normal');t(50,130,'Dear Mr Whitfield,');"
            "t(50,150,d.splitTextToSize('Please find below our fee for professional services in connection with the office transfer, final affidavit and filing.',480));"
            "t(50,200,'Professional fees');t(545,200,'£2,950.00',{align:'right'});t(50,215,'Disbursements');t(545,215,'£83.33',{align:'right'});t(50,230,'VAT at 20%');t(545,230,'£606.67',{align:'right'});t(50,250,'Total now due');t(545,250,'£3,640.00',{align:'right'});"
            "t(50,290,'Payment is due by 28 June 2026. Please quote CS-1190 with your remittance.');")


@doc("en-sap", "fpdf2", "9000451223", "14875.6", "USD", "2026-04-15", "2026-05-30")
def _(p):
    p.set_font("Sans", size=8)
    for a, b in [("INVOICE", ""), ("Document Number / Date", "9000451223 / 04/15/2026"), ("Purchase Order No.", "4500017788"), ("Customer Number", "100342"), ("Terms of Payment", "Net 45 days"), ("Currency", "USD"), ("", ""), ("000010  Gear unit GX-7, 4 PC", "14,000.00"), ("Items Total", "14,000.00"), ("Freight", "125.60"), ("Sales Tax 5.36%", "750.00"), ("Final Amount", "14,875.60")]:
        p.cell(110, 5, a)
        p.cell(0, 5, b, new_x="LMARGIN", new_y="NEXT")


@doc("en-hosting", "pdfmake", "HX-2026-77120", "143.88", "USD", "2026-01-31", "2026-02-10")
def _():
    return ("{content:[{columns:[{text:'HostXpress',fontSize:20},{alignment:'right',text:'UNPAID\\nInvoice #HX-2026-77120\\nInvoice Date: 01/31/2026\\nDue Date: 02/10/2026'}]},'Invoiced To\\nBlue Door Films\\nAustin, TX',{table:{widths:['*',90],body:[['Description','Total'],['VPS plan (01/31/2026 - 01/30/2027)','$143.88 USD'],[{text:'Sub Total',alignment:'right'},'$143.88 USD'],[{text:'Credit',alignment:'right'},'$0.00 USD'],[{text:'Total',alignment:'right'},'$143.88 USD']]}},'Transactions',{table:{widths:['*','*','*','*'],body:[['Transaction Date','Gateway','Transaction ID','Amount'],['','','Balance','$143.88 USD']]}}]}")


@doc("en-proposal-long", "typst", "PR-2026-15", "86500", "USD", "2026-03-03", None, kind="offer")
def _():
    return """#set page(numbering: "1 / 1")
#align(center)[#text(20pt)[Proposal] \ PR-2026-15 \ March 3, 2026]
Prepared for Meridian Health by Cobalt Design.
#pagebreak()
= Scope
We will redesign the patient portal. Phase one is research, phase two design, phase three delivery. #lorem(120)
= Investment
#table(columns: 2, [Research], [\$18,500], [Design], [\$32,000], [Delivery], [\$36,000], [*Total investment*], [*\$86,500*])
This proposal is valid until April 15, 2026.
"""


@doc("de-handwerk", "fpdf2", "26-0093", "535.5", "EUR", "2026-09-07", "2026-09-21")
def _(p):
    for line in ["Malermeister Otto Krause, Gartenstr. 3, 01099 Dresden", "", "Familie Lehmann", "", "Rechnung Nr. 26-0093 vom 07.09.2026", "", "Pos. 1   Flur streichen   30 m²   15,00 €   450,00 €", "Summe netto   450,00 €", "19 % MwSt   85,50 €", "Endbetrag   535,50 €", "", "Der Rechnungsbetrag ist innerhalb von 14 Tagen ohne Abzug zahlbar."]:
        p.cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")


@doc("de-columns-apart", "reportlab", "VR-88123", "11900", "EUR", "2026-02-11", "2026-03-13")
def _(c):
    c.setFont("Sans", 9)
    for y, label, value in [(760, "Belegnummer", "VR-88123"), (748, "Belegdatum", "11.02.2026"), (736, "Kundennummer", "D10045"), (724, "Fällig am", "13.03.2026")]:
        c.drawString(350, y, label)
        c.drawRightString(545, y, value)
    c.setFont("Sans", 15)
    c.drawString(40, 690, "Rechnung")
    c.setFont("Sans", 9)
    for y, a, b in [(660, "Beratung Projekt Atlas, Februar", "10.000,00"), (620, "Nettobetrag EUR", "10.000,00"), (608, "19% USt EUR", "1.900,00"), (590, "Gesamtbetrag EUR", "11.900,00")]:
        c.drawString(40, y, a)
        c.drawRightString(545, y, b)


@doc("fr-devis", "weasyprint", "D-2026-041", "2640", "EUR", "2026-05-06", None, kind="offer")
def _():
    return page("<h2>DEVIS n° D-2026-041</h2><p>Date : 06/05/2026 — Devis valable jusqu'au 06/06/2026</p><p>À l'attention de : Mairie d'Annecy</p><table class=g><tr><th>Description<th>Quantité<th>Prix unitaire HT<th>Total HT<tr><td>Élagage de platanes<td>8<td class=r>275,00 €<td class=r>2 200,00 €</table><p class=r>Total HT 2 200,00 €<br>TVA 20,00 % 440,00 €<br>Total TTC 2 640,00 €<p>Bon pour accord, date et signature :", lang="fr")


@doc("sv-faktura", "jspdf", "20417", "6250", "SEK", "2026-03-02", "2026-04-01")
def _():
    return ("d.setFontSize(18);t(40,50,'FAKTURA');d.setFontSize(10);t(350,80,'Fakturanummer');t(460,80,'20417');t(350,94,'Fakturadatum');t(460,94,'2026-03-02');t(350,108,'Förfallodatum');t(460,108,'2026-04-01');t(350,122,'Kundnummer');t(460,122,'881');"
            "t(40,180,'Konsulttimmar, 5 h');t(460,180,'5 000,00');t(350,210,'Netto');t(460,210,'5 000,00');t(350,224,'Moms 25 %');t(460,224,'1 250,00');t(350,238,'Att betala SEK');t(460,238,'6 250,00');")


@doc("uk-rahunok", "pdfkit", "СФ-0000112", "18000", "UAH", "2026-07-21", None)
def _():
    return ("t(40,40,'Постачальник: ТОВ «Дніпро-Сервіс», ЄДРПОУ 31234567');t(40,60,'Рахунок на оплату № СФ-0000112 від 21 липня 2026 р.');t(40,80,'Покупець: ФОП Шевчук О. П.');t(40,110,'Товар');t(330,110,'Кіл-ть');t(400,110,'Ціна');t(480,110,'Сума');t(40,125,'Налаштування обладнання');t(330,125,'1');t(400,125,'15 000,00');t(480,125,'15 000,00');t(400,150,'Разом:');t(480,150,'15 000,00');t(400,165,'Сума ПДВ:');t(480,165,'3 000,00');t(400,180,'Усього з ПДВ:');t(480,180,'18 000,00');t(40,210,'Всього найменувань 1, на суму 18 000,00 грн.');")


@doc("ja-mitsumori-excel", "typst", "Q20260901-2", "1540000", "JPY", "2026-09-01", None, kind="offer")
def _():
    return """#set text(font: "Noto Sans CJK JP", size: 9pt, lang: "ja")
#align(center)[#text(size: 16pt)[御見積書]]
#grid(columns: (1fr, auto), [東都建設株式会社 御中 \ 件名：空調設備更新工事 \ 下記の通り御見積申し上げます。], [見積番号 Q20260901-2 \ 見積日 2026年9月1日 \ 有効期限 2026年9月30日])
#text(size: 13pt)[御見積金額 ¥1,540,000-（税込）]
#table(columns: (1fr, auto, auto, auto), [名称], [数量], [単価], [金額], [室外機], [2], [500,000], [1,000,000], [工事費], [1], [400,000], [400,000], [], [], [小計], [1,400,000], [], [], [消費税], [140,000], [], [], [合計], [1,540,000])
"""


@doc("ja-seikyu-rotated", "reportlab", "R8-104", "99000", "JPY", "2026-06-10", "2026-07-10")
def _(c):
    c.setPageRotation(270)
    c.translate(0, 842)
    c.rotate(-90)
    c.setFont("HeiseiKakuGo-W5", 10)
    for x, y, s in [(350, 560, "請　求　書"), (40, 530, "大阪食品株式会社　御中"), (600, 540, "請求No."), (670, 540, "R8-104"), (600, 525, "請求日"), (670, 525, "2026年6月10日"), (40, 490, "合計金額"), (120, 490, "¥99,000"), (220, 490, "（消費税込み）"), (40, 470, "お支払期日"), (120, 470, "2026年7月10日"), (40, 430, "ラベル印刷"), (400, 430, "3,000枚"), (500, 430, "@30"), (600, 430, "90,000"), (500, 400, "消費税 10%"), (600, 400, "9,000"), (500, 380, "合計"), (600, 380, "99,000")]:
        c.drawString(x, y, s)


@no_doc("no-en-delivery-note", "chromium")
def _():
    return page("<h1>Delivery Note</h1><p>Delivery note no.: DN-5512<br>Date: 4 May 2026<br>Order no.: SO-3310<p>Invoice to: Northgate Bakery<table class=g><tr><th>Item<th>Qty<tr><td>Flour T55, 25 kg<td>40</table><p>Goods received in good condition: ________")


@no_doc("no-en-receipt", "pdfkit")
def _():
    return "t(40,40,'Receipt');t(40,60,'Receipt number 2231-9981');t(40,75,'Invoice number B8F2D1C4-0007');t(40,90,'Date paid March 1, 2026');t(40,110,'$99.00 paid on March 1, 2026');t(40,140,'Amount paid');t(200,140,'$99.00');"


@no_doc("no-en-purchase-order", "weasyprint")
def _():
    return page("<h1>PURCHASE ORDER</h1><p>PO Number: 4500098812<br>PO Date: 12 June 2026<br>Vendor: Harbour Office Supplies Ltd<table class=g><tr><th>Item<th>Qty<th>Unit price<th>Amount<tr><td>Office chair<td>12<td>£140.00<td>£1,680.00</table><p>Total: £1,680.00<p>Send invoices to ap@example.org quoting the PO number. Payment terms: 30 days from receipt of invoice.")


@no_doc("no-en-statement", "fpdf2")
def _(p):
    for line in ["Statement of Account", "Statement date: 30 April 2026", "Customer: Oak Hill HOA", "01 Apr Invoice 1042 $755.25", "12 Apr Payment received -$755.25", "20 Apr Invoice 1055 $310.00", "Balance: $310.00"]:
        p.cell(0, 6, line, new_x="LMARGIN", new_y="NEXT")


@no_doc("no-ru-akt", "chromium")
def _():
    return page("<h2>Акт № 173 от 31 марта 2026 г.</h2><p>Исполнитель: ООО «Весна»<br>Заказчик: ООО «Альфа-Строй»<br>Основание: Счет на оплату № 170 от 01.03.2026<table class=g><tr><th>№<th>Наименование работ, услуг<th>Сумма<tr><td>1<td>Обслуживание<td>36 000,00</table><p>Итого: 36 000,00<br>Вышеперечисленные услуги выполнены полностью и в срок. Заказчик претензий не имеет.", lang="ru")


@no_doc("no-ru-dogovor", "typst")
def _():
    return """#set text(font: "DejaVu Serif", lang: "ru")
#align(center)[*ДОГОВОР ПОСТАВКИ № 45/26*]
г. Москва #h(1fr) 01.02.2026
ООО «Весна», именуемое Поставщик, и ООО «Альфа-Строй», именуемое Покупатель, заключили настоящий договор. Покупатель оплачивает товар на основании счета в течение 5 банковских дней. Общая сумма договора 1 200 000 руб., в том числе НДС 20%.
"""


@no_doc("no-de-auftragsbestaetigung", "weasyprint")
def _():
    return page("<h1>Auftragsbestätigung</h1><p>Auftrag Nr. AB-7712 vom 03.03.2026<p>Wir bestätigen Ihre Bestellung wie folgt:<table class=g><tr><th>Artikel<th>Menge<th>Preis<tr><td>Pumpe<td>1<td>1.200,00 €</table><p>Gesamtbetrag: 1.428,00 €<br>Die Rechnung erhalten Sie mit der Lieferung.", lang="de")


@no_doc("no-ja-nouhin", "typst")
def _():
    return """#set text(font: "Noto Sans CJK JP", lang: "ja")
#align(center)[#text(16pt)[納 品 書]]
北陸機械工業株式会社 御中 \ 納品日 2026年4月15日 \ 納品書番号 N-2211
#table(columns: 3, [品名], [数量], [金額], [治具], [12], [1,080,000], [合計], [], [1,188,000])
"""


@no_doc("no-ja-ryoshu", "reportlab")
def _(c):
    c.setFont("HeiseiKakuGo-W5", 12)
    for y, line in [(800, "領　収　書"), (770, "上様"), (750, "¥5,500-"), (730, "但し 会議室利用料として"), (710, "2026年3月3日 上記正に領収いたしました")]:
        c.drawString(60, y, line)


# ------------------------------------------------------------------ the third set, written when the second had been read

SET = "third"


@doc("ru-kontur", "weasyprint", "К-00318", "242780", "RUB", "2026-11-02", "2026-11-09")
def _():
    return page("<div class=r>Оплата до 09.11.2026</div><h2>Счёт № К-00318</h2><p>Дата: 02.11.2026<p><b>Получатель платежа</b><br>ООО «Логистик Плюс», ИНН 5027123459, КПП 502701001<br>Банк: ПАО ВТБ, БИК 044525187, р/с 40702810100000099887<p><b>Плательщик</b><br>ООО «Фабрика окон»"
                "<table class=g><tr><th>Услуга<th>Кол-во<th>Цена без НДС<th>НДС<th>Сумма с НДС<tr><td>Перевозка Москва — Казань<td>2 рейса<td class=r>99 500,00<td class=r>43 780,00<td class=r>242 780,00</table><p>Сумма без НДС 199 000,00 ₽<br>НДС 22% 43 780,00 ₽<br><b>Итого с НДС 242 780,00 ₽</b>", lang="ru")


@doc("ru-invoice-bilingual", "chromium", "EXP-26/044", "18650", "EUR", "2026-10-19", "2026-11-18")
def _():
    return page("<h2>ИНВОЙС / INVOICE № EXP-26/044</h2><p>Дата / Date: 19.10.2026<p>Продавец / Seller: ООО «Кама-Лес», Пермь<br>Покупатель / Buyer: Holz Nord GmbH, Lübeck<br>Контракт / Contract № 12-EXP от 03.03.2026<table class=g><tr><th>Товар / Goods<th>м³ / m³<th>Цена / Price, EUR<th>Сумма / Amount, EUR<tr><td>Пиломатериалы / Sawn timber<td>50<td class=r>373,00<td class=r>18 650,00</table><p>Итого / Total: 18 650,00 EUR<br>Оплата до / Payment due: 18.11.2026", lang="ru")


@doc("ru-kp-tablica", "fpdf2", "2026/11-3", "972400", "RUB", "2026-11-05", None, kind="offer")
def _(p):
    for a, b in [("ТЕХНИКО-КОММЕРЧЕСКОЕ ПРЕДЛОЖЕНИЕ", ""), ("№ 2026/11-3", "от 05.11.2026"), ("Заказчик", "АО «Сибирский хлеб»"), ("Печь ротационная РП-4, 1 шт.", "840 000,00"), ("Пусконаладка", "132 400,00"), ("Итого стоимость, руб. с НДС", "972 400,00"), ("Срок действия предложения", "до 05.12.2026"), ("Срок изготовления", "60 рабочих дней")]:
        p.cell(120, 7, a)
        p.cell(0, 7, b, new_x="LMARGIN", new_y="NEXT")


@doc("en-wave", "chromium", "284", "1937.5", "CAD", "2026-09-08", "2026-10-08")
def _():
    return page("<table><tr><td><td class=r><span style='font-size:26pt'>INVOICE</span><br>Web maintenance<br><br><b>Maple Leaf Web Co.</b><br>Toronto, Ontario<br>Canada</table><hr><table><tr><td>BILL TO<br><b>Harbourfront Yoga</b><td class=r><b>Invoice Number:</b><td>284<tr><td><td class=r><b>P.O./S.O. Number:</b><td>7781<tr><td><td class=r><b>Invoice Date:</b><td>September 8, 2026<tr><td><td class=r><b>Payment Due:</b><td>October 8, 2026<tr><td><td class=r><b>Amount Due (CAD):</b><td><b>$1,937.50</b></table>"
                "<table><tr style='background:#333;color:#fff'><th>Items<th>Quantity<th>Price<th>Amount<tr><td>Support retainer<td>25<td>$68.58<td class=r>$1,714.60</table><p class=r>Subtotal: $1,714.60<br>HST 13%: $222.90<br>Total: $1,937.50<br><b>Amount Due (CAD): $1,937.50</b>")


@doc("en-contractor-typst", "typst", "17", "8400", "USD", "2026-10-31", "2026-11-14")
def _():
    return """#set text(font: "Liberation Sans", size: 10pt)
#align(right)[*Nora Petrova* \ 12 Hill St, Boston \ nora\@example.org]
= Invoice No. 17
#grid(columns: (auto, auto), column-gutter: 10pt, row-gutter: 6pt, [Issued], [31 October 2026], [Due], [14 November 2026], [Client], [Blue Ocean Analytics Inc.])
#table(columns: (1fr, auto, auto, auto), [Work], [Hours], [Rate], [Total], [Data pipeline, October], [84], [\$100], [\$8,400])
#align(right)[Sum: \$8,400 \ *Please pay: \$8,400*]
"""


@doc("en-uk-builder", "pdfkit", "JB0412", "5160", "GBP", "2026-07-30", "2026-08-13")
def _():
    return ("t(40,40,'J. BARROW BUILDING SERVICES');t(40,56,'VAT Reg No 345 6789 12');t(380,40,'Invoice');t(430,40,'JB0412');t(380,56,'Date');t(430,56,'30/07/26');t(40,100,'To: Mr & Mrs Oakes, 4 The Green');t(40,130,'To supply and fit two timber windows as per our quotation Q377');t(480,130,'£4,300.00');t(380,170,'Net');t(480,170,'£4,300.00');t(380,185,'VAT @ 20%');t(480,185,'£860.00');t(380,200,'Invoice total');t(480,200,'£5,160.00');t(40,240,'Terms: strictly 14 days. Bank: Barclays 20-11-22 33445566');")


@doc("en-quote-pdfmake", "pdfmake", "QT-000951", "3264.8", "AUD", "2026-06-22", None, kind="offer")
def _():
    return ("{content:[{columns:['Coastal Solar Pty Ltd\\nABN 12 345 678 901',{alignment:'right',fontSize:18,text:'QUOTE'}]},{table:{body:[['Quote Number','QT-000951'],['Quote Date','22/06/2026'],['Expiry Date','22/07/2026'],['Customer','Dr. S. Naidoo']]},layout:'noBorders'},{table:{widths:['*','auto','auto','auto'],body:[['Description','Qty','Unit price','Amount AUD'],['Battery module','2','1,484.00','2,968.00'],['Subtotal','','','2,968.00'],['GST 10%','','','296.80'],['TOTAL AUD','','','3,264.80']]}}]}")


@doc("de-sevdesk", "chromium", "RE-1093", "357", "EUR", "2026-08-18", "2026-09-01")
def _():
    return page("<p><small>Yogastudio Lotus, Ringstr. 8, 50996 Köln</small><p>Frau<br>Dr. Helga Brandt<br>Am Markt 3<br>53111 Bonn<table style='width:50%;margin-left:50%'><tr><td>Rechnungsnr.<td class=r>RE-1093<tr><td>Rechnungsdatum<td class=r>18.08.2026<tr><td>Leistungszeitraum<td class=r>01.07.2026 bis 31.07.2026<tr><td>Ihre Kundennummer<td class=r>1021</table><h3>Rechnung Nr. RE-1093</h3><table><tr><th>Pos.<th>Beschreibung<th>Menge<th>Einzelpreis<th>Gesamtpreis<tr><td>1.<td>Firmenkurs Juli<td>4 Stk<td>75,00 EUR<td>300,00 EUR</table><table style='width:50%;margin-left:50%'><tr><td>Gesamtbetrag netto<td class=r>300,00 EUR<tr><td>Umsatzsteuer 19%<td class=r>57,00 EUR<tr><td><b>Gesamtbetrag brutto</b><td class=r><b>357,00 EUR</b></table><p>Zahlungsbedingungen: Zahlung innerhalb von 14 Tagen ab Rechnungseingang ohne Abzüge.", lang="de")


@doc("de-abschlag", "reportlab", "2026-AR-07", "23800", "EUR", "2026-04-24", "2026-05-08")
def _(c):
    c.setFont("Sans", 10)
    for x, y, s in [(40, 800, "Hofmann Holzbau GmbH"), (40, 760, "2. Abschlagsrechnung"), (40, 740, "Rechnung Nr.: 2026-AR-07"), (300, 740, "vom: 24.04.2026"), (40, 725, "Bauvorhaben: Neubau Kita Sonnenhügel, Auftrag 2025-331"), (40, 690, "Leistungsstand netto"), (460, 690, "60.000,00 €"), (40, 675, "abzüglich 1. Abschlag"), (460, 675, "-40.000,00 €"), (40, 660, "Zwischensumme netto"), (460, 660, "20.000,00 €"), (40, 645, "zzgl. 19% MwSt."), (460, 645, "3.800,00 €"), (40, 625, "Rechnungsbetrag"), (460, 625, "23.800,00 €"), (40, 590, "Zahlbar bis 08.05.2026 auf unser Konto.")]:
        c.drawString(x, y, s)


@doc("fr-auto-entrepreneur", "fpdf2", "2026-09-002", "780", "EUR", "2026-09-15", "2026-10-15")
def _(p):
    for line in ["Claire Dubois - Traductrice", "Facture n° 2026-09-002", "Date de facturation : 15 septembre 2026", "Client : Éditions du Lac", "Traduction d'un catalogue, 6 500 mots x 0,12 €", "Total : 780,00 €", "TVA non applicable, art. 293 B du CGI", "Paiement à 30 jours par virement."]:
        p.cell(0, 7, line, new_x="LMARGIN", new_y="NEXT")


@doc("ja-koumuten", "weasyprint", "26-1107", "2310000", "JPY", "2026-11-07", "2026-12-10")
def _():
    return page("<h1 style='text-align:center;letter-spacing:2em'>請求書</h1><p>御中　山手不動産株式会社<p class=r>令和8年11月7日<br>No.26-1107<br>株式会社大和工務店<br>登録番号 T2345678901234<p>工事名：本町ビル外壁補修工事<table class=g><tr><th>請求金額（税込）<td class=r>¥2,310,000</table><br><table class=g><tr><th>内訳<th>金額<tr><td>足場工事<td class=r>600,000<tr><td>補修工事<td class=r>1,500,000<tr><td>計<td class=r>2,100,000<tr><td>消費税等<td class=r>210,000</table><p>お支払いは令和8年12月10日までに下記口座へお願いいたします。", lang="ja")


@doc("ja-mitsumori-web", "chromium", "EST-2026-1120", "605000", "JPY", "2026-11-20", None, kind="offer")
def _():
    return page("<h2>お見積書</h2><table><tr><td>株式会社ひかり 様<br>件名：ECサイト改修<br><br>お見積金額合計<br><b style='font-size:16pt'>605,000円</b>（税込）<td class=r>見積番号：EST-2026-1120<br>見積日：2026-11-20<br>有効期限：2026-12-20</table><table class=g><tr><th>詳細<th>数量<th>単価<th>金額<tr><td>決済機能追加<td>1<td class=r>350,000<td class=r>350,000<tr><td>デザイン調整<td>1<td class=r>200,000<td class=r>200,000</table><p class=r>小計 550,000円<br>消費税(10%) 55,000円<br>合計 605,000円", lang="ja")


@no_doc("no-en-contract-offer-words", "weasyprint")
def _():
    return page("<h1>Master Services Agreement</h1><p>Agreement No. 2026-14, effective 1 March 2026, between Cobalt Design and Meridian Health. The Supplier shall issue an invoice at the end of each month; each invoice is payable within 30 days. The fee for the services is USD 86,500 as set out in the proposal.")


@no_doc("no-ru-platezhka", "reportlab")
def _(c):
    c.setFont("Sans", 9)
    for y, line in [(800, "ПЛАТЕЖНОЕ ПОРУЧЕНИЕ № 812        09.11.2026"), (780, "Сумма прописью  Двести сорок две тысячи семьсот восемьдесят рублей 00 копеек"), (760, "Плательщик ООО «Фабрика окон»   Сумма 242 780-00"), (740, "Получатель ООО «Логистик Плюс»"), (720, "Назначение платежа: Оплата по счету К-00318 от 02.11.2026, в т.ч. НДС 22% 43 780-00")]:
        c.drawString(40, y, line)


@no_doc("no-de-mahnung-vertrag", "fpdf2")
def _(p):
    for line in ["Wartungsvertrag Nr. W-220", "zwischen Yogastudio Lotus und Klima Becker GmbH", "Die Vergütung beträgt 49,00 EUR monatlich. Die Rechnung ist innerhalb von 14 Tagen zahlbar.", "Köln, 01.08.2026"]:
        p.cell(0, 7, line, new_x="LMARGIN", new_y="NEXT")


# ------------------------------------------------------------------

def without_fonts(path):
    """Drops the font programs of large files: the reader reads none, and a CJK font is 100 KB."""
    import pypdf
    from pypdf.generic import NameObject
    out = pypdf.PdfWriter(clone_from=path)
    for thing in out._objects:
        if isinstance(thing, pypdf.generic.DictionaryObject) and thing.get("/Type") == "/FontDescriptor":
            for key in ("/FontFile", "/FontFile2", "/FontFile3"):
                if key in thing:
                    del thing[NameObject(key)]
    out.compress_identical_objects(remove_unreferenced=True)
    out.write(path)


def main():
    only = set(sys.argv[1:])
    labels = []
    for name, tool, make, label in DOCS:
        labels.append(label)
        if only and name not in only:
            continue
        path = os.path.join(HERE, name + ".pdf")
        globals()["by_" + tool](make, path)
        if os.path.getsize(path) > 60_000:
            without_fonts(path)
        print(name, os.path.getsize(path))
    with open(os.path.join(HERE, "labels.jsonl"), "w") as out:
        for label in labels:
            out.write(json.dumps(label, ensure_ascii=False) + "\n")


main()
