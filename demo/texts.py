"""The demo's Danish texts. Invented, and written as someone would write them.

A project is (title, what, why, place, district code, cost lines, carried out by citizens).
"""

from typing import NamedTuple


class ProjectText(NamedTuple):
    title: str
    what: str
    why: str
    place: str
    district: str
    costs: tuple[tuple[str, int], ...]
    ourselves: bool = False


DEMO_NOTE = "Dette er et demoforløb. Kommunen, menneskene og tallene er opdigtede; formen er inspireret af {inspired_by}."

SAME_IDEA = ProjectText(
    "Et shelter ved badebroen",
    "Sæt et par shelters op på græsset ved Lunde Sø, så familier kan sove ude. Der må gerne være en bålplads, hvor man "
    "kan lave mad.",
    "Børnene taler stadig om den nat, vi sov ude hos deres fætter.",
    "Lunde Sø, på græsset ved badebroen",
    "nord",
    (("To shelters", 90_000), ("Bålplads", 20_000)),
)
SAME_BECAUSE = "Begge vil have shelters og en bålplads på græsset ved Lunde Sø. Sammen fylder I mere."
IDEAS_2027 = (
    ProjectText(
        "Shelters og bålplads ved Lunde Sø",
        "To shelters med plads til seks personer hver og en bålplads med bænke af robinietræ. Man booker gratis på "
        "kommunens side. Stien derned skal være så jævn, at man kan komme med klapvogn og kørestol.",
        "Vi er mange, der gerne vil sove ude med børnene, men der er 18 kilometer til det nærmeste shelter. Her kan "
        "skolen, spejderne og familierne dele det.",
        "Græsset syd for badebroen ved Lunde Sø",
        "nord",
        (
            ("To shelters, leveret og sat op", 96_000),
            ("Bålplads og bænke", 28_000),
            ("Grus på 60 meter sti", 31_000),
        ),
    ),
    ProjectText(
        "Byttehus ved genbrugspladsen i Åholm",
        "Et lille træhus med hylder, hvor man kan stille ting, der stadig kan bruges, og tage andet med hjem. Vi er "
        "otte frivillige, der vil rydde op to gange om ugen.",
        "Der ryger gode ting i containeren hver lørdag. Et byttehus sparer penge og affald, og man får en snak med dem, "
        "man møder.",
        "Indgangen til genbrugspladsen, Møllevej",
        "aaholm",
        (("Træhus på 20 kvadratmeter", 118_000), ("Hylder, skilte og lys", 19_500)),
        True,
    ),
    ProjectText(
        "Bænke på vejen til lægehuset",
        "Otte bænke med ryg og armlæn, en for hver 150 meter fra ældreboligerne på Kirkevej til lægehuset. Armlænene er "
        "vigtige, for uden dem kan man ikke rejse sig.",
        "Min mor på 84 går selv til lægen, når hun kan hvile undervejs. I dag tager hun en taxa.",
        "Kirkevej og Stationsvej",
        "midt",
        (("Otte bænke", 52_000), ("Fliser og opsætning", 36_000)),
    ),
    ProjectText(
        "Lys på stien bag hallen",
        "Lave lamper, der kun lyser, når nogen går forbi, på de 400 meter mellem Søndervanghallen og busstoppet.",
        "Vi er et hold piger på 14 og 15, der går hjem fra håndbold klokken 20.30. Der er helt mørkt, og vores forældre "
        "vil have, at vi går en omvej på 20 minutter.",
        "Stien mellem Søndervanghallen og Lundevej",
        "syd",
        (("14 lamper med føler", 126_000), ("Gravearbejde og kabel", 84_000)),
    ),
    ProjectText(
        "Frugttræer, som alle må plukke af",
        "30 æble-, pære- og blommetræer langs den nye cykelsti. Vi planter dem sammen en lørdag i november, og "
        "haveforeningen lærer fra sig om beskæring hvert forår.",
        "Frugt på vejen hjem fra skole er en god grund til at cykle.",
        "Langs cykelstien mellem Østerlund Skole og stationen",
        "oest",
        (
            ("30 træer i god størrelse", 24_000),
            ("Jord, pæle og hegn mod rådyr", 17_000),
            ("Fællesdag med suppe", 4_000),
        ),
        True,
    ),
    ProjectText(
        "Værksted med værktøj til udlån",
        "En hylde på biblioteket med boremaskine, stige, symaskine og fliserenser, man kan låne som en bog. Hver tirsdag "
        "sidder to pensionerede håndværkere klar til at hjælpe.",
        "Ingen behøver eje en boremaskine, der bruges ti minutter om året.",
        "Lunde Bibliotek, kælderen",
        "midt",
        (("Værktøj", 46_000), ("Reoler, mærkning og forsikring", 21_000)),
    ),
    ProjectText(
        "Udendørs bordtennis og skak på torvet",
        "To bordtennisborde og tre skakborde i beton, der kan tåle regn og fodbolde, med bats og brikker til udlån i "
        "kiosken.",
        "Torvet er tomt efter klokken 17. Her er noget, man kan lave sammen, uden at det koster penge.",
        "Lunde Torv",
        "midt",
        (("To bordtennisborde", 58_000), ("Tre skakborde med bænke", 39_000), ("Fundament", 22_000)),
    ),
)

