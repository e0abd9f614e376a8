"""How the projects of the concluded budget went: done with accounts, delayed with its why, a promise that was dropped, and a
group that has just told something. Invented, but each after something real; the dropped promise after the citizens of
Hvalpsund, who asked what became of the bathing beach for children (survey "Lokaldemokrati i nybrud")."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone
from PIL import Image, ImageDraw

from accounts.models import User
from budgets.actions import implementation as carrying
from budgets.models import Implementation, Milestone, Progress, Promise
from participation import clock
from participation.actions.files import store_file, store_photo
from participation.models import Process


@dataclass
class Teller:
    """One project through its days, counted from the council's decision and never past now."""

    one: Implementation
    kirsten: User
    amir: User
    decided: datetime
    now: datetime

    @contextmanager
    def day(self, days: int, hour: int = 10) -> Iterator[date]:
        local = timezone.localtime(self.decided) + timedelta(days=days)
        moment = min(local.replace(hour=hour, minute=0), self.now - timedelta(hours=1))
        with clock.frozen(moment):
            yield timezone.localdate(moment)

    def plan(
        self,
        carrier: str,
        promises: list[str],
        milestones: list[tuple[str, int]],
        *,
        days: int = 21,
        done_by: int,
        **fields: Any,
    ) -> None:
        with self.day(days) as today:
            carrying.plan_implementation(
                implementation=self.one,
                by=self.kirsten,
                carried_out_by=fields.pop("carried_out_by", "municipality"),
                carrier=carrier,
                expected_on=self.on(done_by),
                **fields | ({"agreement_signed_on": today} if "agreement" in fields else {}),
            )
            carrying.write_promises(implementation=self.one, by=self.kirsten, promises=promises)
            for title, planned in milestones:
                carrying.add_milestone(
                    implementation=self.one, by=self.kirsten, title=title, planned_on=self.on(planned)
                )
            carrying.publish_plan(implementation=self.one, by=self.kirsten)

    def on(self, days: int) -> date:
        return timezone.localdate(self.decided + timedelta(days=days))

    def pay(self, days: int, amount: int, text: str) -> None:
        with self.day(days) as today:
            carrying.record_payment(
                implementation=self.one,
                by=self.kirsten,
                amount=Decimal(amount),
                paid_on=today,
                text=text,
            )

    def reach(self, days: int, title: str, text: str = "") -> None:
        with self.day(days) as today:
            milestone = Milestone.objects.get(implementation=self.one, title=title)
            carrying.reach_milestone(milestone=milestone, by=self.kirsten, on=today, text=text)

    def deliver(self, days: int, *texts: str) -> None:
        with self.day(days) as today:
            for text in texts:
                promise = Promise.objects.get(implementation=self.one, text=text)
                carrying.deliver_promise(promise=promise, by=self.kirsten, on=today)

    def drop(self, days: int, text: str, because: str) -> None:
        with self.day(days):
            promise = Promise.objects.get(implementation=self.one, text=text)
            carrying.drop_promise(promise=promise, by=self.kirsten, because=because)

    def news(self, days: int, title: str, text: str, photo: bytes = b"", alt: str = "") -> None:
        with self.day(days, 14):
            stored = store_photo(data=photo, name="foto.jpg", alt=alt, by=self.kirsten) if photo else None
            carrying.tell_news(implementation=self.one, by=self.kirsten, title=title, text=text, photo=stored)

    def status(self, days: int, status: str, why: str = "", expected: int | None = None) -> None:
        with self.day(days, 15):
            carrying.change_status(
                implementation=self.one,
                by=self.kirsten,
                status=status,
                why=why,
                expected_on=timezone.localdate(self.now) + timedelta(days=expected) if expected else None,
            )

    @property
    def author(self) -> User:
        found = self.one.project.contribution.author
        assert found is not None
        return found

    def spend(
        self, days: int, amount: str, text: str, *, confirmed: bool = True, public: bool = False
    ) -> None:
        """The group enters a receipt, and Kirsten looks at it two days later."""
        with self.day(days) as today:
            entry = carrying.enter_spending(
                implementation=self.one,
                by=self.author,
                amount=Decimal(amount),
                spent_on=today,
                text=text,
                receipt=store_file(data=receipt(text, amount), name="bilag.jpg", by=self.author),
            )
        if confirmed:
            with self.day(days + 2):
                carrying.settle_spending(entry=entry, by=self.kirsten, confirm=True, receipt_public=public)


