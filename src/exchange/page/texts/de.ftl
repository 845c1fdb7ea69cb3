# Die Texte der Seiten. Jede Sprache hat dieselben Einträge.

and = und
by = von
changed = geändert
copy = Kopieren
copied = Kopiert
send = Absenden
cancel = Abbrechen
delete = Löschen
also-as = Dasselbe als:
chart-numbers = Die Zahlen
facet-more = Mehr
skip = Zum Inhalt springen

nav-label = Hauptmenü
nav-home = Start
nav-browse = Stöbern
nav-new = Neuer Pulse
search-label = Nach Adresse, Name, Prüfsumme oder Wort suchen
search-hint = Adresse, Name, Prüfsumme oder Wort
search-button = Suchen
footer-api = API
look-language = Sprache
look-colours = Farben
look-button = Übernehmen
colours-auto = Wie das System
colours-light = Hell
colours-dark = Dunkel
pager-label = Seiten
pager-first = Erste Seite
pager-next = Nächste Seite

done-subscribed = Abonniert. Innerhalb von 30 Minuten ist es auf Ihren Sensoren.
done-unsubscribed = Nicht mehr abonniert. Ihre Sensoren vergessen es mit der nächsten Aktualisierung.
done-commented = Ihr Kommentar ist veröffentlicht.
done-deleted = Der Kommentar ist gelöscht.
done-voted = Ihre Stimme zählt.
done-reported = Danke. Die Moderation sieht es sich an.
done-suggested = Abgeschickt. Wer den Pulse verfasst hat, entscheidet über Ihren Vorschlag.
done-cloned = Das ist Ihre Kopie.
done-published = Veröffentlicht.
done-signed-up = Ihr Konto ist angelegt. Melden Sie sich mit Ihrem Passwort an.
done-signed-out = Sie sind abgemeldet.

error-400 = Das geht so nicht
error-400-what = Etwas in der Adresse oder im Formular ist anders als erwartet. Gehen Sie zurück und ändern Sie es.
error-403 = Nicht erlaubt
error-403-what = Ihr Konto darf das nicht. Wenn es das dürfen sollte, fragen Sie, wer diesen Dienst betreibt.
error-404 = Hier ist nichts
error-404-what = Unter dieser Adresse gibt es nichts, oder es ist nicht für Sie bestimmt. Prüfen Sie die Adresse, oder suchen Sie oben danach.
error-405 = Das geht so nicht
error-405-what = Diese Adresse nimmt keine solche Anfrage an. Gehen Sie zurück und benutzen Sie die Knöpfe der Seite.
error-413 = Zu viel auf einmal
error-413-what = Was Sie geschickt haben, ist zu lang. Teilen Sie es auf, oder lassen Sie etwas weg.
error-429 = Etwas zu schnell
error-429-what = Es waren zu viele Anfragen. Warten Sie einen Augenblick, und versuchen Sie es dann noch einmal.
error-500 = Etwas ist kaputt
error-500-what = Der Server hat versagt; warum, steht in seinem Protokoll. Versuchen Sie es noch einmal; bleibt es so, sagen Sie es denen, die ihn betreiben.
error-home = Zum Anfang
error-retry = { $count ->
    [one] Versuchen Sie es in einer Sekunde noch einmal.
   *[other] Versuchen Sie es in { $count } Sekunden noch einmal.
 }
form-refused = Es wurde nicht abgeschickt. Das muss sich erst ändern:

sign-in = Anmelden
sign-in-why = Mit einem Konto abonnieren Sie Pulses, schreiben, stimmen ab und bekommen Schlüssel für Ihre Programme.
sign-in-refused = Hier kann sich niemand anmelden, weil Passwörter unverschlüsselt durchs Netz gingen. Wer diesen Dienst betreibt, muss TLS einrichten.
sign-in-new = Noch kein Konto?
sign-in-to-subscribe = Anmelden und abonnieren
sign-out = Abmelden
sign-up = Konto anlegen
sign-up-why = Sie brauchen einen Namen, den andere sehen, und ein Passwort, das niemand errät.
sign-up-closed = Hier kann sich niemand selbst ein Konto anlegen. Fragen Sie die, die diesen Dienst betreiben.
sign-up-puzzle = Ohne Skripte kann Ihr Browser das kleine Rätsel nicht lösen, das Roboter fernhält. Bitten Sie stattdessen ein Mitglied um eine Einladung.
sign-up-working = Das Rätsel, das Roboter fernhält, wird gelöst…
field-username = Name
field-username-help = Buchstaben, Ziffern, und . _ - dazwischen. Andere sehen ihn.
field-password = Passwort
field-password-help = { $count ->
    [one] Mindestens ein Zeichen.
   *[other] Mindestens { $count } Zeichen. Mehrere Wörter merkt man sich leicht und errät sie schwer.
 }
