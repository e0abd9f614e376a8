"""Twenty ideas, each told twice in other words, and a heap of others. Written for these tests."""

import itertools

# (title, text) as two people might put the same wish.
PAIRS: list[tuple[tuple[str, str], tuple[str, str]]] = [
    (
        (
            "En bænk ved Mølledammen",
            "Jeg går tur med min mor hver dag, og hun kan ikke nå hele vejen rundt om Mølledammen uden at sidde ned. Sæt en bænk op halvvejs.",
        ),
        (
            "Sæt bænke op rundt om dammen",
            "Det ville være dejligt med et par bænke ved Mølledammen, så de ældre kan hvile sig undervejs, når de går rundt.",
        ),
    ),
    (
        (
            "Lys på stien bag skolen",
            "Stien fra Birkevej til skolen er bælgmørk om vinteren. Børnene tør ikke cykle der. Der mangler gadelamper.",
        ),
        (
            "Mørk skolesti",
            "Min datter er bange for at cykle ad stien ved skolen om morgenen, fordi der ingen lys er. Giv os nogle lamper på stien fra Birkevej.",
        ),
    ),
    (
        (
            "Drikkevand i byparken",
            "Der burde være en post med drikkevand i byparken, så løbere og børn kan fylde deres flaske.",
        ),
        (
            "Vandpost til løbere",
            "En vandpost i parken, hvor man kan fylde sin flaske med drikkevand, når man løber eller leger.",
        ),
    ),
    (
        (
            "Flere skraldespande på stranden",
            "Om sommeren flyder stranden med affald, fordi spandene er fulde. Sæt flere skraldespande op ved strandparkeringen.",
        ),
        (
            "Affald på stranden",
            "Der er alt for få skraldespande ved stranden. Når vejret er godt, ligger affaldet og flyder omkring parkeringen.",
        ),
    ),
    (
        (
            "Overdækket cykelparkering ved stationen",
            "Cyklerne på stationen står i regn hele dagen og ruster. Vi mangler et tag over cykelstativerne.",
        ),
        (
            "Tag over cykelstativerne",
            "Kan vi få tag over cykelstativerne ved stationen? Min cykel ruster, når den står ude i regnen, mens jeg er på arbejde.",
        ),
    ),
    (
        (
            "Naturlegeplads i Nordskoven",
            "Lav en legeplads af træstammer og reb i Nordskoven, hvor børn kan klatre og balancere.",
        ),
        (
            "Klatrelegeplads af træ i skoven",
            "Børnene mangler et sted at klatre. Byg en legeplads af træstammer i Nordskoven med balancebom og reb.",
        ),
    ),
    (
        (
            "Fodgængerfelt ved Brugsen",
            "Det er farligt at gå over Hovedgaden ved Brugsen, fordi bilerne kører stærkt. Lav et fodgængerfelt.",
        ),
        (
            "Sikker vej over Hovedgaden",
            "Vi mangler et fodgængerfelt på Hovedgaden ud for Brugsen. Bilerne kører alt for stærkt der.",
        ),
    ),
    (
        (
            "Fælles køkkenhave bag biblioteket",
            "Grunden bag biblioteket ligger tom. Lad os dyrke grøntsager sammen i højbede.",
        ),
        (
            "Højbede til naboer",
            "Lav højbede på den tomme grund bag biblioteket, så vi kan dyrke grøntsager sammen med naboerne.",
        ),
    ),
    (
        (
            "Hundeskov ved Engvej",
            "Der er ingen steder, hvor hunde må løbe løs. Indhegn et stykke af skoven ved Engvej.",
        ),
        (
            "Et sted hvor hunde kan løbe frit",
            "Kommunen bør indhegne et stykke ved Engvej til en hundeskov, så hundene kan løbe løs uden at genere andre.",
        ),
    ),
    (
        (
            "Badetrappe ved havnen",
            "Det er svært at komme op af vandet ved havnen. En badetrappe ville gøre det trygt at svømme.",
        ),
        (
            "Trappe til badende i havnen",
            "Vi er mange, der bader i havnen hele året. Sæt en trappe op, så man trygt kan komme op af vandet.",
        ),
    ),
    (
        ("Petanquebane på torvet", "Lav en petanquebane på torvet, hvor pensionister og andre kan mødes."),
        (
            "Petanque for alle",
            "En bane til petanque midt på torvet ville give os pensionister et sted at mødes.",
        ),
    ),
    (
        (
            "Byttehylde på genbrugspladsen",
            "Mange smider gode ting ud. Lav en hylde på genbrugspladsen, hvor man kan bytte.",
        ),
        (
            "Bytteskur ved genbrugspladsen",
            "Byg et skur på genbrugspladsen, hvor folk kan stille gode ting, andre kan bytte eller tage med.",
        ),
    ),
    (
        ("Udendørs fitness ved hallen", "Sæt træningsredskaber op udenfor hallen, så alle kan træne gratis."),
        (
            "Gratis træning ude",
            "Der mangler redskaber til udendørs træning ved hallen, som man kan bruge gratis.",
        ),
    ),
    (
        (
            "Vilde blomster i rabatten",
            "Så vilde blomster i vejrabatterne i stedet for at slå græsset. Det hjælper bierne.",
        ),
        ("Lad rabatterne blomstre", "Slå ikke græsset i vejrabatterne så tit. Så vilde blomster til bierne."),
    ),
    (
        (
            "Klubhus til de unge",
            "De unge mellem 13 og 17 har ingen steder at være om aftenen. Åbn et klubhus i den gamle brandstation.",
        ),
        (
            "Et værested i den gamle brandstation",
            "Gør brandstationen til et klubhus for unge, så vi har et sted at være om aftenen.",
        ),
    ),
    (
        (
            "Rampe til kørestole ved biblioteket",
            "Man kan ikke komme ind på biblioteket i kørestol, fordi der er tre trin. Byg en rampe.",
        ),
        (
            "Kørestole kan ikke komme ind på biblioteket",
            "Trinene ved bibliotekets indgang er umulige i kørestol. Der skal en rampe til.",
        ),
    ),
    (
        (
            "Bump på Skovvej",
            "Bilerne kører for hurtigt på Skovvej, hvor der er mange små børn. Lav bump på vejen.",
        ),
        (
            "Sænk farten på Skovvej",
            "Der bliver kørt alt for hurtigt på Skovvej. Vi vil gerne have bump, for her leger mange små børn.",
        ),
    ),
    (
        (
            "Scene i parken",
            "En lille scene med tag i parken, så lokale bands og skoleklasser kan optræde om sommeren.",
        ),
        ("Friluftsscene", "Byg en scene med tag i byparken, hvor bands, kor og skoleklasser kan optræde."),
    ),
    (
        (
            "Flere borde og grill ved søen",
            "Ved søen mangler der borde og et sted at grille, så familier kan spise sammen.",
        ),
        (
            "Grillplads ved søen",
            "Lav en plads med borde og grill ved søen, hvor familierne kan spise aftensmad sammen.",
        ),
    ),
    (
        (
            "Læsegruppe for voksne på biblioteket",
            "Start en læsegruppe om aftenen på biblioteket for voksne, som synes, det er svært at læse.",
        ),
        (
            "Hjælp til voksne, der har svært ved at læse",
            "Biblioteket kunne holde en læsegruppe om aftenen for voksne, der synes, at læsning er svært.",
        ),
    ),
]