VESTERVANG = (
    ProjectText(
        "Pumptrack bag Vestervang Skole",
        "En bølget asfaltbane til cykel, løbehjul og rulleskøjter, 90 meter lang, med en lav del til de mindste.",
        "Børnene kører i dag på parkeringspladsen. Vi er 22 familier, som vil holde banen ren og lære de små at køre.",
        "Græsplænen bag Vestervang Skole",
        "vest",
        (("Jordarbejde og asfalt", 135_000), ("Skilt og bænk", 9_000)),
        True,
    ),
    ProjectText(
        "Fælleshaver ved Bøgeparken",
        "Tolv højbede, et redskabsskur og en vandpost. Tre af bedene er i kørestolshøjde.",
        "Halvdelen af os bor i lejlighed uden altan. Vi vil gerne have jord under neglene og kende hinanden.",
        "Plænen mellem blok 4 og 6 i Bøgeparken",
        "vest",
        (("Højbede og jord", 41_000), ("Skur og redskaber", 26_000), ("Vandpost", 15_000)),
        True,
    ),
    ProjectText(
        "Sommerbio på klubbens gavl",
        "Fire aftener i august med film på gavlen, popcorn og tæpper. Klubben låner os projektoren.",
        "Det er de samme, der er hjemme hele ferien. De fire aftener vil de huske.",
        "Fritidsklubbens gårdsplads",
        "vest",
        (("Leje af film og lyd", 24_000), ("Stole, tæpper og popcorn", 8_000)),
        True,
    ),
    ProjectText(
        "En rampe ved købmanden",
        "En fast rampe med gelænder op til døren, så man kan komme ind med rollator, kørestol og barnevogn.",
        "Trappen har tre trin. I dag står folk udenfor og ringer ind.",
        "Vestervang Købmand, Skolevej 2",
        "vest",
        (("Rampe i beton", 38_000), ("Gelænder i stål", 17_000)),
    ),
    ProjectText(
        "Musikrum for unge i den gamle kiosk",
        "Isolering, strøm og to brugte forstærkere i den tomme kiosk, så tre bands kan øve på skift.",
        "Vi er 11 unge, der har spurgt overalt. Vi maler selv og passer på nøglen sammen med klubben.",
        "Den gamle kiosk på Stationsvej",
        "vest",
        (("Isolering og døre", 62_000), ("Strøm og lys", 21_000), ("Forstærkere og trommer", 18_000)),
        True,
    ),
    ProjectText(
        "Trampestier og insekthoteller i mosen",
        "En afmærket tur på 1,4 kilometer med seks små skilte, som 5. klasse skriver og tegner, og fire insekthoteller.",
        "Mosen ligger fem minutter væk, og næsten ingen kommer der, fordi man ikke kan finde ind.",
        "Vestermosen",
        "vest",
        (("Skilte og pæle", 16_000), ("Træ til hoteller og gangbrædder", 19_000)),
        True,
    ),
    ProjectText(
        "Hjertestarter og kursus",
        "En hjertestarter på hallens mur, der er åben hele døgnet, og et kursus for 60 beboere.",
        "Den nærmeste hænger inde i skolen og er låst inde efter klokken 16.",
        "Vestervanghallen",
        "vest",
        (("Hjertestarter i opvarmet skab", 21_000), ("Tre kursusaftener", 12_000)),
    ),
    ProjectText(
        "Fællesspisning en gang om måneden",
        "Service til 80, to store gryder og leje af hallens køkken i et år. Vi laver mad på skift.",
        "Nye og gamle i kvarteret sidder aldrig ved samme bord. Det kan en gryde suppe lave om på.",
        "Vestervanghallens køkken",
        "vest",
        (("Service og gryder", 18_500), ("Leje og råvarer til opstart", 14_000)),
        True,
    ),
)