field-code = Code
field-code-help = Aus Ihrer App, wenn Sie eine benutzen, oder ein Code zur Wiederherstellung. Sonst bleibt es leer.
field-email = E-Mail
field-email-help = Nur wenn Sie möchten. Niemand sonst sieht sie.
field-invitation = Einladung
field-invitation-help = Der lange Text am Ende des Links, den Sie bekommen haben.
field-invitation-open = Nur wenn Sie eine haben.
field-name = Name
field-name-help = { $count ->
    [one] Ein Zeichen.
   *[other] Bis zu { $count } Zeichen. Bleibt es leer, behält sie ihren Namen.
 }
field-reason = Begründung
field-reason-help = In einem Satz oder zweien.

tabs-label = Ansichten dieses Pulses
tab-overview = Überblick
tab-comments = Kommentare
tab-history = Verlauf
tab-related = Verwandtes
tab-export = Export

summary = In Kürze
summary-lists = Er nennt { $list }, die als bösartig bekannt sind.
summary-empty = Er nennt keine Werte.
summary-adversary = Sie sollen zum Angreifer { $name } gehören.
summary-family = Die Schadsoftware ist { $name }.
summary-when = Zuletzt geändert: { $when }.
ago-today = heute
ago-days = { $count ->
    [one] gestern
   *[other] vor { $count } Tagen
 }
is-subscribed = Abonniert
is-held = Zurückgehalten
held-what = Nur Sie sehen diesen Pulse, bis ihn sich die Moderation angesehen hat.
subscribe = Abonnieren
subscribe-what = Innerhalb von 30 Minuten ist es auf Ihren Sensoren.
unsubscribe = Nicht mehr abonnieren
vote-up = Hilfreich
vote-down = Nicht hilfreich
votes = { $up } fanden es hilfreich, { $down } nicht
suggest = Änderung vorschlagen
report = Problem melden
clone = Kopie anlegen
no-description = Es gibt keine Beschreibung.
references = Quellen
facts = Tatsachen

fact-name = Name
fact-description = Beschreibung
fact-public = Öffentlich
fact-tlp = TLP
fact-published = Veröffentlicht
fact-revision = Fassung
fact-subscribers = Abonnenten
fact-adversary = Angreifer
fact-family = Schadsoftware
fact-industry = Branchen
fact-country = Länder
fact-attack = Techniken (ATT&CK)
fact-tags = Schlagwörter
fact-groups = Gruppen
fact-copy = Kopie von
fact-other = Etwas anderes

tlp-clear = Sie dürfen das an alle weitergeben.
tlp-green = Sie dürfen das in Ihrer Gemeinschaft weitergeben, aber nicht veröffentlichen.
tlp-amber = Sie dürfen das in Ihrer Organisation und an deren Kunden weitergeben, wenn sie es brauchen.
tlp-amber-strict = Sie dürfen das nur in Ihrer Organisation weitergeben.
tlp-red = Das ist für Sie allein. Geben Sie es nicht weiter.

indicators = Bekannt bösartige Werte (Indikatoren)
indicators-none = Zu diesen Filtern passt hier nichts.
find-label = In dieser Liste finden
find-button = Finden
facet-type = Art
switch-inactive = Auch abgelaufene zeigen
switch-real = Echte Werte zeigen
column-value = Wert
column-type = Art
column-role = Rolle
column-added = Hinzugefügt
column-expires = Läuft ab
column-state = Zustand
column-others = Andere Pulses
state-active = Aktiv
state-inactive = Abgelaufen
state-flagged = Nicht in Exporten
on-list = Auf der Warnliste