# Other wishes, alike in their small words but not in what they want.
OTHERS: list[tuple[str, str]] = [
    ("Skolemad til alle", "Giv alle elever et sundt måltid midt på dagen, så ingen går sultne hjem."),
    (
        "Bus til lufthavnen",
        "Vi har brug for en direkte bus til lufthavnen tidligt om morgenen, før toget kører.",
    ),
    ("Ny tavle til byrådssalen", "Møderne kan ikke følges bagfra, fordi lærredet er for lille."),
    ("Kor for begyndere", "Kulturskolen burde have et kor, hvor man ikke behøver at kunne noder."),
    (
        "Ladestandere i midtbyen",
        "Elbiler kan ikke lade op, når man handler. Sæt nogle standere i p-kælderen.",
    ),
    (
        "Rene toiletter på rastepladsen",
        "Toiletterne bliver gjort rent for sjældent, og der mangler tit papir.",
    ),
    ("Mindre støj fra motorvejen", "En støjvold ville give ro i haverne mod syd."),
    ("Fjern graffitien på viadukten", "Muren under jernbanen er malet over af tags, og den ser trist ud."),
]


def heap(number: int) -> list[tuple[str, str]]:
    """As many different ones as asked for, each of the length people write."""
    things = [
        "asfalt",
        "hække",
        "parkeringskælderen",
        "museet",
        "svømmehallen",
        "busruten",
        "rundkørslen",
        "børnehaven",
    ]
    places = ["Sønderby", "Vesterled", "Kirkebakken", "Industrivej", "Åparken", "Kildevænget", "Fyrreskoven"]
    wishes = [
        "bør åbne tidligere om lørdagen, for mange har først fri dér",
        "trænger til ny maling og nogle, der holder øje",
        "kunne drives af en forening, hvis kommunen betalte varmen",
        "skal have bedre skiltning, så gæster kan finde derhen",
        "er for dyr for en familie med tre børn",
        "burde lukkes for gennemkørende trafik i myldretiden",
        "fortjener en plan for de næste ti år",
    ]
    reasons = [
        "Det har vi talt om i grundejerforeningen.",
        "Sådan gør de i nabokommunen, og det virker.",
        "Mine naboer er enige.",
        "Det koster næsten ingenting at prøve.",
        "Jeg hjælper gerne med det praktiske.",
    ]
    made = itertools.product(things, places, wishes, reasons)
    return [
        (f"{thing.capitalize()} i {place} nr. {count}", f"Vi synes, at {thing} i {place} {wish}. {reason}")
        for count, (thing, place, wish, reason) in enumerate(
            itertools.islice(itertools.cycle(made), number), 1
        )
    ]
