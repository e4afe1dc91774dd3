"""What the banners say, in the languages of the replica sites."""

# ruff: noqa: E501 - texts and scripts as they stand in a page

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """A banner's words in one language; `{who}` is the controller."""

    title: str
    text: str
    accept: str
    refuse: str
    settings: str
    save: str
    close: str
    reopen: str
    partners: str
    policy: str
    purposes: tuple[tuple[str, str, str], ...]  # id, title, description
    interest: str = ""


WORDS = {
    "fr": Words(
        "Vos choix en matière de cookies",
        "{who}, responsable de ce site, et ses 3 partenaires utilisent des cookies qui permettent de lire "
        "votre adresse IP et vos données de navigation, pour mesurer l’audience et pour personnaliser la "
        "publicité. Vous pouvez accepter, refuser ou choisir finalité par finalité. Refuser ne vous prive de "
        "rien : les publicités seront seulement moins adaptées. Vous pouvez retirer votre consentement à tout "
        "moment par le lien « Gérer mes cookies » en bas de chaque page.",
        "Tout accepter", "Tout refuser", "Paramétrer vos choix", "Enregistrer mes choix", "Fermer",
        "Gérer mes cookies", "Nos 3 partenaires", "Politique de cookies",
        (("audience", "Mesure d’audience", "Compter les visites et savoir ce qui est lu."),
         ("pub", "Publicité personnalisée", "Afficher des annonces choisies d’après votre navigation.")),
        "Intérêt légitime",
    ),
    "en": Words(
        "Your choice about cookies",
        "{who}, who is responsible for this site, and its 3 partners use cookies to read your IP address and "
        "browsing data, in order to measure the audience and to personalise advertising. You can accept, refuse "
        "or choose purpose by purpose. Refusing costs you nothing: adverts are only less relevant. You can withdraw "
        "your consent at any time through the link “Cookie settings” at the foot of every page.",
        "Accept all", "Reject all", "Choose purposes", "Save my choices", "Close",
        "Cookie settings", "Our 3 partners", "Cookie policy",
        (("audience", "Audience measurement", "Counting visits and learning what is read."),
         ("pub", "Personalised advertising", "Showing adverts chosen from what you browse.")),
        "Legitimate interest",
    ),
    "de": Words(
        "Ihre Wahl zu Cookies",
        "{who}, verantwortlich für diese Website, und 3 Partner verwenden Cookies und verarbeiten Ihre IP-Adresse und "
        "Nutzungsdaten, um Reichweite zu messen und Werbung zu personalisieren. Sie können zustimmen, ablehnen oder "
        "einzeln wählen. Lehnen Sie ab, entstehen Ihnen keine Nachteile. Sie können Ihre Einwilligung jederzeit über "
        "„Cookie-Einstellungen“ am Ende jeder Seite widerrufen.",
        "Alle akzeptieren", "Alle ablehnen", "Einstellungen", "Auswahl speichern", "Schließen",
        "Cookie-Einstellungen", "Unsere 3 Partner", "Cookie-Richtlinie",
        (("audience", "Reichweitenmessung", "Besuche zählen und sehen, was gelesen wird."),
         ("pub", "Personalisierte Werbung", "Anzeigen nach Ihrem Surfverhalten zeigen.")),
    ),
    "es": Words(
        "Su elección sobre las cookies",
        "{who}, responsable de este sitio, y sus 3 socios utilizan cookies y tratan su dirección IP y sus datos de "
        "navegación para medir la audiencia y personalizar la publicidad. Puede aceptar, rechazar o elegir por finalidad. "
        "Rechazar no tiene consecuencias. Puede retirar su consentimiento en cualquier momento en «Configurar cookies», al pie "
        "de cada página.",
        "Aceptar todo", "Rechazar todo", "Configurar", "Guardar mi selección", "Cerrar",
        "Configurar cookies", "Nuestros 3 socios", "Política de cookies",
        (("audience", "Medición de audiencia", "Contar las visitas y saber qué se lee."),
         ("pub", "Publicidad personalizada", "Mostrar anuncios según su navegación.")),
    ),
    "it": Words(
        "La tua scelta sui cookie",
        "{who}, titolare del trattamento, e i suoi 3 partner usano cookie e trattano l’indirizzo IP e i dati di navigazione "
        "per misurare il pubblico e personalizzare la pubblicità. Puoi accettare, rifiutare o scegliere per finalità. Rifiutare "
        "non ha conseguenze. Puoi revocare il consenso in ogni momento con «Impostazioni cookie» in fondo a ogni pagina.",
        "Accetta tutto", "Rifiuta tutto", "Personalizza", "Salva le scelte", "Chiudi",
        "Impostazioni cookie", "I nostri 3 partner", "Informativa sui cookie",
        (("audience", "Misurazione del pubblico", "Contare le visite e sapere che cosa si legge."),
         ("pub", "Pubblicità personalizzata", "Mostrare annunci in base alla navigazione.")),
    ),
    "nl": Words(
        "Uw keuze over cookies",
        "{who}, verantwoordelijk voor deze site, en 3 partners gebruiken cookies en verwerken uw IP-adres en surfgedrag om het "
        "bezoek te meten en advertenties te personaliseren. U kunt aanvaarden, weigeren of per doel kiezen. Weigeren heeft geen "
        "gevolgen. U kunt uw toestemming altijd intrekken via “Cookie-instellingen” onderaan elke pagina.",
        "Alles accepteren", "Alles weigeren", "Instellingen", "Keuze opslaan", "Sluiten",
        "Cookie-instellingen", "Onze 3 partners", "Cookiebeleid",
        (("audience", "Bezoekmeting", "Bezoeken tellen en zien wat gelezen wordt."),
         ("pub", "Gepersonaliseerde advertenties", "Advertenties op basis van uw surfgedrag.")),
    ),
    "pl": Words(
        "Twój wybór dotyczący plików cookie",
        "{who}, administrator tej strony, oraz 3 partnerów używają plików cookie i przetwarzają adres IP oraz dane o "
        "przeglądaniu, aby mierzyć oglądalność i personalizować reklamy. Możesz zaakceptować, odmówić lub wybrać cele. Odmowa nie "
        "pociąga skutków. Zgodę możesz wycofać w każdej chwili przez „Ustawienia cookie” na dole każdej strony.",
        "Zaakceptuj wszystkie", "Odrzuć wszystkie", "Ustawienia", "Zapisz wybór", "Zamknij",
        "Ustawienia cookie", "Nasi 3 partnerzy", "Polityka cookie",
        (("audience", "Pomiar oglądalności", "Liczenie odwiedzin i tego, co jest czytane."),
         ("pub", "Reklama spersonalizowana", "Reklamy dobrane do przeglądanych treści.")),
    ),
    "pt": Words(
        "A sua escolha sobre cookies",
        "{who}, responsável por este site, e 3 parceiros usam cookies e tratam o seu endereço IP e dados de navegação para medir a "
        "audiência e personalizar a publicidade. Pode aceitar, recusar ou escolher por finalidade. Recusar não tem "
        "consequências. Pode retirar o consentimento a qualquer momento em «Definições de cookies», no fim de cada página.",
        "Aceitar tudo", "Recusar tudo", "Definições", "Guardar escolhas", "Fechar",
        "Definições de cookies", "Os nossos 3 parceiros", "Política de cookies",
        (("audience", "Medição de audiência", "Contar visitas e saber o que é lido."),
         ("pub", "Publicidade personalizada", "Mostrar anúncios conforme a navegação.")),
    ),
    "sv": Words(
        "Ditt val om kakor",
        "{who}, som ansvarar för webbplatsen, och 3 partner använder kakor och behandlar din IP-adress och dina surfdata för att mäta "
        "besök och anpassa annonser. Du kan godkänna, neka eller välja ändamål. Att neka får inga följder. Du kan när som helst "
        "återkalla ditt samtycke via ”Inställningar för kakor” längst ned på varje sida.",
        "Godkänn alla", "Neka alla", "Inställningar", "Spara mina val", "Stäng",
        "Inställningar för kakor", "Våra 3 partner", "Policy för kakor",
        (("audience", "Besöksmätning", "Räkna besök och se vad som läses."),
         ("pub", "Anpassade annonser", "Visa annonser utifrån vad du läser.")),
    ),
}  # fmt: skip