kind-ipv4 = Adresse
kind-ipv6 = Adresse (IPv6)
kind-cidr = Netz
kind-domain = Domain
kind-hostname = Rechnername
kind-url = Webadresse (URL)
kind-uri = Pfad einer Webadresse
kind-email = E-Mail-Adresse
kind-md5 = Datei (MD5)
kind-sha1 = Datei (SHA-1)
kind-sha256 = Datei (SHA-256)
kind-pehash = Datei (PEhash)
kind-imphash = Datei (Import-Hash)
kind-filepath = Pfad einer Datei
kind-mutex = Mutex
kind-cve = Schwachstelle (CVE)
kind-yara = Regel (YARA)
kind-ja3 = TLS-Fingerabdruck (JA3)
kind-certificate = Zertifikat
kind-bitcoin = Bitcoin-Adresse
kind-nids = Regel (Netz)
kind-osquery = Regel (osquery)
kind-correlation = Regel (Korrelation)

kinds-address = { $count ->
    [one] eine Adresse
   *[other] { $count } Adressen
 }
kinds-cidr = { $count ->
    [one] ein Netz
   *[other] { $count } Netze
 }
kinds-domain = { $count ->
    [one] eine Domain
   *[other] { $count } Domains
 }
kinds-hostname = { $count ->
    [one] einen Rechnernamen
   *[other] { $count } Rechnernamen
 }
kinds-url = { $count ->
    [one] eine Webadresse
   *[other] { $count } Webadressen
 }
kinds-uri = { $count ->
    [one] einen Pfad
   *[other] { $count } Pfade
 }
kinds-email = { $count ->
    [one] eine E-Mail-Adresse
   *[other] { $count } E-Mail-Adressen
 }
kinds-file = { $count ->
    [one] eine Datei
   *[other] { $count } Dateien
 }
kinds-cve = { $count ->
    [one] eine Schwachstelle
   *[other] { $count } Schwachstellen
 }
kinds-rule = { $count ->
    [one] eine Regel
   *[other] { $count } Regeln
 }
kinds-other = { $count ->
    [one] eine Spur anderer Art
   *[other] { $count } Spuren anderer Art
 }

count-subscribers = { $count ->
    [one] { $count } Abonnent
   *[other] { $count } Abonnenten
 }
count-comments = { $count ->
    [one] { $count } Kommentar
   *[other] { $count } Kommentare
 }

revision = { $count ->
   *[other] Fassung { $count }
 }
change-created = Angelegt
change-added = { $count ->
    [one] { $count } Wert hinzugefügt
   *[other] { $count } Werte hinzugefügt
 }
change-edited = { $count ->
    [one] { $count } Wert geändert
   *[other] { $count } Werte geändert
 }
change-removed = { $count ->
    [one] { $count } Wert entfernt
   *[other] { $count } Werte entfernt
 }

related-none = Kein anderer Pulse, den Sie sehen dürfen, hat einen Wert, einen Angreifer oder eine Schadsoftware mit diesem gemeinsam.
related-why = Gemeinsam:

comments-none = Noch hat niemand etwas dazu gesagt.
comment-add = Kommentar schreiben
comment-text = Kommentar
comment-help = Markdown geht; Bilder und HTML gehen nicht. Wen Sie mit @name erwähnen, bekommt Bescheid.
comment-send = Kommentar veröffentlichen

report-why = Sagen Sie der Moderation, was an diesem Pulse nicht stimmt: dass er falsch, schädlich, privat oder Werbung ist. Stimmt nur ein Wert nicht, melden Sie diesen auf seiner eigenen Seite.
suggest-why = Wer den Pulse verfasst hat, sieht Ihren Vorschlag und nimmt ihn an oder nicht. Füllen Sie aus, was Sie ändern würden.
suggest-add = Werte, die fehlen
suggest-add-help = Einer je Zeile: Adressen, Namen, Webadressen, Prüfsummen. Auch so geschrieben: evil[.]example.
suggest-description = Neue Beschreibung
suggest-description-help = An Stelle der alten.
suggest-adversary-help = Wer dahinter steckt, wenn Sie es wissen.
suggest-tags = Schlagwörter, die fehlen
suggest-tags-help = Mit Kommas dazwischen.
suggest-nothing = Füllen Sie mindestens eines aus, das Sie ändern würden.
clone-why = Eine Kopie gehört Ihnen: Sie ändern sie, wie Sie wollen, und sie folgt der Vorlage nicht. Ihr TLP behält sie.