CARRIED_OUT_2025 = (
    ProjectText(
        "Naturlegeplads i Lundeskoven",
        "Stammer at balancere på, en svævebane og et lavt klatrenet, alt i træ fra skoven.",
        "Der er ingen legeplads nord for banen.",
        "Lundeskoven ved parkeringspladsen",
        "nord",
        (("Svævebane og klatrenet", 210_000), ("Stammer og faldunderlag", 75_000)),
    ),
    ProjectText(
        "Badebro, som alle kan bruge",
        "En bred badebro med rampe ned i vandet og håndlister i begge sider.",
        "Mange af os kan ikke gå ned ad en badestige.",
        "Lunde Sø, østbredden",
        "nord",
        (("Badebro med rampe", 240_000), ("Håndlister og omklædning", 60_000)),
    ),
    ProjectText(
        "Cykelpumper og værktøj ved stationen",
        "To faste pumper og en stander med værktøj i kæde.",
        "Man punkterer altid på vej til toget.",
        "Lunde Station",
        "midt",
        (("To pumper og en stander", 34_000),),
    ),
    ProjectText(
        "Vilde blomster i rabatterne",
        "Blandede frø af danske arter på seks kilometer vejrabat, slået én gang om året.",
        "Det summer, og det er billigere end at slå græsset ti gange.",
        "Rabatterne langs Ringvejen",
        "oest",
        (("Frø og klargøring", 88_000),),
    ),
    ProjectText(
        "Lektiecafé på biblioteket",
        "To aftener om ugen i et skoleår med frivillige og en lønnet studerende.",
        "Ikke alle har nogen derhjemme, der kan hjælpe med brøker.",
        "Lunde Bibliotek",
        "midt",
        (("Løn til studerende", 92_000), ("Frugt og materialer", 8_000)),
    ),
    ProjectText(
        "Multibane i Søndervang",
        "En lille bane med bander til fodbold, basket og håndbold.",
        "Den gamle bane er en vandpyt fra oktober til april.",
        "Grønningen bag Søndervang Skole",
        "syd",
        (("Bane med bander", 340_000), ("Dræn og asfalt", 110_000)),
    ),
    ProjectText(
        "Krolfbane i Åholm",
        "Tolv huller på den gamle plæne og et skur til køllerne.",
        "Vi er 40, der kører til nabobyen to gange om ugen for at spille.",
        "Åholm Forsamlingshus",
        "aaholm",
        (("Bane og køller", 31_000), ("Skur", 22_000)),
        True,
    ),
    ProjectText(
        "Bogskabe i alle landsbyer",
        "Syv skabe, bygget af skolens ældste klasser.",
        "Bogbussen kommer ikke mere.",
        "Syv landsbyer",
        "aaholm",
        (("Træ, tag og maling til syv skabe", 26_000),),
        True,
    ),
    ProjectText(
        "Sikker skolevej ad Møllevej",
        "To hævede flader og en rødmalet cykelbane på de 300 meter, hvor der ikke er fortov.",
        "Børnene kører til skole mellem lastbilerne.",
        "Møllevej mellem nr. 12 og 60",
        "oest",
        (("To hævede flader", 180_000), ("Maling og skilte", 45_000)),
    ),
    ProjectText(
        "Gratis musik i parken",
        "Seks torsdage i juni og juli med lokale bands.",
        "Det er den eneste aften, hvor alle aldre er i parken på én gang.",
        "Byparken",
        "midt",
        (("Scene og lyd", 96_000), ("Honorarer", 54_000)),
    ),
    ProjectText(
        "Toilet ved Lunde Sø",
        "Et toilet, der virker hele året, med puslebord.",
        "Folk går i buskene.",
        "Parkeringspladsen ved Lunde Sø",
        "nord",
        (("Toiletbygning", 385_000), ("Kloak og vand", 140_000)),
    ),
    ProjectText(
        "Skøjtebane om vinteren",
        "Leje af en lille bane i seks uger og skøjter til udlån.",
        "Frosten kommer ikke af sig selv længere.",
        "Lunde Torv",
        "midt",
        (("Leje af bane", 290_000), ("Skøjter og strøm", 85_000)),
    ),
    ProjectText(
        "Højbede på plejehjemmet",
        "Otte højbede i terrassens højde og bærbuske langs hegnet.",
        "Beboerne har passet have hele livet. Nu ser de på en flisegang.",
        "Plejehjemmet Åkanden",
        "syd",
        (("Højbede, jord og buske", 47_000),),
    ),
    ProjectText(
        "Udendørs træning ved hallen",
        "Fem redskaber, der også kan bruges af folk med gigt.",
        "Træning skal ikke koste 299 kroner om måneden.",
        "Østerlundhallen",
        "oest",
        (("Fem redskaber", 125_000), ("Underlag", 40_000)),
    ),
    ProjectText(
        "Kælkebakke i Østerlund",
        "Overskudsjord fra byggeriet lagt op til en bakke på otte meter.",
        "Her er fladt som en pandekage.",
        "Fælleden i Østerlund",
        "oest",
        (("Jordarbejde og græs", 68_000),),
    ),
    ProjectText(
        "Teaterdage for alle børn",
        "To dage med workshops og en forestilling, som børnene selv laver.",
        "Kulturhuset ligger langt væk fra dem, der ikke har bil.",
        "Søndervang Skole",
        "syd",
        (("Undervisere", 58_000), ("Kostumer og lys", 17_000)),
    ),
)

