"""What the replica sites are about: a newspaper, a shop, a town hall… a few plain pages each."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """A site's name, who answers for it, and its pages: path, title, text."""

    language: str
    title: str
    controller: str
    pages: tuple[tuple[str, str, str], ...]


THEMES = {
    "journal": Theme(
        "fr", "La Gazette de l’Aven", "Société des Presses de l’Aven",
        (("/", "À la une", "Le conseil municipal a voté hier soir le budget des écoles. La séance a duré quatre heures."),
         ("/sport", "Sport", "Belle victoire des cadettes à l’extérieur, qui prennent la tête de leur poule."),
         ("/culture", "Culture", "Le festival des arts de la rue revient au mois de mai avec trente compagnies."),
         ("/meteo", "Météo", "Éclaircies le matin, averses par l’ouest en fin de journée, vent modéré.")),
    ),
    "boutique": Theme(
        "fr", "Au Fil du Lin", "Atelier du Lin SARL",
        (("/", "Linge de maison", "Draps, nappes et torchons tissés dans le Nord, teints sans produits nocifs."),
         ("/draps", "Draps", "Housse de couette en lin lavé, 240 × 220, à partir de 129 euros."),
         ("/nappes", "Nappes", "Nappe en métis, taches effacées à trente degrés."),
         ("/livraison", "Livraison", "Livraison en trois jours ouvrés, retours gratuits pendant un mois.")),
    ),
    "mairie": Theme(
        "fr", "Ville de Saint-Aubin", "Commune de Saint-Aubin",
        (("/", "Bienvenue à Saint-Aubin", "La mairie est ouverte du lundi au vendredi de neuf heures à midi."),
         ("/etat-civil", "État civil", "Demandez un acte de naissance, de mariage ou de décès."),
         ("/ecoles", "Écoles", "Les inscriptions pour la rentrée se font au guichet de l’enfance."),
         ("/dechets", "Déchets", "Les encombrants sont ramassés le premier mardi du mois.")),
    ),
    "blog": Theme(
        "fr", "Carnet de randonnée", "Élise Marchand",
        (("/", "Mes marches", "Je raconte ici mes sorties en montagne, à pied et en raquettes."),
         ("/lac", "Le tour du lac", "Douze kilomètres sans difficulté, à faire tôt le matin."),
         ("/crete", "La crête", "Un passage exposé vers la fin ; par temps sec seulement."),
         ("/sac", "Que mettre dans le sac", "De l’eau, une carte, une lampe et de quoi se couvrir.")),
    ),
    "banque": Theme(
        "fr", "Crédit des Vallées", "Caisse du Crédit des Vallées",
        (("/", "Vos comptes, vos projets", "Ouvrez un compte en agence ou en ligne, sans frais la première année."),
         ("/epargne", "Épargne", "Un livret simple, disponible à tout moment."),
         ("/credits", "Crédits", "Un crédit vous engage et doit être remboursé."),
         ("/agences", "Agences", "Trouvez l’agence la plus proche de chez vous.")),
    ),
    "clinique": Theme(
        "fr", "Clinique des Tilleuls", "SA Clinique des Tilleuls",
        (("/", "Votre santé, nos équipes", "Cent vingt soignants vous accueillent toute l’année."),
         ("/urgences", "Urgences", "Les urgences sont ouvertes jour et nuit."),
         ("/rendez-vous", "Rendez-vous", "Prenez rendez-vous par téléphone avec le secrétariat."),
         ("/venir", "Venir", "Tramway 2, arrêt Tilleuls ; stationnement gratuit pendant deux heures.")),
    ),
    "paper": Theme(
        "en", "The Harbour Post", "Harbour Post Media Ltd",
        (("/", "Today", "The harbour board has agreed to dredge the northern channel before the winter."),
         ("/sport", "Sport", "The rowing club won both of its races on Saturday."),
         ("/opinion", "Opinion", "Why the old market hall deserves a second life."),
         ("/weather", "Weather", "Bright spells in the morning and showers later from the west.")),
    ),
    "shop": Theme(
        "en", "Oak & Ash Tools", "Oak and Ash Tools Ltd",
        (("/", "Hand tools", "Planes, chisels and saws, made to be sharpened and handed on."),
         ("/planes", "Planes", "A smoothing plane in cast iron, with a blade of high carbon steel."),
         ("/saws", "Saws", "Cross-cut and rip saws, set by hand."),
         ("/returns", "Returns", "Send it back within sixty days if it does not suit you.")),
    ),
    "museum": Theme(
        "en", "Museum of Small Boats", "Trustees of the Museum of Small Boats",
        (("/", "Plan your visit", "Open every day except Monday, from ten until five."),
         ("/collection", "Collection", "Four hundred boats, none longer than nine metres."),
         ("/schools", "Schools", "We welcome classes on weekday mornings."),
         ("/support", "Support us", "Become a friend of the museum and sail with us in June.")),
    ),
    "laden": Theme(
        "de", "Teehaus am Markt", "Teehaus am Markt GmbH",
        (("/", "Unsere Tees", "Schwarze, grüne und weiße Tees, direkt von den Gärten."),
         ("/gruen", "Grüner Tee", "Mild und blumig, zweimal aufzugießen."),
         ("/schwarz", "Schwarzer Tee", "Kräftig, für Milch und Zucker gemacht."),
         ("/versand", "Versand", "Wir liefern in zwei bis drei Werktagen.")),
    ),
    "tienda": Theme(
        "es", "Cerámica del Río", "Cerámica del Río SL",
        (("/", "Nuestra cerámica", "Platos y cuencos hechos a mano en nuestro taller."),
         ("/platos", "Platos", "Esmalte azul, aptos para el lavavajillas."),
         ("/cuencos", "Cuencos", "Para la sopa, la ensalada o la fruta."),
         ("/taller", "El taller", "Visítenos los sábados por la mañana.")),
    ),
    "giornale": Theme(
        "it", "Il Corriere del Colle", "Edizioni del Colle srl",
        (("/", "Prima pagina", "Il mercato coperto riapre dopo due anni di lavori."),
         ("/sport", "Sport", "La squadra femminile vince in trasferta."),
         ("/cultura", "Cultura", "Una mostra di fotografie nella vecchia filanda."),
         ("/tempo", "Tempo", "Sereno al mattino, qualche pioggia la sera.")),
    ),
    "krant": Theme(
        "nl", "Fietsenmaker De Spaak", "Fietsenmaker De Spaak BV",
        (("/", "Welkom", "Wij herstellen alle fietsen, ook elektrische."),
         ("/nieuw", "Nieuwe fietsen", "Stadsfietsen vanaf zeshonderd euro."),
         ("/herstel", "Herstelling", "Klaar binnen twee werkdagen."),
         ("/contact", "Contact", "Dagelijks open, behalve op maandag.")),
    ),
    "ksiegarnia": Theme(
        "pl", "Księgarnia Pod Lipą", "Księgarnia Pod Lipą sp. z o.o.",
        (("/", "Nowości", "Powieści, reportaże i książki dla dzieci."),
         ("/powiesci", "Powieści", "Najlepsze powieści jesieni."),
         ("/dzieci", "Dla dzieci", "Bajki z ilustracjami na dobranoc."),
         ("/dostawa", "Dostawa", "Wysyłka w ciągu dwóch dni.")),
    ),
    "loja": Theme(
        "pt", "Mercearia da Ribeira", "Mercearia da Ribeira Lda",
        (("/", "Os nossos produtos", "Azeite, conservas e queijos da região."),
         ("/azeite", "Azeite", "Prensado a frio, colheita deste ano."),
         ("/queijos", "Queijos", "De ovelha e de cabra, curados três meses."),
         ("/entregas", "Entregas", "Entregamos em todo o país.")),
    ),
    "butik": Theme(
        "sv", "Garnboden", "Garnboden i Norr AB",
        (("/", "Garn och mönster", "Ull från egna får, färgad med växter."),
         ("/ull", "Ull", "Mjuk och slitstark, femtio gram per nystan."),
         ("/monster", "Mönster", "Tröjor, vantar och mössor."),
         ("/frakt", "Frakt", "Leverans inom tre dagar.")),
    ),
}  # fmt: skip