export-why = Derselbe Pulse für Programme. Eine Datei enthält, was jetzt aktiv ist, ohne das, was auf Warnlisten steht.
export-key = Die Zeilen unten holen ihn mit einem Schlüssel von Ihnen in der Variable KEY.
format-list = Ein Wert je Zeile: für Firewalls, die Listen lesen.
format-hosts = Eine Hosts-Datei.
format-squid = Eine Liste von Namen für den Proxy Squid.
format-nftables = Mengen von Adressen für die Firewall nftables.
format-csv = Eine Tabelle, genau wie sie ist.
format-spreadsheet = Eine Tabelle, die man gefahrlos mit einer Tabellenkalkulation öffnet.
format-openioc = OpenIOC 1.1.
format-stix = Ein Bündel in STIX 2.1: für OpenCTI und die meisten anderen Plattformen.
format-misp = Ein Teil eines Feeds für MISP.
format-zeek = Für das Intelligence-Framework von Zeek.
format-suricata = Für Suricata: Regeln und die Listen, die sie benutzen.
format-rpz = Eine Zone für DNS-Server (RPZ): BIND, Unbound, PowerDNS.
format-database = Eine Datenbank für wiresift.

home = Start
home-sensors = Ihre Sensoren
home-news = Neues in dem, was Sie abonniert haben
home-popular = Was andere abonnieren
home-nothing = Hier gibt es noch keine Pulses. Schreiben Sie den ersten.
welcome = Hier teilen Menschen, welche Adressen, Namen und Dateien als bösartig bekannt sind, und warum. Ihre Firewall, Ihr Nameserver oder Ihr Sensor kann das nutzen: Abonnieren Sie einen Pulse, und er kommt von selbst dort an.
more = Mehr davon
sensors-none = Noch meldet hier kein Sensor von Ihnen.
sensors-how = Wie Sensoren melden
sensors-calm = Heute keine Treffer
sensors-last = Die letzte Meldung war am
sensors-hits = { $hits ->
    [one] In den letzten 24 Stunden gab es einen Treffer
   *[other] In den letzten 24 Stunden gab es { $hits } Treffer
 } auf { $values ->
    [one] einen bekannt bösartigen Wert
   *[other] { $values } bekannt bösartige Werte
 }, von { $machines ->
    [one] einem Ihrer Rechner
   *[other] { $machines } Ihrer Rechner
 }, wie { $sensors ->
    [one] ein Sensor meldet.
   *[other] { $sensors } Sensoren melden.
 }
sensors-hours = Treffer je Stunde (UTC)
sensors-worst = Die schlimmsten davon
sensors-next = Sehen Sie sich zuerst den Rechner an: Welches Programm war das, und wer benutzt ihn? Öffnen Sie dann den Wert und lesen Sie, wer ihn für bösartig hält, und wie sicher das ist.
hour = Stunde
hits = Treffer
severity-1 = Niedrig
severity-2 = Mittel
severity-3 = Hoch
severity-4 = Kritisch
column-severity = Schwere
column-machine = Rechner
column-when = Wann
column-by = Wer das sagt
column-pulse = Pulse

browse = Stöbern
browse-words = Wörter
browse-apply = Zeigen
browse-none = Zu alledem passt kein Pulse. Nehmen Sie etwas weg.
browse-all = Alle Pulses zeigen
browse-count = { $count ->
    [one] { $count } Pulse
   *[other] { $count } Pulses
 }
browse-many = { $count ->
   *[other] Mehr als { $count } Pulses; gezählt sind die neuesten { $count }
 }
results = Ergebnisse
narrow = Eingrenzen
chosen = Ausgewählt
take-away = wegnehmen
author = Verfasst von
sort = Reihenfolge
sort-best = Die besten zuerst
sort-modified = Zuletzt geändert
sort-created = Neueste
sort-popular = Meiste Abonnenten
sort-votes = Hilfreichste
age = Geändert
age-any = Irgendwann
age-day = Seit gestern
age-week = Seit einer Woche
age-month = Seit einem Monat
age-year = Seit einem Jahr
type-any = Alle
why-found = Gefunden in:
why-value = einem Wert oder etwas anderem