FINISHED_TITLE = "Færdigt: {project}"
FINISHED_TEXTS = (
    "I lørdags klippede naboerne snoren over. Tak til alle, der har gravet, malet og båret.",
    "Det sidste er på plads, og regningen holdt. Kig forbi, og sig til, hvis noget skal rettes.",
)
FEASIBLE = "Kan lade sig gøre. Prisen svarer til det, vi plejer at betale."


class Said(NamedTuple):
    """An argument about a project: for or against, how many found it useful or not, and what was replied."""

    side: str
    text: str
    useful: int
    not_useful: int
    replies: tuple[str, ...] = ()


# By title: how many support the project, and what is said for and against it.
DEBATE: dict[str, tuple[int, tuple[Said, ...]]] = {
    "Shelters og bålplads ved Lunde Sø": (
        42,
        (
            Said(
                "for",
                "Skolens 5. klasser har naturuge i september. I dag kører vi dem 18 kilometer i bus for at sove ude.",
                14,
                1,
                ("Spejderne vil gerne lære klasserne at tænde bål uden optændingsblokke.",),
            ),
            Said(
                "for",
                "Det koster ikke noget at sove der. Ikke alle familier har råd til en campingtur.",
                9,
                0,
            ),
            Said(
                "for",
                "Stien er det bedste ved forslaget. Min mand sidder i kørestol og har ikke været ved søen i fire år.",
                11,
                0,
            ),
            Said(
                "against",
                "Der yngler lappedykkere i sivene lige der. Flyt bålpladsen 200 meter mod øst, så er jeg med.",
                12,
                2,
                (
                    "Godt set. Vi har skrevet til naturvejlederen og spurgt, hvor den må ligge.",
                    "Øst for badebroen er der i forvejen en gammel bålplads.",
                    "Den er desværre fjernet i foråret.",
                ),
            ),
            Said("against", "Hvem rydder op efter festerne? Vi, der bor på Søvej, gør det i dag.", 7, 3),
        ),
    ),
    "Byttehus ved genbrugspladsen i Åholm": (
        27,
        (
            Said(
                "for",
                "Vi har sådan et, hvor min datter bor. Hun har møbleret hele sin lejlighed derfra.",
                8,
                0,
            ),
            Said(
                "against",
                "Genbrugsbutikken på Torvegade lever af det samme. Den giver overskuddet til julehjælp.",
                5,
                2,
                ("Butikken siger nej tak til det meste i dag. Det er det, der ender i containeren.",),
            ),
        ),
    ),
    "Bænke på vejen til lægehuset": (
        61,
        (
            Said("for", "Armlænene er ikke pynt. Uden dem bliver man siddende.", 17, 0),
            Said("for", "Jeg er 29 og højgravid. Bænkene er til flere, end man tror.", 13, 1),
            Said(
                "against",
                "Fortovet er for smalt ud for nr. 12. Der kan en barnevogn ikke komme forbi en bænk.",
                6,
                0,
            ),
        ),
    ),
    "Lys på stien bag hallen": (
        53,
        (
            Said(
                "for", "Min datter går til håndbold. Hun ringer hjem, indtil hun er fremme. Hver gang.", 16, 0
            ),
            Said(
                "against",
                "Flagermusene jager langs stien. Brug gult lys, og sluk det efter klokken 22.",
                9,
                1,
                ("Lamperne lyser kun, når nogen går forbi. Gult lys er en god idé, den tager vi med.",),
            ),
        ),
    ),
    "Frugttræer, som alle må plukke af": (18, (Said("for", "Et æble på vejen hjem er god mad.", 4, 0),)),
    "Udendørs bordtennis og skak på torvet": (
        12,
        (Said("against", "Torvedagene fylder hele pladsen om lørdagen. Hvor skal boderne så stå?", 3, 1),),
    ),
    "Pumptrack bag Vestervang Skole": (
        24,
        (
            Said(
                "for", "Så kan de store lære de små at køre, i stedet for at køre om kap med bilerne.", 7, 0
            ),
            Said("against", "Plænen er den eneste, hvor man kan spille rundbold.", 4, 2),
        ),
    ),
    "Fælleshaver ved Bøgeparken": (
        19,
        (Said("for", "Jeg kender ingen i min opgang. Det vil jeg gerne lave om på.", 8, 0),),
    ),
}