def receipt(text: str, amount: str) -> bytes:
    """A slip of paper, clearly made up."""
    paper = Image.new("RGB", (480, 640), "#faf8f2")
    pen = ImageDraw.Draw(paper)
    pen.rectangle((20, 20, 460, 620), outline="#75838a", width=2)
    for place, line in enumerate(("DEMO-BILAG", "", text[:34], "", f"I alt  {amount} kr.")):
        pen.text((60, 80 + 48 * place), line.encode("latin-1", "replace").decode("latin-1"), fill="#1b2225")
    return _jpeg(paper)


def croquet_ground() -> bytes:
    """A drawing where a photo would be: a lawn, hoops and a shed."""
    picture = Image.new("RGB", (1600, 900), "#cfe3ea")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 380, 1600, 900), fill="#6f9e58")
    for stripe in range(0, 1600, 160):
        pen.polygon(
            [(stripe, 900), (stripe + 80, 900), (stripe + 60, 380), (stripe + 20, 380)], fill="#7bab63"
        )
    pen.rectangle((1120, 240, 1420, 430), fill="#8a4b2f")
    pen.polygon([(1090, 240), (1450, 240), (1270, 140)], fill="#4d3226")
    pen.rectangle((1240, 310, 1310, 430), fill="#e9dcc3")
    for place, size in ((260, 90), (560, 70), (860, 80)):
        top = 560 - size // 3
        pen.arc((place, top, place + size, top + size * 2), 180, 360, fill="#ffffff", width=9)
        pen.line((place + 4, top + size, place + 4, top + size + 50), fill="#ffffff", width=9)
        pen.line((place + size - 4, top + size, place + size - 4, top + size + 50), fill="#ffffff", width=9)
    pen.ellipse((430, 700, 480, 750), fill="#b00020")
    pen.ellipse((980, 660, 1024, 704), fill="#1d4f91")
    return _jpeg(picture)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def carry_out(process: Process, *, kirsten: User, amir: User, decided: datetime, now: datetime) -> None:
    """Everything that won, as far as it has come by now."""
    for one in Implementation.objects.filter(project__contribution__process=process).select_related(
        "project__contribution__process", "project__contribution__author"
    ):
        teller = Teller(one, kirsten, amir, decided, now)
        STORIES.get(one.project.contribution.title, _ordinary)(teller)