verdict = Urteil
verdict-unknown = Niemand hat das hier gemeldet
verdict-around = Selbst nicht gemeldet, aber etwas um ihn herum
verdict-refuted = Ein Fehlalarm
verdict-past = Wurde gemeldet, und ist nicht mehr aktiv
verdict-doubtful = Gemeldet, aber wahrscheinlich ein Fehlalarm
verdict-one = Als bösartig gemeldet
verdict-bad = Als bösartig bekannt
verdict-next = Was zu tun ist:
verdict-do = Wenn ein Rechner von Ihnen damit Kontakt hatte, finden Sie heraus, welches Programm das war, und sperren Sie den Wert solange.
doubts = Zweifel
real-value = der echte Wert, zum Kopieren:
checked-pulses = Alle Pulses, die Sie sehen dürfen, wurden geprüft, auch abgelaufene Werte.
checked-around = Ebenso die Netze und Namen, zu denen er gehört.
checked-lists = Ebenso die Warnlisten dieses Dienstes.
unknown-means = Das heißt nicht, dass er harmlos ist: Neue und seltene Bedrohungen hat noch niemand gemeldet.
reason-authors = { $count ->
    [one] Ein Verfasser nennt ihn bösartig, in { $pulses } der Pulses, die Sie sehen dürfen.
   *[other] { $count } unabhängige Verfasser nennen ihn bösartig, in { $pulses } der Pulses, die Sie sehen dürfen.
 }
reason-past = Er stand in { $pulses } der Pulses, die Sie sehen dürfen. Dort ist er abgelaufen oder abgeschaltet.
reason-roles = Sie nennen ihn: { $roles }.
reason-when = Zuerst genannt: { $first }, zuletzt genannt: { $last }.
reason-seen = { $count ->
    [one] Sensoren dieses Dienstes haben ihn einmal gesehen.
   *[other] Sensoren dieses Dienstes haben ihn { $count } Mal gesehen.
 }
doubt-list = Er steht auf der Warnliste { $name }: Viele benutzen ihn für Harmloses.
doubt-one = Noch bestätigt es niemand sonst.
doubt-refuted = Eine Meldung, dass er ein Fehlalarm ist, wurde angenommen.
doubt-votes = { $down ->
    [one] Ein Leser hält ihn für harmlos
   *[other] { $down } Leser halten ihn für harmlos
 }, { $up } für bösartig.
said-in = { $count ->
    [one] In einem Pulse
   *[other] In { $count } Pulses
 }
in-pulses = { $count ->
    [one] in einem Pulse
   *[other] in { $count } Pulses
 }
around = Um ihn herum
siblings = Andere Prüfsummen derselben Datei
urls = Webadressen dort
search-words = In Pulses als Text danach suchen
act = Was meinen Sie?
vote-bad = Er ist bösartig
vote-fine = Er ist harmlos
false-alarm = Fehlalarm melden
false-alarm-help = Warum ist er harmlos? Die Moderation liest es, und wenn sie zustimmt, bekommt ihn kein Sensor mehr.
false-alarm-send = Meldung abschicken

done-drafted = Als Entwurf behalten. Nur Sie sehen ihn, bis Sie ihn veröffentlichen.
publish = Veröffentlichen
new-why = Schreiben Sie, was Sie wissen, und fügen Sie die Werte ein: Bevor etwas veröffentlicht wird, sehen Sie, was es wäre.
new-name-help = Von { $least } bis { $most } Zeichen: was geschieht, und wer es tut.
new-description-help = Woher Sie es wissen, und was es tut. Markdown geht.
new-values-help = Einer je Zeile, oder ein ganzer Text, in dem sie stehen: Adressen, Namen, Webadressen, Prüfsummen. Auch so geschrieben: evil[.]example.
new-references-help = Eine je Zeile: wo man mehr darüber liest.
new-tlp = Wer es lesen darf (TLP)
new-more = Mehr dazu
new-check = Erst ansehen
new-check-again = Noch einmal ansehen
new-publish = Veröffentlichen
new-draft = Als Entwurf behalten
new-preview = Das wäre es
new-audience-all = Alle mit einem Konto hier würden es sehen.
new-audience-me = Nur Sie würden es sehen, bis Sie es mit einer Gruppe teilen.
new-unread = { $count ->
    [one] In einer Zeile stand kein Wert:
   *[other] In { $count } Zeilen stand kein Wert:
 }
new-flagged = Manche Werte stehen auf Warnlisten: Viele benutzen sie für Harmloses. Sie würden veröffentlicht, aber kein Sensor bekommt sie, bevor jemand zustimmt, dem hier vertraut wird.
new-alike = { $count } Prozent Ihrer Werte stehen schon in diesem Pulse. Vielleicht schlagen Sie lieber dort eine Änderung vor:
new-private = In Ihrem Text scheint etwas Privates zu stehen. Entfernen Sie es, oder sagen Sie, dass es gemeint ist:
new-confirm = Veröffentlichen mit: { $what }