def _ordinary(teller: Teller) -> None:
    """What has no story of its own: planned, paid and done in time."""
    promises = list(teller.one.promises.values_list("text", flat=True))
    teller.plan(
        "Kultur og Fritid", promises, [("Arbejdet begynder", 60), ("Klar til brug", 150)], done_by=160
    )
    teller.reach(62, "Arbejdet begynder")
    teller.pay(75, int(teller.one.granted) // 2, "Første rate til udføreren")
    teller.deliver(148, *promises)
    teller.reach(150, "Klar til brug", "Kig forbi, og sig til, hvis noget skal rettes.")
    teller.pay(155, int(teller.one.granted) * 45 // 100, "Slutafregning")
    teller.status(160, Progress.DONE)


def _croquet(teller: Teller) -> None:
    """Those who proposed it build it, with accounts to the krone."""
    ground, shed, evening = (
        "Krolfbane med tolv huller",
        "Skur til køllerne",
        "Åben aften hver torsdag hele sommeren",
    )
    teller.plan(
        "Krolfgruppen i Åholm",
        [ground, shed, evening],
        [("Banen er målt op", 70), ("Skuret står", 110), ("Første spil", 125)],
        done_by=140,
        carried_out_by="citizens",
        agreement=(
            "Gruppen bygger banen og skuret på forsamlingshusets plæne og passer begge dele i fem år. Kommunen betaler "
            "materialer efter regning og klipper plænen. Penge, der ikke bruges, betales tilbage."
        ),
        agreement_signed_by="Formanden for forsamlingshuset (demo)",
        contact_name="Demo-kontakt",
        contact_how="70 20 00 00",
    )
    teller.pay(30, 35_000, "Krolfgruppen i Åholm, til bane og køller")
    teller.spend(45, "24850.00", "Køller, kugler og flag", public=True)
    teller.spend(52, "5920.50", "Huller, bræt og skilte")
    teller.reach(68, "Banen er målt op", "Tolv huller på en lørdag, og der var kaffe til alle.")
    teller.pay(80, 18_000, "Krolfgruppen i Åholm, til skuret")
    teller.spend(95, "17310.00", "Træ, tagpap og beslag til skuret")
    teller.reach(108, "Skuret står")
    teller.deliver(109, ground, shed)
    with teller.day(126):
        note = carrying.report_news(
            implementation=teller.one,
            by=teller.author,
            title="Så ruller kuglerne",
            text="36 mødte op til første spil, den yngste på seks og den ældste på 91. Kom torsdag kl. 19, vi har køller til alle.",
            photo=store_photo(
                data=croquet_ground(),
                name="krolfbane.jpg",
                alt="Tegning i demoen: den nye krolfbane med tre bøjler og et rødt skur",
                by=teller.author,
            ),
            milestone=Milestone.objects.get(implementation=teller.one, title="Første spil"),
        )
    with teller.day(127):
        carrying.settle_note(note=note, by=teller.kirsten, show=True)
    teller.deliver(230, evening)
    spent = Decimal("24850.00") + Decimal("5920.50") + Decimal("17310.00")
    with teller.day(235) as today:
        carrying.record_repayment(
            implementation=teller.one,
            by=teller.kirsten,
            amount=Decimal(53_000) - spent,
            paid_on=today,
            text="Krolfgruppen i Åholm, ikke brugt",
        )
        carrying.send_accounts(implementation=teller.one, by=teller.kirsten)
    with teller.day(238):
        carrying.approve_accounts(implementation=teller.one, by=teller.amir)
    teller.status(
        239,
        Progress.DONE,
        "Banen bliver brugt hver uge. Tak til Krolfgruppen for et regnskab, der gik op til øren.",
    )


def _skating(teller: Teller) -> None:
    """Delayed, with the reason and a new day."""
    teller.plan(
        "Kultur og Fritid",
        [
            "Skøjtebane på Lunde Torv i seks uger",
            "Skøjter til udlån i alle størrelser",
            "Fri adgang hver dag kl. 10-20",
        ],
        [("Banen er bestilt", 120), ("Strøm på torvet", 240), ("Isen åbner", 320)],
        done_by=365,
    )
    teller.reach(115, "Banen er bestilt")
    teller.pay(118, 96_000, "Depositum for banen")
    teller.news(
        180,
        "Vi har målt op på torvet",
        "Banen bliver 12 gange 20 meter og ligger foran biblioteket, så man kan låne skøjter dér.",
    )
    teller.status(
        262,
        Progress.DELAYED,
        (
            "Torvet skal først have et kraftigere strømstik, og gravearbejdet måtte vente på den nye fjernvarmeledning. Isen "
            "åbner derfor efter nytår i stedet for i december."
        ),
        expected=75,
    )
    with teller.day(263):
        for title, days in (("Strøm på torvet", 24), ("Isen åbner", 52)):
            carrying.move_milestone(
                milestone=Milestone.objects.get(implementation=teller.one, title=title),
                by=teller.kirsten,
                planned_on=timezone.localdate(teller.now) + timedelta(days=days),
                because="Fjernvarmeledningen skulle i jorden først.",
            )


def _hill(teller: Teller) -> None:
    """One promise was dropped, and the diary answers those who asked for it."""
    big, small, lamps = (
        "Kælkebakke på otte meter",
        "En lille bakke til de mindste",
        "Lys på bakken til kl. 20",
    )
    teller.plan(
        "Park og Vej",
        [big, small],
        [("Jorden er kørt til", 90), ("Bakken er sået til", 130), ("Klar til sne", 260)],
        done_by=275,
    )
    teller.reach(85, "Jorden er kørt til")
    teller.pay(92, 41_500, "Jordarbejde, Park og Vej")
    with teller.day(100):
        carrying.add_promise(
            implementation=teller.one,
            by=teller.kirsten,
            text=lamps,
            because="forældrene skrev, at det er mørkt, når børnene har fri",
        )
    teller.reach(128, "Bakken er sået til")
    teller.pay(135, 9_800, "Græsfrø og vanding")
    teller.drop(
        200,
        small,
        "jorden, hvor den skulle ligge, viste sig at dække en vandledning, der ikke må bygges oven på. Pengene er lagt i "
        "lys på den store bakke i stedet",
    )
    teller.news(
        212,
        "Hvor blev den lille bakke af?",
        "Flere har spurgt, og det er et godt spørgsmål: den stod på listen. Vandledningen så vi først, da vi gravede. Vi burde have "
        "undersøgt det, før vi lovede noget. Undskyld. I foråret måler vi op ved børnehaven og ser, om den kan ligge dér.",
    )
    teller.deliver(250, big)
    teller.pay(252, 14_900, "Tre lamper på bakken")
    teller.deliver(255, lamps)
    teller.reach(258, "Klar til sne", "Nu mangler vi kun sneen.")
    teller.status(270, Progress.DONE)


def _flowers(teller: Teller) -> None:
    """A later grant, with its reason."""
    seeds, sign = "Vilde blomster på fire kilometer rabat", "Skilte, der fortæller, hvad der blomstrer"
    teller.plan(
        "Park og Vej", [seeds, sign], [("Rabatterne er fræset", 60), ("Der er sået", 95)], done_by=200
    )
    teller.reach(58, "Rabatterne er fræset")
    teller.pay(60, 46_000, "Fræsning, Park og Vej")
    with teller.day(88) as today:
        carrying.grant_extra(
            implementation=teller.one,
            by=teller.kirsten,
            amount=Decimal(6_500),
            reason="hjemmehørende frø blev dyrere, og blandingen skulle ikke spædes op med noget, der forsvinder efter et år",
            decided_on=today,
        )
    teller.pay(96, 43_750, "Hjemmehørende frø")
    teller.reach(97, "Der er sået")
    teller.pay(170, 3_900, "Ti skilte")
    teller.deliver(170, sign)
    teller.deliver(185, seeds)
    teller.status(200, Progress.DONE, "Der blev talt 31 slags blomster i august.")


def _cupboards(teller: Teller) -> None:
    """Still under way; the group has told something and entered a receipt that waits for Kirsten."""
    teller.plan(
        "Skolens ældste klasser og bylaugene",
        ["Syv bogskabe, ét i hver landsby", "Bøger til at begynde med"],
        [("De første tre skabe står", 200), ("Alle syv står", 330)],
        done_by=345,
        carried_out_by="citizens",
        agreement="Klasserne bygger skabene i håndværk og design. Bylaugene stiller dem op og passer dem.",
        agreement_signed_by="Skolens leder (demo)",
        contact_name="Demo-kontakt",
        contact_how="70 20 00 00",
    )
    teller.pay(60, 16_000, "Skolen, til træ og maling")
    teller.spend(75, "8240.00", "Træ til tre skabe")
    teller.spend(150, "3115.75", "Maling og hængsler")
    teller.reach(
        196,
        "De første tre skabe står",
        "I Åholm, Nørremark og Vesterby. Bogbussens gamle bøger er flyttet ind.",
    )
    with teller.day(299):
        carrying.report_news(
            implementation=teller.one,
            by=teller.author,
            title="Fem af syv",
            text="Så står der også skabe i Kirkeby og ved Møllen. 9. klasse er i gang med de to sidste.",
        )
    teller.spend(300, "2870.00", "Træ til to skabe mere", confirmed=False)


def _homework(teller: Teller) -> None:
    """On time, half paid."""
    evenings, fruit = "Lektiecafé to aftener om ugen i et skoleår", "Frugt og materialer til alle"
    teller.plan(
        "Lunde Bibliotek", [evenings, fruit], [("Første aften", 205), ("Sidste aften", 500)], done_by=510
    )
    teller.reach(204, "Første aften", "22 kom, og tre frivillige fra gymnasiet holdt styr på brøkerne.")
    teller.pay(240, 46_000, "Løn til studerende, efteråret")
    teller.pay(241, 3_200, "Frugt og materialer, efteråret")
    teller.news(
        285, "En aften mere for udskolingen", "Fra januar er der også åbent om onsdagen for 8. og 9. klasse."
    )


def _theatre(teller: Teller) -> None:
    """Nothing has been told for more than three months: the owner is reminded."""
    teller.plan(
        "Kulturhuset",
        ["To dage med workshops", "En forestilling, som børnene selv laver"],
        [("Skolerne er inviteret", 150), ("Teaterdagene", 410)],
        done_by=420,
    )
    teller.reach(145, "Skolerne er inviteret")
    teller.pay(150, 12_000, "Forskud til undervisere")


STORIES: dict[str, Callable[[Teller], None]] = {
    "Krolfbane i Åholm": _croquet,
    "Skøjtebane om vinteren": _skating,
    "Kælkebakke i Østerlund": _hill,
    "Vilde blomster i rabatterne": _flowers,
    "Bogskabe i alle landsbyer": _cupboards,
    "Lektiecafé på biblioteket": _homework,
    "Teaterdage for alle børn": _theatre,
}
